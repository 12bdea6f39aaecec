"""What people see: tables."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from fogline.cli.markup import escape
from fogline.client.accounts import Ledger
from fogline.client.installation import Status
from fogline.client.values import Result, WindowStatus
from fogline.model.plan import Scalar

_FILE_WIDTH = 160
_WIDTHS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
STATUS_STYLES = {
    WindowStatus.OPEN: "dim",
    WindowStatus.COMPLETE: "green",
    WindowStatus.PARTIAL: "yellow",
    WindowStatus.REVISED: "cyan",
}


def make_console() -> Console:
    """Make a console that is as wide as its terminal; a file has room for a row on one line."""
    console = Console()
    return console if console.is_terminal else Console(width=_FILE_WIDTH)


def print_results(found: Iterable[Result]) -> None:
    """Print a table for each step, the windows in the order in which they come."""
    steps: dict[str, list[Result]] = {}
    for result in found:
        steps.setdefault(result.step, []).append(result)
    console = make_console()
    if not steps:
        console.print("no results yet; `fogline status` shows whether the pipeline runs and readings arrive")
    for step, rows in steps.items():
        console.print(results_table(rows, title=f"{rows[0].pipeline} · {step}"))


def results_table(rows: Sequence[Result], *, title: str = "") -> Table:
    """Make the table of one step's results."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("window (UTC)", no_wrap=True)
    for name in rows[0].key:
        table.add_column(name, style="bold", no_wrap=True)
    for name in rows[0].values:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for row in rows:
        table.add_row(
            _window(row),
            *(_text(v) for v in row.key.values()),
            *(_text(v) for v in row.values.values()),
            completeness(row),
            style=STATUS_STYLES[row.status] if row.status is WindowStatus.OPEN else "",
        )
    return table


def follow_results(found: Iterable[Result]) -> None:
    """Print each change on a line of its own, as it comes."""
    console = make_console()
    for row in found:
        key = " ".join(f"{name}={_text(v)}" for name, v in row.key.items())
        values = "  ".join(f"{name} [bold]{_text(v)}[/]" for name, v in row.values.items())
        console.print(
            f"{_window(row)}  {row.step}  [cyan]{key}[/]  {values}  {completeness(row)}", soft_wrap=True
        )


def completeness(row: Result) -> str:
    """Say how complete a result is, with who is missing."""
    words = row.status.value
    if row.status is WindowStatus.PARTIAL:
        words += f" {row.have} of {row.expected}, without {', '.join(row.missing)}"
    if row.revision:
        words += f" r{row.revision}"
    return f"[{STATUS_STYLES[row.status]}]{words}[/]"


def print_status(status: Status) -> None:
    """Print tiers and pipelines."""
    console = make_console()
    console.print(
        f"Fogline {status.version} · {status.readings:,} readings counted · generation {status.generation}"
    )
    tiers = Table("tier", "name", "health", "parent", "does", "seen", box=SIMPLE_HEAD)
    for a in status.aggregators:
        does = f"{len(a.children)} children, {a.parts_in:,} parts in, {a.parts_out:,} out"
        tiers.add_row(
            "aggregator",
            escape(a.name),
            health(a.alive, a.faults),
            escape(a.parent),
            does,
            _ago(status.at, a.seen),
        )
    for n in status.nodes:
        does = f"{escape(n.listener)}, {n.clients} devices, {n.pending:,} messages pending"
        tiers.add_row(
            "node", escape(n.name), health(n.alive, n.faults), escape(n.parent), does, _ago(status.at, n.seen)
        )
    console.print(tiers if tiers.row_count else "no node and no aggregator has reported yet")
    print_faults((a.name, fault) for a in status.aggregators for fault in a.faults)
    print_faults((n.name, fault) for n in status.nodes for fault in n.faults)
    pipelines = Table("pipeline", "plan", "window steps", "deployed", box=SIMPLE_HEAD)
    for p in status.pipelines:
        pipelines.add_row(p.name, p.plan, ", ".join(p.steps), f"{p.deployed:%Y-%m-%d %H:%M:%SZ}")
    console.print(pipelines if pipelines.row_count else "no pipeline yet; `fogline deploy FILE` deploys one")
    if status.operators:
        console.print(_operators(status))


