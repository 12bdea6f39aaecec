"""The file that says who ran what."""

import json
from pathlib import Path

from fog_node.sessions.audit import Audit


def test_lines_are_appended_and_the_files_stay_bounded(tmp_path: Path) -> None:
    path = tmp_path / "audit" / "exec.jsonl"
    audit = Audit(path, most_bytes=200)
    for number in range(50):
        audit.note(number=number, command=["ls"])
    kept = [path.with_suffix(".1"), path]
    numbers = [json.loads(line)["number"] for file in kept for line in file.read_text().splitlines()]
    assert numbers == list(range(numbers[0], 50))
    assert all(file.stat().st_size <= 200 for file in kept)
    assert sorted(path.parent.iterdir()) == sorted(kept)
