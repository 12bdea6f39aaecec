"""``fogline replay`` from the check of the file to the last acknowledgement."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fogline.cli import shapes
from fogline.cli.access import NOTHING, Access
from fogline.cli.exits import reported
from fogline.cli.replay.messages import Payload, Split, Topic
from fogline.cli.replay.table import Row, Table
from fogline.cli.replay.target import Target
from fogline.cli.replay.times import USUAL_COLUMNS, Unit, detect_unit, shifted, to_us, whole
from fogline.model.clock import SECOND, SystemClock, to_rfc3339
from fogline.model.errors import FogError, InvalidInput

_STEP: Final = 256
"""Rows between two movements of the progress bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for on the command line."""

    file: Path
    to: Sequence[str]
    topic: str
    shift: bool
    """Move all times so that the latest row becomes now."""
    time_column: str | None
    time_unit: Unit | None
    speed: float | None
    """Times real time; None: as fast as acknowledged."""
    split: str | None
    as_json: bool
    access: Access = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeColumn:
    """Where a row's time stands, and in which unit."""

    index: int
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a first pass over the file found; nothing has been sent yet."""

    rows: int
    first_us: int | None
    """Time of the first row; None without a time column."""
    latest_us: int | None


def replay(request: Request) -> None:
    """Publish every row of a file and wait until each is acknowledged."""
    with reported():
        table = Table.open(request.file)
        topic = Topic(request.topic, table)
        split = Split(request.split, len(request.to), table)
        clock = find_time(table, request)
        found = survey(table, topic, clock)
        shift_us = _shift(request, found, clock)
        targets = [Target(url, request.access) for url in request.to]
        started = time.monotonic()
        with ExitStack() as stack:
            for target in targets:
                stack.callback(target.close)
                target.connect()
            advance = stack.enter_context(_progress(found.rows))
            payload = Payload(table.columns)
            for number, row in enumerate(_paced(table.rows(), found, clock, request.speed), start=1):
                targets[split.of(row)].publish(topic.of(row), payload.of(_moved(row.cells, clock, shift_us)))
                if number % _STEP == 0:
                    advance(_STEP)
            advance(found.rows % _STEP)
            for target in targets:
                target.finish()
        _summarise(request, found, targets, shift_us, time.monotonic() - started)


def find_time(table: Table, request: Request) -> TimeColumn | None:
    """Find the column of times, if one is needed. Raises :class:`InvalidInput` if there is none."""
    needed = request.shift or request.speed is not None
    column = request.time_column or next((c for c in USUAL_COLUMNS if c in table.columns), None)
    if column is None and needed:
        raise InvalidInput(
            f"which column of {table.path} holds the time?",
            hint=f"--time-column NAME says so; it has {', '.join(table.columns)}",
        )
    if column is None or not needed:
        return None
    index = table.index(column, of="--time-column")
    first = next(table.rows(), None)
    if request.time_unit is not None or first is None:
        return TimeColumn(index=index, unit=request.time_unit or "iso")
    try:
        return TimeColumn(index=index, unit=detect_unit(first.cells[index]))
    except ValueError:
        raise InvalidInput(
            f"{table.path}:{first.line}: {first.cells[index]!r} in column {column} is no time",
            hint="--time-column names another column, --time-unit its unit: s, ms, us, ns or iso",
        ) from None


def survey(table: Table, topic: Topic, clock: TimeColumn | None) -> Survey:
    """Read the file once. Raises :class:`InvalidInput` at the first row that could not be sent."""
    rows, first, latest = 0, None, None
    for row in table.rows():
        rows += 1
        topic.of(row)
        if clock is not None:
            instant = _time_of(table, row, clock)
            first = instant if first is None else first
            latest = instant if latest is None else max(latest, instant)
    if rows == 0:
        raise InvalidInput(f"{table.path} has no rows below its first line")
    return Survey(rows=rows, first_us=first, latest_us=latest)


def _time_of(table: Table, row: Row, clock: TimeColumn) -> int:
    try:
        return to_us(row.cells[clock.index], clock.unit)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            f"{table.path}:{row.line}: {table.columns[clock.index]}: {error}",
            hint="mend or remove the line; nothing was sent",
        ) from None


def _paced(
    rows: Iterator[Row], found: Survey, clock: TimeColumn | None, speed: float | None
) -> Iterator[Row]:
    """Yield each row when it is due."""
    started = time.monotonic()
    for row in rows:
        if speed is not None and clock is not None and found.first_us is not None:
            due = (to_us(row.cells[clock.index], clock.unit) - found.first_us) / SECOND / speed
            time.sleep(max(0.0, started + due - time.monotonic()))
        yield row


def _shift(request: Request, found: Survey, clock: TimeColumn | None) -> int:
    if not request.shift or clock is None or found.latest_us is None:
        return 0
    return whole(SystemClock().now_us() - found.latest_us, clock.unit)


def _moved(cells: list[str], clock: TimeColumn | None, by_us: int) -> list[str]:
    if clock is None or not by_us:
        return cells
    moved = shifted(cells[clock.index], clock.unit, by_us)
    return [*cells[: clock.index], moved, *cells[clock.index + 1 :]]


@contextmanager
def _progress(rows: int) -> Iterator[Any]:
    columns = (
        TextColumn("replaying"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("replay", total=rows)
        yield lambda rows: bar.advance(task, rows)


def _summarise(
    request: Request, found: Survey, targets: Sequence[Target], shift_us: int, seconds: float
) -> None:
    refused: dict[str, int] = {}
    for target in targets:
        for reason, rows in target.refused.items():
            refused[reason] = refused.get(reason, 0) + rows
    if request.as_json:
        shape = {
            "rows": found.rows,
            "acknowledged": found.rows - sum(refused.values()),
            "refused": refused,
            "shift_us": shift_us,
            "targets": {target.url: target.acknowledged for target in targets},
            "seconds": round(seconds, 3),
        }
        sys.stdout.write(shapes.line(shape))
    else:
        rate = found.rows / seconds if seconds else 0.0
        moved = f", times moved by {shift_us / SECOND:+,.6f} s" if shift_us else ""
        latest = f", the latest is {to_rfc3339(found.latest_us + shift_us)}" if found.latest_us else ""
        sys.stdout.write(f"{found.rows:,} rows in {seconds:.1f} s, {rate:,.0f} a second{moved}{latest}\n")
    if refused:
        raise FogError(
            f"refused: {', '.join(f'{rows:,} rows ({reason})' for reason, rows in refused.items())}",
            hint="the server's log says why; is there a pipeline with a stream of this topic?",
        )
