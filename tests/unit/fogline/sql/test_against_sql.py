"""What a query means, beside a database that reads the same text."""

import math
from functools import cache

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from fogline.engine.batch import BatchColumn, TextColumn
from fogline.engine.finish import finish
from fogline.engine.rows import RowProgram
from fogline.engine.windows import WindowProgram
from fogline.model.plan import Plan, WindowQuery
from fogline.spec import make_plan, read_spec
from tests.unit.fogline.engine.readings import Reading, batch_of

SPEC = """\
name: compared
streams:
  air:
    mqtt: "air/{{zone}}/{{device}}"
    time: ts
    fields: {{temp: {{type: float, resolution: 0.01}}, level: int, flow: float}}
steps:
  rows: {{sql: "{rows}"}}
  windows: {{sql: "{windows}"}}
"""
TUMBLE = "TUMBLE(ts, INTERVAL '1 second')"
COUNT = f"SELECT count(*) AS n FROM rows GROUP BY {TUMBLE}"

READINGS = st.lists(
    st.builds(
        Reading,
        time_us=st.integers(-2_000_000, 2_000_000),
        zone=st.none() | st.sampled_from(["b", "a", "", "é", "B"]),
        device=st.none() | st.sampled_from(["d0", "d1"]),
        temp=st.none() | st.integers(-5000, 9999).map(lambda steps: steps / 100),
        level=st.none() | st.integers(-20, 20),
        flow=st.none() | st.integers(-100, 100).map(lambda steps: steps / 8),
    ),
    max_size=12,
)


def plan_of(rows: str, windows: str = COUNT) -> Plan:
    return make_plan(read_spec(SPEC.format(rows=rows, windows=windows)), "main")


def joined(parts: st.SearchStrategy[str], words: list[str], most: int) -> st.SearchStrategy[str]:
    """Parts with words between them and no brackets: what belongs together is up to the reader."""
    return st.lists(parts, min_size=1, max_size=most).flatmap(
        lambda ones: st.lists(st.sampled_from(words), min_size=len(ones) - 1, max_size=len(ones) - 1).map(
            lambda between: " ".join(
                piece for pair in zip(ones, [*between, ""], strict=True) for piece in pair if piece
            )
        )
    )


ATOMS = st.sampled_from(
    ["temp", "level", "flow", "2", "0.5", "-level", "abs(flow)", "coalesce(temp, 0)", "nullif(level, 3)"]
) | st.sampled_from(
    [
        "least(temp, level, 4)",
        "greatest(flow, 1)",
        "round(flow, 1)",
        "floor(temp)",
        "ceil(temp)",
        "(level + 1) * 2",
        "temp / 4",
        "level % 7",
        "mod(level, 3)",
        "CASE WHEN zone = 'a' THEN level WHEN temp > 5 THEN flow END",
        "CASE level WHEN 1 THEN 10 ELSE -1 END",
    ]
)
NUMBERS = joined(ATOMS, ["+", "-", "*"], 3)
TEXTS = joined(
    st.sampled_from(["zone", "device", "'it''s'", "upper(zone)", "lower(zone)", "coalesce(device, 'x')"])
    | st.sampled_from(["CAST(level AS TEXT)", "CASE WHEN level > 0 THEN zone ELSE 'none' END"]),
    ["||"],
    3,
)
TESTS = st.one_of(
    st.tuples(NUMBERS, st.sampled_from(["=", "<>", "<", "<=", ">", ">=", "!="]), NUMBERS).map(" ".join),
    st.tuples(TEXTS, st.sampled_from(["=", "<>", "<", ">="]), TEXTS).map(" ".join),
    st.sampled_from(["zone IS NULL", "level IS NOT NULL", "zone IN ('a', 'b')", "level NOT IN (1, 2, 3)"]),
    st.sampled_from(["temp BETWEEN -10 AND 10", "level NOT BETWEEN 2 AND 5", "(level > 1) IS TRUE"]),
    st.sampled_from(["(zone = 'a') IS NOT TRUE", "(level < 3) IS FALSE", "TRUE", "NOT zone = 'a'"]),
)
CONDITIONS = joined(TESTS | TESTS.map(lambda test: f"NOT {test}"), ["AND", "OR"], 4)


