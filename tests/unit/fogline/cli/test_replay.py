import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fogline.cli.replay.messages import Payload, Split, Topic
from fogline.cli.replay.run import Request, TimeColumn, find_time, survey
from fogline.cli.replay.table import Row, Table
from fogline.cli.replay.times import Unit, detect_unit, shifted, to_us, whole
from fogline.model.errors import InvalidInput

CSV = "ts,node,temp\n1700000000,a,21.50\n\n1700000001,b,\n"


def table(path: Path, text: str = CSV) -> Table:
    file = path / "rows.csv"
    file.write_text(text, encoding="utf-8")
    return Table.open(file)


def request(path: Path, **wishes: object) -> Request:
    given: dict[str, object] = {
        "file": path,
        "to": ["mqtt://127.0.0.1"],
        "topic": "t",
        "shift": False,
        "time_column": None,
        "time_unit": None,
        "speed": None,
        "split": None,
        "as_json": False,
    }
    return Request(**{**given, **wishes})  # type: ignore[arg-type] # fields as in Request, above


def test_rows_are_read_with_their_lines_and_blank_lines_are_none(tmp_path: Path) -> None:
    found = table(tmp_path)

    assert found.columns == ("ts", "node", "temp")
    assert list(found.rows()) == [Row(2, ["1700000000", "a", "21.50"]), Row(4, ["1700000001", "b", ""])]


def test_a_gzipped_file_is_read_whatever_its_name_is(tmp_path: Path) -> None:
    file = tmp_path / "rows"
    file.write_bytes(gzip.compress(CSV.encode()))

    assert [row.cells[1] for row in Table.open(file).rows()] == ["a", "b"]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    assert table(tmp_path, "\ufeffts,x\n").columns == ("ts", "x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"rows.csv:1: the first line must name every column"),
        ("a,,b\n", r"rows.csv:1: the first line must name every column"),
        ("a,a\n", r"rows.csv:1: two columns have the same name"),
    ],
)
def test_a_header_that_names_nothing_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        table(tmp_path, text)


def test_a_row_of_another_length_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"rows.csv:3: 2 cells under 3 columns"):
        list(table(tmp_path, "a,b,c\n1,2,3\n1,2\n").rows())


@pytest.mark.parametrize("content", [b"a,b\n\xff\xfe,1\n", gzip.compress(b"a,b\n" + b"1,2\n" * 9999)[:-20]])
def test_a_file_that_is_no_text_or_cut_off_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes(content)

    with pytest.raises(InvalidInput, match=r"rows\.csv"):
        list(Table.open(file).rows())


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        Table.open(tmp_path / "nothing.csv")


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("20", 20),
        ("-1.5e3", -1500.0),
        ("0.1", 0.1),
        ("", None),
        ("007", "007"),
        ("+5", "+5"),
        ("NaN", "NaN"),
        ("1,5", "1,5"),
        ('say "ü"', 'say "ü"'),
        ("true", "true"),
    ],
)
def test_a_cell_is_a_number_where_json_calls_it_one(cell: str, value: object) -> None:
    assert json.loads(Payload(["v"]).of([cell])) == {"v": value}


def test_a_number_keeps_its_digits() -> None:
    assert Payload(["a", "b"]).of(["21.50", "3.0"]) == b'{"a":21.50,"b":3.0}'


@given(st.lists(st.tuples(st.text(), st.text()), unique_by=lambda pair: pair[0]))
def test_a_payload_is_always_json(cells: list[tuple[str, str]]) -> None:
    content = json.loads(Payload([name for name, _ in cells]).of([cell for _, cell in cells]))

    assert list(content) == [name for name, _ in cells]


def test_a_topic_takes_the_cells_of_its_columns(tmp_path: Path) -> None:
    topic = Topic("site/{node}/t{temp}", table(tmp_path))

    assert topic.of(Row(2, ["1", "a", "5"])) == "site/a/t5"


def test_a_topic_that_names_no_column_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no column 'nod', which --topic names") as refused:
        Topic("site/{nod}", table(tmp_path))

    assert refused.value.hint == "it has ts, node, temp"


@pytest.mark.parametrize("template", ["", "a/+/b", "a/#", "a/{node", "a/node}"])
def test_what_cannot_be_published_to_is_no_topic(tmp_path: Path, template: str) -> None:
    with pytest.raises(InvalidInput, match="no topic to publish to"):
        Topic(template, table(tmp_path))