def _operators(status: Status) -> Table:
    """How operator steps go, over all nodes."""
    names = {plan: pipeline.name for pipeline in status.pipelines for plan in pipeline.running}
    table = Table("pipeline", "operator", box=SIMPLE_HEAD)
    for name in ("nodes", "rows in", "rows out", "waiting batches", "replays", "messages given up"):
        table.add_column(name, justify="right")
    for each in status.operators:
        counts = (
            each.nodes,
            each.rows_in,
            each.rows_out,
            each.queued,
            each.replays,
            each.quarantined_messages,
        )
        table.add_row(
            escape(names.get(each.plan, each.plan)), escape(each.step), *(f"{count:,}" for count in counts)
        )
    return table


def print_ledger(found: Ledger) -> None:
    """Print each stream's equations, and what brokers lost before them."""
    console = make_console()
    if not found:
        console.print("nothing to account for yet")
    for s in found:
        holds = "[green]adds up[/]" if s.adds_up else f"[red]does not add up: {'; '.join(s.differences)}[/]"
        console.print(f"[bold]{s.pipeline} · {s.stream}[/] (plan {s.plan}): {holds}")
        refused = _reasons("refused", s.refused)
        console.print(f"  messages  received {s.received:,} = journaled {s.journaled:,} + {refused}")
        console.print(
            f"            journaled {s.journaled:,} = committed {s.committed:,} + pending {s.pending:,}"
            f" + before start {s.before_start:,} + {_reasons('gap', s.gap)}"
        )
        for step in s.steps:
            made = f" + made by operators {step.made:,}" if step.made else ""
            console.print(
                f"  {step.step}  readings decoded {step.decoded:,}{made} = counted {step.counted:,}"
                f" + filtered {step.filtered:,} + {_reasons('dead', step.dead)}"
                f" + {_reasons('too late', step.too_late)}"
            )
    for b in found.brokers:
        lost = "does not say what it dropped" if b.dropped is None else f"dropped {b.dropped:,} messages"
        console.print(f"broker {escape(b.url)} as {escape(b.node)} sees it: {lost}")


def _reasons(word: str, reasons: Mapping[str, int]) -> str:
    detail = ", ".join(f"{reason} {n:,}" for reason, n in sorted(reasons.items()) if n)
    return f"{word} {sum(reasons.values()):,}" + (f" ({detail})" if detail else "")


def health(alive: bool, faults: Sequence[str] = ()) -> str:  # noqa: FBT001 -- a cell's value
    """Say how a tier is, in a word or two; :func:`print_faults` says what is wrong."""
    count = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
    if not alive:
        return f"[red]silent[/], [yellow]{count}[/]" if faults else "[red]silent[/]"
    return f"[yellow]{count}[/]" if faults else "[green]well[/]"


def print_faults(named: Iterable[tuple[str, str]]) -> None:
    """Print each fault once, with who has it; it has the whole width of the screen."""
    who: dict[str, list[str]] = {}
    for name, fault in named:
        who.setdefault(fault, []).append(name)
    console = make_console()
    for fault, names in who.items():
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        console.print(f"[yellow]{escape(shown)}[/]: {escape(fault)}", highlight=False)


def _ago(now: datetime, then: datetime) -> str:
    return f"{max(0.0, (now - then).total_seconds()):.0f} s ago"


def _window(row: Result) -> str:
    width = (row.window_end - row.window_start).total_seconds()
    unit, size = next((u, s) for u, s in _WIDTHS if width % s == 0 or s == 1)
    return f"{row.window_start:%Y-%m-%d %H:%M:%S} +{width / size:g}{unit}"


def _text(value: Scalar) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.6g}"
        case _:
            return escape(value)
