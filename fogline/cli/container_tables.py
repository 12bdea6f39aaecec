"""What people see of containers."""

from collections.abc import Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from fogline.cli import tables
from fogline.cli.markup import escape
from fogline.client.containers import Container, Event, Usage

MIB: Final = 1024**2
_STYLES: Final = {"running": "green", "failed": "red", "quarantined": "red", "backing_off": "yellow"}
_EVENT_STYLES: Final = {"started": "green", "quarantined": "red", "out_of_memory": "red"}


def make_console() -> Console:
    """The console that tables are printed on."""
    return tables.make_console()


def print_containers(containers: Sequence[Container]) -> None:
    """Print a line for each container."""
    table = Table("node", "pipeline", "name", "kind", "runtime", "state", "image", box=SIMPLE_HEAD)
    for name in ("starts", "since (UTC)"):
        table.add_column(name, justify="right")
    for one in containers:
        since = f"{one.since:%m-%d %H:%M:%S}" if one.since else ""
        table.add_row(
            escape(one.node) + ("" if one.node_alive else " [red]silent[/]"),
            escape(one.pipeline),
            escape(_name(one)),
            one.kind,
            one.runtime,
            _state(one),
            escape(_image(one.image)),
            str(one.restarts + 1 if one.id else one.restarts),
            since,
        )
    if table.row_count:
        make_console().print(table)
        print_trouble(containers)
    else:
        make_console().print(
            "no containers: no pipeline has a step with an image, or services, and a node that runs it"
        )


def print_trouble(containers: Sequence[Container]) -> None:
    """Print what is wrong with containers, each fault once."""
    troubled = [one for one in containers if one.fault]
    tables.print_faults(
        (f"{_name(one)} of {one.pipeline or one.plan} on {one.node}", f"{one.state}: {one.fault}")
        for one in troubled
    )


def print_events(events: Sequence[Event]) -> None:
    """Print a line for each event."""
    table = Table("at (UTC)", "node", "pipeline", "name", "event", "detail", box=SIMPLE_HEAD)
    for one in events:
        table.add_row(
            f"{one.at:%m-%d %H:%M:%S}",
            escape(one.node),
            escape(one.pipeline),
            escape(_name(one)),
            f"[{_EVENT_STYLES.get(one.event, 'yellow')}]{escape(one.event)}[/]",
            escape(one.detail),
        )
    if table.row_count:
        make_console().print(table)
    else:
        make_console().print("nothing has happened to containers")


class Rates:
    """CPU from one sample to the next."""

    def __init__(self, *, stale_s: float = 0.0) -> None:
        """``stale_s``: a counter that stands still for less may not have been told anew, in seconds."""
        self._stale_s: Final = stale_s
        self._before: dict[tuple[str, str], tuple[float, float]] = {}
        self._rates: dict[tuple[str, str], float] = {}

    def of(self, usage: Usage, container: Container) -> float | None:
        """Cores that it used since the sample before; None: there was none."""
        if not container.id:
            return None
        place = (usage.node, container.id)
        at, cpu = usage.at.timestamp(), container.cpu_seconds
        before_at, before_cpu = self._before.setdefault(place, (at, cpu))
        if at > before_at and (cpu != before_cpu or at - before_at > self._stale_s):
            self._rates[place] = (cpu - before_cpu) / (at - before_at)
            self._before[place] = (at, cpu)
        return self._rates.get(place)


def usage_table(usages: Sequence[Usage], rates: Rates) -> Table:
    """Make the table of what containers use."""
    table = Table("node", "pipeline", "name", "state", box=SIMPLE_HEAD)
    for name in ("cores", "of node", "memory", "throttled", "starts"):
        table.add_column(name, justify="right", no_wrap=True)
    for usage in usages:
        for one in usage.containers:
            rate = rates.of(usage, one)
            share = (
                f"{100_000 * rate / usage.cpu_millis:.0f} %" if rate is not None and usage.cpu_millis else ""
            )
            table.add_row(
                escape(usage.node),
                escape(one.pipeline),
                escape(_name(one)),
                _state(one),
                "" if rate is None else f"{rate:.2f}",
                share,
                f"{one.memory_bytes / MIB:.1f} MiB" if one.id else "",
                f"{one.throttled_seconds:.1f} s" if one.id else "",
                str(one.restarts + 1 if one.id else one.restarts),
            )
    return table


def _name(one: Container | Event) -> str:
    return f"{one.name}.{one.replica}" if one.kind == "operator" else one.name


def _state(one: Container) -> str:
    return f"[{_STYLES.get(one.state, 'yellow')}]{escape(one.state)}[/]"


def _image(reference: str) -> str:
    name, _, digest = reference.partition("@")
    return f"{name}@{digest[:19]}" if digest else name