@pytest.mark.parametrize("cell", ["", "a/b", "+", "#"])
def test_a_cell_that_is_no_level_of_a_topic_is_refused_before_anything_is_sent(
    tmp_path: Path, cell: str
) -> None:
    found = table(tmp_path, f"node,x\n{cell},1\n")

    with pytest.raises(InvalidInput, match=r"rows.csv:2: .* cannot stand in a topic"):
        survey(found, Topic("site/{node}", found), None)


def test_equal_cells_go_to_the_same_node_and_every_node_gets_some(tmp_path: Path) -> None:
    split = Split("node", 2, table(tmp_path))

    chosen = [split.of(Row(2, ["0", str(node % 20), "1"])) for node in range(100)]
    assert chosen[:20] * 5 == chosen
    assert set(chosen) == {0, 1}


def test_several_targets_need_a_column_to_split_by(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="several nodes"):
        Split(None, 2, table(tmp_path))


@pytest.mark.parametrize(
    ("cell", "unit"),
    [
        ("1163438041", "s"),
        ("1163438041.25", "s"),
        ("1163438041250", "ms"),
        ("1163438041250000", "us"),
        ("1163438041250000000", "ns"),
        ("2006-11-13T17:14:01Z", "iso"),
        ("2006-11-13 17:14:01.25", "iso"),
    ],
)
def test_a_times_look_tells_its_unit(cell: str, unit: Unit) -> None:
    assert detect_unit(cell) == unit
    assert to_us(cell, unit) // 1_000_000 == 1163438041


def test_what_is_no_time_is_told_with_its_line(tmp_path: Path) -> None:
    found = table(tmp_path, "ts,x\n1700000000,1\nsoon,1\n")

    with pytest.raises(InvalidInput, match=r"rows\.csv:3: ts: 'soon' is no number of s"):
        survey(found, Topic("t", found), TimeColumn(index=0, unit="s"))


@given(
    moment=st.datetimes(datetime(1980, 1, 1), datetime(2080, 1, 1)),  # noqa: DTZ001 -- hypothesis adds the zone
    unit=st.sampled_from(["s", "ms", "us", "ns", "iso"]),
    by_us=st.integers(-(10**15), 10**15),
)
def test_a_moved_time_is_in_the_same_unit_and_exact(moment: datetime, unit: Unit, by_us: int) -> None:
    instant = moment.replace(tzinfo=UTC)
    us = int((instant - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000 + instant.microsecond
    scale = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1}
    cell = instant.isoformat() if unit == "iso" else str(us // scale[unit] * (1000 if unit == "ns" else 1))
    cut = whole(by_us, unit)

    assert to_us(shifted(cell, unit, cut), unit) == to_us(cell, unit) + cut
    assert 0 <= by_us - cut < 1_000_000
    if unit != "iso":
        assert "." not in shifted(cell, unit, cut)


def test_the_usual_name_of_a_column_of_times_is_found(tmp_path: Path) -> None:
    found = table(tmp_path)

    assert find_time(found, request(found.path, shift=True)) == TimeColumn(index=0, unit="s")


def test_times_are_not_looked_for_where_they_do_not_matter(tmp_path: Path) -> None:
    found = table(tmp_path, "x,y\n1,2\n")

    assert find_time(found, request(found.path)) is None


def test_a_missing_column_of_times_asks_for_its_name(tmp_path: Path) -> None:
    found = table(tmp_path, "x,y\n1,2\n")

    with pytest.raises(InvalidInput, match=r"which column of .* holds the time") as refused:
        find_time(found, request(found.path, speed=1.0))
    assert refused.value.hint == "--time-column NAME says so; it has x, y"


def test_a_survey_finds_the_first_and_the_latest_time(tmp_path: Path) -> None:
    found = table(tmp_path, "ts,x\n30,1\n90,1\n60,1\n")

    surveyed = survey(found, Topic("t", found), TimeColumn(index=0, unit="s"))
    assert (surveyed.rows, surveyed.first_us, surveyed.latest_us) == (3, 30_000_000, 90_000_000)


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    found = table(tmp_path, "a,b\n")

    with pytest.raises(InvalidInput, match="has no rows"):
        survey(found, Topic("t", found), None)
