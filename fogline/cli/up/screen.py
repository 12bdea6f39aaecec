"""What the person at the terminal sees while an ``up`` runs: where everything is, and live results."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live

from fogline.cli import tables
from fogline.cli.up.tiers import CLOUD, DASHBOARD, REST, Tiers
from fogline.client.client import Client
from fogline.client.values import Result, WindowStatus
from fogline.model.clock import SystemClock, to_datetime
from fogline.model.errors import FogError

_EVERY: Final = 1.0
_SHOWN: Final = timedelta(minutes=1)
"""How far back the screen looks."""
_ROWS: Final = 24


async def show(client: Client, pipelines: tuple[str, ...], tiers: Tiers, *, link: str) -> None:
    """Show live results until cancelled: a screen that changes on a terminal, else a line for each result.

    ``link`` signs a browser in at the dashboard, once.
    """
    console = tables.make_console()
    console.print(greeting(tiers, link))
    if not pipelines:
        await asyncio.Event().wait()
    if console.is_terminal:
        await _show_live(console, client, pipelines)
    else:
        await _print_closed(client, pipelines)


def greeting(tiers: Tiers, link: str) -> str:
    """Say where everything is."""
    opens = ("                   opens once; `fogline dashboard link` prints another",) if link else ()
    broker = () if tiers.broker is None else (f"  nodes read from  {tiers.broker}",)
    return "\n".join(
        (
            "[bold green]Fogline is up.[/]  Ctrl-C stops it; the next `fogline up` goes on.",
            f"  dashboard        {link or f'http://{tiers.address(DASHBOARD)}/'}",
            *opens,
            f"  devices publish  {'  '.join(tiers.listeners)}",
            *broker,
            f"  SDK and CLI      {tiers.address(CLOUD)}",
            f"  HTTP API         http://{tiers.address(REST)}/v1",
            f"  API token        in {tiers.token}, which only you can read",
        )
    )


async def _show_live(console: Console, client: Client, pipelines: tuple[str, ...]) -> None:
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            live.update(_screen(await _recent(client, pipelines)), refresh=True)
            await asyncio.sleep(_EVERY)


async def _print_closed(client: Client, pipelines: tuple[str, ...]) -> None:
    printed: dict[tuple[object, ...], int] = {}
    while True:
        closed = [r for r in await _recent(client, pipelines) if r.status is not WindowStatus.OPEN]
        tables.follow_results(r for r in closed if printed.get(_name(r), -1) < r.change)
        printed = {_name(r): r.change for r in closed}
        await asyncio.sleep(_EVERY)


async def _recent(client: Client, pipelines: tuple[str, ...]) -> list[Result]:
    since = to_datetime(SystemClock().now_us()) - _SHOWN
    found: list[Result] = []
    for pipeline in pipelines:
        try:
            found += await asyncio.to_thread(_read, client, pipeline, since)
        except FogError:
            continue  # most likely the cloud is being started again; what runs is not ended for a look at it
    return found


def _read(client: Client, pipeline: str, since: datetime) -> list[Result]:
    return list(client.results(pipeline, since=since))


def _screen(found: list[Result]) -> RenderableType:
    newest: dict[tuple[str, str], list[Result]] = {}
    for result in newest_windows(found):
        newest.setdefault((result.pipeline, result.step), []).append(result)
    if not newest:
        return "waiting for the first window …"
    return Group(
        *(
            tables.results_table(sorted(rows, key=_key_order)[:_ROWS], title=f"{pipeline} · {step}")
            for (pipeline, step), rows in newest.items()
        )
    )


def newest_windows(found: Iterable[Result]) -> Iterable[Result]:
    """Keep of each key the newest window that is closed, or the open one if none is."""
    best: dict[tuple[object, ...], Result] = {}
    for result in found:
        place = (result.pipeline, result.step, *result.key.values())
        before = best.get(place)
        if before is None or _rank(result) >= _rank(before):
            best[place] = result
    return best.values()


def _rank(result: Result) -> tuple[bool, object]:
    return result.status is not WindowStatus.OPEN, result.window_start


def _name(result: Result) -> tuple[object, ...]:
    return (result.pipeline, result.step, result.window_start, *result.key.values())


def _key_order(result: Result) -> tuple[str, ...]:
    return tuple(v or "" for v in result.key.values())
