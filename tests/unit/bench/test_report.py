import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.report import Heading, Report, lines_of


@dataclass(frozen=True)
class Row:
    what: str
    rate: float | None
    count: int = 0


HEADINGS = (Heading("what", ""), Heading("rate", "per second", ",.1f"), Heading("count", "n", ",d"))


def test_numbers_stand_to_the_right_and_what_was_not_measured_is_blank() -> None:
    rows = [Row("node", 1234.56, 7), Row("paho and a dict", None, 12345)]
    assert lines_of("title", rows, HEADINGS)[2:] == [
        "                 per second       n",
        "node                1,234.6       7",
        "paho and a dict              12,345",
    ]


def test_a_table_without_rows_still_has_its_headings() -> None:
    assert lines_of("title", [], HEADINGS)[2].split() == ["per", "second", "n"]


def test_the_file_says_rows_machine_and_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "made" / "x.json"
    report = Report("x", argparse.Namespace(out=out, seconds=3.0))
    report.table("rates", [Row("node", 2.0)], HEADINGS)
    report.say("ledger", "adds up")
    report.end()
    said = json.loads(out.read_text())
    assert said["tables"] == {"rates": [{"what": "node", "rate": 2.0, "count": 0}]}
    assert said["settings"] == {"seconds": 3.0}
    assert said["ledger"] == "adds up"
    assert said["machine"]["cores"] > 0
    assert "node" in capsys.readouterr().out
