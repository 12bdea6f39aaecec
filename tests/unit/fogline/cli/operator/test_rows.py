"""Rows out of files."""

import io
from pathlib import Path

import pytest

from fogline.cli.operator.rows import Row, read_rows
from fogline.model.errors import FogError


def rows_of(tmp_path: Path, text: str) -> list[Row]:
    file = tmp_path / "rows"
    file.write_text(text)
    return read_rows(str(file))


def test_columns_of_a_csv_are_of_the_narrowest_type_that_fits(tmp_path: Path) -> None:
    text = '\ufeffwhole,number,truth,text,mixed,empty\n1,1.5,true,a,1,\n2,,FALSE,"b, c",x,\n'
    assert rows_of(tmp_path, text) == [
        {"whole": 1, "number": 1.5, "truth": True, "text": "a", "mixed": "1", "empty": None},
        {"whole": 2, "number": None, "truth": False, "text": "b, c", "mixed": "x", "empty": None},
    ]


def test_lines_of_json_are_taken_as_they_are(tmp_path: Path) -> None:
    assert rows_of(tmp_path, '{"a": 1, "b": null}\n\n{"a": "x", "c": true}\n') == [
        {"a": 1, "b": None},
        {"a": "x", "c": True},
    ]


def test_rows_may_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a\n1\n"))
    assert read_rows("-") == [{"a": 1}]


def test_a_file_without_rows_has_none(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "") == []
    assert rows_of(tmp_path, "a,b\n") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1\n", ":2: not as many values"),
        ("a\n1,2\n", ":2: not as many values"),
        ('a\n"b\n', "no CSV"),
        ('{"a": 1}\n{"a"\n', ":2: no JSON"),
        ('{"a": 1}\n[1]\n', ":2: no row"),
        ('{"a": [1]}\n', ":1: no row"),
    ],
)
def test_what_is_no_row_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FogError, match=message):
        rows_of(tmp_path, text)


def test_files_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    with pytest.raises(FogError, match="cannot be read"):
        read_rows(str(tmp_path / "none"))
    (tmp_path / "latin").write_bytes(b"a\n\xff\n")
    with pytest.raises(FogError, match="not UTF-8"):
        read_rows(str(tmp_path / "latin"))
    with pytest.raises(FogError, match="more than"):
        rows_of(tmp_path, "a\n" + "1\n" * 1_000_001)
