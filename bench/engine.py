"""What the engine costs: nanoseconds a reading in window and row queries, merged keys a second.

    python -m bench.engine [--out bench/out/engine.json]

CPU time, the best of several rounds: the engine's own cost, not that of the machine's other work.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.report import Heading, Report, flags
from fogline.engine.batch import Batch, NumberColumn, TextColumn
from fogline.engine.finish import finish
from fogline.engine.function import state_layout
from fogline.engine.merge import merge_tables
from fogline.engine.operation import ValueType
from fogline.engine.rows import RowProgram
from fogline.engine.state import StateTable
from fogline.engine.windows import WindowProgram
from fogline.model.plan import (
    Call,
    Column,
    Constant,
    Expression,
    Named,
    RowQuery,
    StateSpec,
    StepSpec,
    WindowQuery,
)

SENSORS: Final = 64
ZONES: Final = 8
SECOND_US: Final = 1_000_000
NOW_US: Final = 1_767_225_600 * SECOND_US
ROUND_SECONDS: Final = 0.25
ROUNDS: Final = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    what: str
    value: float
    unit: str


def nanoseconds(run: Callable[[], object]) -> float:
    """Take the CPU time of one call: the mean of a round, the best of the rounds."""
    run()
    best = float("inf")
    for _ in range(ROUNDS):
        calls, start = 0, time.process_time_ns()
        while (spent := time.process_time_ns() - start) < ROUND_SECONDS * 1e9:
            run()
            calls += 1
        best = min(best, spent / calls)
    return best


def batch_of(rows: int, seed: int) -> Batch:
    """Readings of 64 sensors in 8 zones within a second, in hundredths of a degree."""
    dice = np.random.default_rng(seed)
    sensors = dice.integers(0, SENSORS, rows).astype(np.int32)
    return Batch(
        rows=rows,
        time_us=NOW_US + np.sort(dice.integers(0, SECOND_US, rows)),
        columns={
            "device": TextColumn(codes=sensors, dictionary=tuple(f"sensor-{n}" for n in range(SENSORS))),
            "zone": TextColumn(codes=sensors % ZONES, dictionary=tuple(f"zone-{n}" for n in range(ZONES))),
            "temp": NumberColumn(values=np.round(dice.normal(20, 5, rows), 2), resolution=0.01),
        },
    )


def state(
    function: str, argument: str, kind: ValueType = "float", resolution: float | None = None
) -> StateSpec:
    """Keep one state of a column."""
    layout, parameters = state_layout(function, kind, resolution)
    return StateSpec(
        name=f"{function}_{argument}",
        kind=layout,
        function=function,
        argument=Column(argument),
        parameters=parameters,
    )


NUMBERS: Final = (
    state("count", "temp"),
    state("sum", "temp", "float", 0.01),
    state("min", "temp"),
    state("max", "temp"),
)
P99: Final = state("log_buckets", "temp")
DEVICES: Final = state("registers", "device", "text")
WARM: Final = Call(
    "and", (Call(">", (Column("temp"), Constant(-40))), Call("<", (Column("temp"), Constant(85))))
)


def window_query(states: Sequence[StateSpec], key: str = "zone") -> WindowQuery:
    """Group by one label and second."""
    quantile = Call("quantile_of", (Column(P99.name), Constant(0.99)))
    average = Call("/", (Column("sum_temp"), Column("count_temp")))
    outputs = [Named(name="avg", expression=average)]
    outputs += [Named(name="p99", expression=quantile)] if P99 in states else []
    return WindowQuery(
        keys=(Named(name=key, expression=Column(key)),),
        width_us=SECOND_US,
        states=tuple(states),
        outputs=tuple(outputs),
    )


def step(query: WindowQuery | RowQuery, where: Expression | None = None) -> StepSpec:
    """Put a query on the stream."""
    return StepSpec(name="s", source="air", stream="air", where=where, query=query)


def reading_figures() -> list[Figure]:
    """Time queries over batches."""
    numbers = window_query(NUMBERS)
    everything = window_query((*NUMBERS, P99))
    columns = tuple(Named(name=name, expression=Column(name)) for name in ("zone", "device", "temp"))
    programs: list[tuple[str, int, WindowProgram | RowProgram]] = [
        ("count, avg, min, max", 10_000, WindowProgram(step(numbers), 1000)),
        ("count, avg, min, max, p99", 10_000, WindowProgram(step(everything), 1000)),
        ("count, avg, min, max, p99", 1_000, WindowProgram(step(everything), 1000)),
        ("the same, WHERE of two comparisons", 10_000, WindowProgram(step(everything, WARM), 1000)),
        (
            "the same and approx_distinct",
            10_000,
            WindowProgram(step(window_query((*NUMBERS, P99, DEVICES))), 1000),
        ),
        ("row query, three columns, WHERE", 10_000, RowProgram(step(RowQuery(columns=columns), WARM))),
    ]
    figures = []
    for what, rows, program in programs:
        batch = batch_of(rows, 1)
        cost = nanoseconds(lambda program=program, batch=batch: program.run(batch)) / rows  # type: ignore[misc]
        figures.append(Figure(f"{what}; batches of {rows:,}", cost, "ns a reading"))
    return figures


def table_of(keys: int, seed: int, states: Sequence[StateSpec]) -> StateTable:
    """Make a table of about this many keys, 40 readings each, of which another seed shares most."""
    dice = np.random.default_rng(seed)
    rows = keys * 40
    labels = TextColumn(
        codes=dice.integers(seed, keys + seed, rows).astype(np.int32),
        dictionary=tuple(f"device-{n:06d}" for n in range(keys + seed)),
    )
    readings = batch_of(rows, seed)
    batch = Batch(rows=rows, time_us=readings.time_us, columns={**readings.columns, "device": labels})
    return WindowProgram(step(window_query(states, "device")), 10**6).run(batch).table


def merge_figures() -> list[Figure]:
    """Time merging; a merged key is one row of one table going into another."""
    figures = []
    for name, states in (("4 numbers", NUMBERS), ("4 numbers, p99", (*NUMBERS, P99))):
        for keys in (10, 1_000, 10_000):
            a, b = table_of(keys, 1, states), table_of(keys, 2, states)
            rate = keys / nanoseconds(lambda a=a, b=b: merge_tables((a, b))) * 1e9  # type: ignore[misc]
            figures.append(Figure(f"merge two tables of {keys:,} keys ({name})", rate, "keys/s"))
        many = [table_of(10, seed, states) for seed in range(1, 33)]
        rate = 310 / nanoseconds(lambda many=many: merge_tables(many)) * 1e9  # type: ignore[misc]
        figures.append(Figure(f"merge 32 tables of 10 keys at once ({name})", rate, "keys/s"))
    table, query = table_of(10_000, 1, (*NUMBERS, P99)), window_query((*NUMBERS, P99), "device")
    rate = table.rows / nanoseconds(lambda: finish(query, table)) * 1e9
    figures.append(Figure("finish 10,000 keys (avg, p99)", rate, "keys/s"))
    return figures


COLUMNS: Final = (Heading("what", "CPU, best of rounds"), Heading("value", ""), Heading("unit", ""))


def main() -> None:
    """Print the table, and write the file."""
    report = Report("engine", flags("engine", __doc__).parse_args())
    report.table("engine", [*reading_figures(), *merge_figures()], COLUMNS)
    report.end()


if __name__ == "__main__":
    main()
