"""Each query that is not run is refused at the word, with what to use instead (the table: queries.txt)."""

from pathlib import Path

import pytest

from fogline.model.faults import SpecErrors
from fogline.spec import read_spec

BASE = """\
name: greenhouse
streams:
  air:
    mqtt: "greenhouse/{zone}/{device}/air"
    time: ts
    labels: {lot: batch.lot}
    fields: {temp: {type: float, resolution: 0.01}, humidity: float, seq: int}
steps:
  by_zone:
    sql: |
      @
"""
LINE, INDENT = 11, 6


def table() -> list[tuple[str, str]]:
    """Queries, and what is said of each."""
    blocks = Path(__file__).with_name("queries.txt").read_text().strip("\n").split("\n\n")[1:]
    return [(query, told) for query, _, told in (block.partition("\n") for block in blocks)]


def told_of(query: str) -> str:
    try:
        read_spec(BASE.replace("@", query), "greenhouse.yaml")
    except SpecErrors as errors:
        # A row query alone is fine here; that nothing reads it is another test's matter.
        faults = [fault for fault in errors.faults if "nothing reads" not in fault.message]
        assert all(fault.line == LINE for fault in faults)
        return "\n".join(f"    {f.column - INDENT} {f.message} | {f.hint}" for f in faults)
    return ""


@pytest.mark.parametrize(("query", "told"), table(), ids=[query for query, _ in table()])
def test_a_query_is_refused_at_the_word_or_taken(query: str, told: str) -> None:
    assert told_of(query) == told


def test_an_empty_query_is_refused() -> None:
    with pytest.raises(SpecErrors, match="there is no query"):
        read_spec(BASE.replace("@", ""), "greenhouse.yaml")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT " + "(" * 30 + "temp" + ")" * 30 + " AS t FROM air", "brackets are nested deeper"),
        ("SELECT " + "NOT " * 1000 + "TRUE AS t FROM air", "nested too deeply"),
        ("SELECT " + "temp + " * 100 + "temp AS t FROM air", "nested deeper than 40 operations"),
        ("SELECT " + "9" * 5000 + " AS x FROM air", "is not a 64-bit integer"),
        ("SELECT " + "9" * 5000 + ".0 AS x FROM air", "is larger than any number"),
        ("SELECT " + "temp, " * 3000 + "temp FROM air", "more than 4000 words"),
        ("SELECT " + "t" * 20_001 + " FROM air", "more than 20000 characters"),
    ],
)
def test_what_is_too_large_or_too_deep_is_refused(query: str, words: str) -> None:
    with pytest.raises(SpecErrors, match=words):
        read_spec(BASE.replace("@", query), "greenhouse.yaml")


def test_long_chains_of_conditions_are_not_deep() -> None:
    conditions = " AND ".join(f"temp <> {n}" for n in range(300))
    values = ", ".join(str(n) for n in range(300))
    assert told_of(f"SELECT temp FROM air WHERE {conditions} OR seq IN ({values})") == ""
