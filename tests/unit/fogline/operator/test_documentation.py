"""The programs in docs/operators.md run as they stand."""

from pathlib import Path

import pytest

from tests.unit.docs.blocks import ROOT, Block, blocks

PROGRAMS = [block for block in blocks(ROOT / "docs" / "operators.md") if block.language == "python"]


@pytest.mark.parametrize("block", PROGRAMS, ids=[block.place for block in PROGRAMS])
def test_a_shown_program_runs(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(block.text, block.place, "exec"), {"__name__": "shown"})
