"""The engine beside a database that shares no code with it."""

import math

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from fogline.engine.finish import finish
from fogline.engine.merge import merge_tables
from fogline.engine.windows import WindowProgram
from fogline.model.plan import Call, Column, Constant, Expression, Named, WindowQuery
from tests.unit.fogline.engine.readings import Reading, batch_of, reading, window_step

SQL = """
    SELECT pane, zone, count(*), count(temp), CASE WHEN count(temp) > 0 THEN sum(temp) END, avg(temp),
           min(temp), max(temp), sum(level), avg(level), quantile_disc(temp, 0.9), count(DISTINCT device)
    FROM readings
    WHERE (temp BETWEEN -40 AND 85 OR temp IS NULL) AND NOT (level % 3 = 0 AND zone <> 'a')
    GROUP BY pane, zone ORDER BY pane, zone NULLS LAST
"""


def call(operation: str, *arguments: Expression) -> Call:
    return Call(operation, arguments)


TEMP, LEVEL, ZONE = Column("temp"), Column("level"), Column("zone")
WHERE = call(
    "and",
    call(
        "or",
        call("and", call(">=", TEMP, Constant(-40)), call("<=", TEMP, Constant(85))),
        call("is_null", TEMP),
    ),
    call(
        "not",
        call(
            "and",
            call("=", call("%", LEVEL, Constant(3)), Constant(0)),
            call("<>", ZONE, Constant("a")),
        ),
    ),
)
OUTPUTS: tuple[Expression, ...] = (
    Column("readings"),
    Column("temps"),
    call("case", call(">", Column("temps"), Constant(0)), Column("temp_sum")),
    call("/", Column("temp_sum"), Column("temps")),
    Column("temp_min"),
    Column("temp_max"),
    call("case", call(">", Column("levels_known"), Constant(0)), Column("level_sum")),
    call("/", Column("level_sum"), Column("levels_known")),
    call("quantile_of", Column("temp_buckets"), Constant(0.9)),
    call("distinct_of", Column("devices")),
)
TOLERANCE = {10: 0.0101}
"""By column of the answer: the quantile is known to 1 %."""


def table_in_sql(readings: list[Reading]) -> list[tuple[int | float | str | None, ...]]:
    with duckdb.connect() as database:
        database.execute(
            "CREATE TABLE readings (pane BIGINT, zone TEXT, device TEXT, temp DOUBLE, level BIGINT)"
        )
        rows = [(one.time_us // 1_000_000, one.zone, one.device, one.temp, one.level) for one in readings]
        if rows:
            database.executemany("INSERT INTO readings VALUES (?, ?, ?, ?, ?)", rows)
        return database.execute(SQL).fetchall()


@settings(max_examples=40, deadline=None)
@given(readings=st.lists(reading(st.integers(-2_000_000, 2_000_000)), max_size=40), cut=st.integers(0, 40))
def test_a_window_query_answers_as_a_database_does(readings: list[Reading], cut: int) -> None:
    step = window_step(
        where=WHERE, outputs=[Named(name=f"o{n}", expression=one) for n, one in enumerate(OUTPUTS)]
    )
    program = WindowProgram(step, 1000)
    tables = [program.run(batch_of(some)).table for some in (readings[:cut], readings[cut:])]
    assert isinstance(step.query, WindowQuery)
    found = [
        (row.pane_start // 1_000_000, *row.key, *row.values)
        for row in finish(step.query, merge_tables(tables))
    ]

    wanted = table_in_sql(readings)

    assert len(found) == len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        for place, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            if isinstance(one, float) and other is not None:
                tolerance = TOLERANCE.get(place, 1e-12)
                assert math.isclose(one, float(other), rel_tol=tolerance, abs_tol=1e-9), (place, ours, theirs)
            else:
                assert one == other, (place, ours, theirs)