@cache
def database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE air"
        " (row BIGINT, ts BIGINT, zone TEXT, device TEXT, temp DOUBLE, level BIGINT, flow DOUBLE)"
    )
    return connection


def in_database(readings: list[Reading], query: str) -> list[tuple[object, ...]]:
    database().execute("DELETE FROM air")
    if readings:
        rows = [(number, *one) for number, one in enumerate(readings)]
        database().executemany("INSERT INTO air VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    return database().execute(query).fetchall()


def values_of(column: BatchColumn) -> list[object]:
    if isinstance(column, TextColumn):
        return [None if code < 0 else column.dictionary[code] for code in column.codes.tolist()]
    known = [True] * len(column) if column.valid is None else column.valid.tolist()
    return [value if sure else None for value, sure in zip(column.values.tolist(), known, strict=True)]


def alike(ours: object, theirs: object) -> bool:
    if isinstance(ours, (int, float)) and isinstance(theirs, (int, float)):
        return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-9)
    return ours == theirs


@settings(max_examples=60, deadline=None)
@given(readings=READINGS, number=NUMBERS, text=TEXTS, condition=CONDITIONS)
def test_rows_are_what_a_database_makes_of_the_same_words(
    readings: list[Reading], number: str, text: str, condition: str
) -> None:
    select = f"SELECT {number} AS n, {text} AS t, {condition} AS c"
    plan = plan_of(f"{select} FROM air WHERE {condition} OR ({condition}) IS NULL AND level > 0")
    program = RowProgram(next(step for step in plan.steps if step.name == "rows"))

    answer = program.run(batch_of(readings))

    found = list(zip(*(values_of(answer.batch.columns[name]) for name in "ntc"), strict=True))
    wanted = in_database(
        readings, f"{select} FROM air WHERE {condition} OR ({condition}) IS NULL AND level > 0 ORDER BY row"
    )
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        assert all(alike(one, other) for one, other in zip(ours, theirs, strict=True)), (ours, theirs)


AGGREGATES = (
    "count(*)",
    "count(temp)",
    "sum(temp)",
    "avg(temp)",
    "min(temp)",
    "max(level)",
    "sum(level)",
    "avg(flow)",
    "sum(flow) / count(flow)",
    "max(temp) - min(temp)",
    "sum(CASE WHEN temp > 30 THEN 1 ELSE 0 END)",
    "coalesce(avg(level), -1)",
    "sum(level * 2)",
    "floor(avg(flow))",
    "min(level + flow)",
    "CASE WHEN count(*) > 2 THEN 'many' ELSE 'few' END",
)


@settings(max_examples=25, deadline=None)
@given(readings=READINGS, condition=CONDITIONS)
def test_windows_are_what_a_database_makes_of_the_same_words(readings: list[Reading], condition: str) -> None:
    outputs = ", ".join(f"{one} AS o{number}" for number, one in enumerate(AGGREGATES))
    start = f"SELECT upper(zone) AS z, device, {outputs}, upper(zone) || '!' AS loud FROM air"
    query = f"{start} WHERE {condition} GROUP BY device, {TUMBLE}, z"
    plan = plan_of("SELECT * FROM air", query.replace("FROM air", "FROM rows"))
    step = next(step for step in plan.steps if step.name == "windows")
    assert isinstance(step.query, WindowQuery)
    table = WindowProgram(step, 1000).run(batch_of(readings)).table

    found = [(row.pane_start, *row.key, *row.values) for row in finish(step.query, table)]

    pane = "ts // 1000000 * 1000000 - CASE WHEN ts < 0 AND ts % 1000000 <> 0 THEN 1000000 ELSE 0 END"
    wanted = in_database(
        readings,
        f"SELECT {pane} AS pane, device, upper(zone), {outputs}, upper(zone) || '!' FROM air"
        f" WHERE {condition} GROUP BY pane, device, upper(zone)"
        " ORDER BY pane, device NULLS LAST, upper(zone) NULLS LAST",
    )
    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        assert all(alike(one, other) for one, other in zip(ours, theirs, strict=True)), (ours, theirs)
