"""Each kind of mistake is told at its place, in words that say what to do (the table: mistakes.txt)."""

import ast
import re
from pathlib import Path

import pytest

from fogline.model.faults import SpecErrors
from fogline.spec import read_spec

GOOD = """\
name: greenhouse
streams:
  air:
    mqtt: "greenhouse/{zone}/{device}/air"
    format: json
    time: ts
    labels: {lot: batch.lot}
    fields: {temp: {type: float, resolution: 0.01}, humidity: float, seq: int}
    identity: [device, seq]
    full: refuse
    quota: 64Mi
steps:
  by_zone:
    sql: |
      SELECT zone, avg(temp) AS temp
      FROM air GROUP BY zone, TUMBLE(ts, INTERVAL '10 seconds')
late: {disorder: 5s, wait: 2m, keep: 1d}
emit: {every: 1s, on: change}
max_keys: 500
"""

Case = tuple[str, str]


def table() -> list[Case]:
    """Documents, and what is said of them."""
    text = Path(__file__).with_name("mistakes.txt").read_text()
    cases = []
    for block in text.split("\n\n")[1:]:
        if block.startswith("#"):
            continue
        head, _, told = block.strip("\n").partition("\n")
        old, arrow, new = head.partition(" -> ")
        document = ast.literal_eval(head) if not arrow else _replaced(old, new)
        cases.append((document, told))
    return cases


def _replaced(old: str, new: str) -> str:
    wanted = ast.literal_eval(old)
    assert wanted in GOOD
    return GOOD.replace(wanted, ast.literal_eval(new), 1)


def told_of(document: str) -> str:
    try:
        read_spec(document, "greenhouse.yaml")
    except SpecErrors as errors:
        return "\n".join(
            f"    {fault.line}:{fault.column} {fault.path or '-'} | {fault.message} | {fault.hint}"
            for fault in errors.faults
        )
    return ""


@pytest.mark.parametrize(("document", "told"), table(), ids=[str(n) for n in range(len(table()))])
def test_a_mistake_is_told_at_its_place(document: str, told: str) -> None:
    assert told_of(document) == told


def test_the_good_spec_has_no_mistake() -> None:
    assert told_of(GOOD) == ""


def test_every_fault_of_the_table_stands_in_the_document() -> None:
    for document, told in table():
        lines = document.split("\n")
        for line, column in re.findall(r"^    (\d+):(\d+) ", told, re.MULTILINE):
            assert 1 <= int(line) <= len(lines)
            assert 1 <= int(column) <= len(lines[int(line) - 1]) + 1


def test_a_document_that_is_too_large_is_not_parsed() -> None:
    assert "at most 262144" in told_of("a" * 300_000)


def test_a_topic_that_mqtt_cannot_carry_is_refused() -> None:
    assert "too long" in told_of(GOOD.replace("greenhouse/{zone}", "g" * 65_536 + "/{zone}"))


def test_a_message_lists_all_faults_under_the_name_of_the_file() -> None:
    with pytest.raises(
        SpecErrors, match=r"greenhouse.yaml has 2 mistakes\ngreenhouse.yaml:1:7: name: "
    ) as raised:
        read_spec(GOOD.replace("greenhouse\n", "Green\n", 1).replace("500", "0"), "greenhouse.yaml")
    assert "\n    write a whole number" in str(raised.value)


def test_one_mistake_is_called_one() -> None:
    with pytest.raises(SpecErrors, match="has one mistake"):
        read_spec(GOOD.replace("500", "0"), "greenhouse.yaml")


def test_long_lists_and_names_are_cut_in_messages() -> None:
    many = ", ".join(f"field_{number}: float" for number in range(300))
    assert "more than 256 fields" in told_of(GOOD.replace("humidity: float", many))
    assert "...` cannot name" in told_of(GOOD.replace("greenhouse\n", "G" * 100 + "\n", 1))


def test_a_pipeline_has_bounded_numbers_of_streams_and_steps() -> None:
    streams = "\n".join(f"  s{n}: {{mqtt: t/{n}, fields: {{v: float}}}}" for n in range(65))
    steps = "\n".join(f"  q{n}: {{sql: SELECT v FROM s{n}}}" for n in range(65))
    told = told_of(f"name: many\nstreams:\n{streams}\nsteps:\n{steps}\n")
    assert "2:1 streams | more than 64 streams" in told
    assert "68:1 steps | more than 64 steps" in told


@pytest.mark.parametrize("key", [True, False])
def test_half_a_character_is_a_mistake_and_two_halves_are_one(key: bool) -> None:  # noqa: FBT001 - a parameter
    def written(escaped: str) -> str:
        return f'"{escaped}": 1\n' if key else f'name: "{escaped}"\n'

    assert "half a character" in told_of(written(r"\ud83c"))
    told = told_of(written(r"\ud83c\udf43"))
    assert "\U0001f343" in told
    assert "half a character" not in told
