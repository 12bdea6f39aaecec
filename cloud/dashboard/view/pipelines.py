"""Pipelines, and one pipeline's windows."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from cloud.dashboard.live.snapshot import Snapshot
from cloud.dashboard.live.topics import LatestTopic
from cloud.dashboard.view.links import pipeline_link
from cloud.dashboard.view.table import Column, table
from cloud.dashboard.view.windows import window_json
from fogline.client.values import Pipeline, Result, WindowStatus
from fogline.model.clock import SECOND, from_datetime
from fogline.model.plan import Scalar

WINDOWS: Final = 60
KEYS: Final = 10
LISTED: Final = 12
"""Windows that are listed one by one."""
NONE_YET: Final = "No pipeline yet. Deploy one with `fogline deploy FILE`."

_COLUMNS: Final = (
    Column("Pipeline", "link"),
    Column("Window steps", "list"),
    Column("Public plan", "mono"),
    Column("Also running", "mono"),
    Column("Deployed", "clock"),
)


def pipelines(snapshot: Snapshot) -> dict[str, Any]:
    """Every pipeline."""
    status = snapshot.status
    rows = [
        [
            [each.name, pipeline_link(each.name)],
            each.steps,
            each.plan,
            ", ".join(plan for plan in each.running if plan != each.plan),
            from_datetime(each.deployed),
        ]
        for each in (status.pipelines if status else ())
    ]
    return table(_COLUMNS, rows, empty=NONE_YET if status else "Not known yet.")


def known(snapshot: Snapshot, name: str) -> Pipeline | None:
    """The pipeline of this name."""
    pipelines = snapshot.status.pipelines if snapshot.status else ()
    return next((each for each in pipelines if each.name == name), None)


def operators(snapshot: Snapshot, name: str) -> dict[str, Any]:
    """How a pipeline's operator steps go, over all nodes that are there."""
    pipeline = known(snapshot, name)
    running = pipeline.running if pipeline else ()
    columns = (
        Column("Operator"),
        Column("Plan", "mono"),
        Column("Nodes", "exact"),
        Column("Rows in", "number"),
        Column("Rows out", "number"),
        Column("Busy", "span"),
        Column("Waiting batches", "exact"),
        Column("Replays", "exact"),
        Column("Messages given up", "exact"),
    )
    rows = [
        [
            each.step,
            each.plan,
            each.nodes,
            each.rows_in,
            each.rows_out,
            round(each.busy_seconds * SECOND),
            each.queued,
            each.replays,
            each.quarantined_messages,
        ]
        for each in (snapshot.status.operators if snapshot.status else ())
        if each.plan in running
    ]
    return table(columns, rows, empty="No node has reported of an operator yet.")


def topic(pipeline: str, step: str) -> LatestTopic:
    """What a step's charts need."""
    return LatestTopic(pipeline, step, WINDOWS, KEYS)


def charts(snapshot: Snapshot, pipeline: str, step: str) -> dict[str, Any]:
    """A step's newest windows: their completeness, and the values of the keys with most readings."""
    latest = snapshot.of(topic(pipeline, step))
    windows = latest.windows if latest else ()
    results = latest.results if latest else ()
    starts = [from_datetime(window.start) for window in windows]
    return {
        "label": f"{len(windows)} newest windows of {pipeline}, {step}",
        "windows": [window_json(window) for window in windows],
        "outputs": _numbers(results),
        "series": _series(results, starts),
    }


def rows(snapshot: Snapshot, pipeline: str, step: str) -> dict[str, Any]:
    """The rows of a step's newest closed window, or of the open one if none is closed."""
    latest = snapshot.of(topic(pipeline, step))
    results = latest.results if latest else ()
    closed = [each for each in results if each.status is not WindowStatus.OPEN]
    newest = max((each.window_start for each in closed or results), default=None)
    shown = [each for each in results if each.window_start == newest]
    keys, outputs = (list(shown[0].key), list(shown[0].values)) if shown else ([], [])
    columns = [
        Column("Window", "clock"),
        *(Column(name, "value") for name in keys),
        *(Column(name, "value") for name in outputs),
        Column("Readings", "exact"),
        Column("Status", "badge"),
    ]
    cells = [
        [
            from_datetime(each.window_start),
            *(_said(each.key[name]) for name in keys),
            *each.values.values(),
            each.readings,
            [each.status.value, each.status.value],
        ]
        for each in shown
    ]
    return table(columns if shown else [], cells, empty="No window has any row yet.")


def listed(snapshot: Snapshot, pipeline: str, step: str) -> dict[str, Any]:
    """The newest windows one by one: how complete each is, and who is missing."""
    latest = snapshot.of(topic(pipeline, step))
    columns = (
        Column("Window", "clock"),
        Column("Status", "badge"),
        Column("Nodes"),
        Column("Waiting for", "list"),
        Column("Revision", "exact"),
        Column("Keys", "exact"),
        Column("Readings", "exact"),
    )
    cells = [
        [
            from_datetime(window.start),
            [window.status.value, window.status.value],
            f"{window.have} of {window.expected}",
            () if window.status is WindowStatus.OPEN else window.missing[:LISTED],
            window.revision,
            window.keys,
            window.readings,
        ]
        for window in reversed(latest.windows[-LISTED:] if latest else ())
    ]
    return table(columns, cells, empty="No window yet: the first opens with the first reading.")


def _said(name: str | None) -> str:
    return "null" if name is None else name


def _numbers(results: Iterable[Result]) -> list[str]:
    """Outputs that can be charted, those with fractions first: averages say more than counts."""
    kinds: dict[str, set[type]] = {}
    for result in results:
        for name, value in result.values.items():
            kinds.setdefault(name, set()).add(type(value))
    fractions = [name for name, found in kinds.items() if float in found]
    return fractions + [name for name, found in kinds.items() if int in found and float not in found]


def _series(results: Sequence[Result], starts: Sequence[int]) -> list[dict[str, Any]]:
    """For each key its numbers in each window; null where the key has no row."""
    place = {start: at for at, start in enumerate(starts)}
    series: dict[tuple[str | None, ...], dict[str, list[Scalar]]] = {}
    for result in results:
        at = place.get(from_datetime(result.window_start))
        if at is None:
            continue
        lines = series.setdefault(tuple(result.key.values()), {})
        for name, value in result.values.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                lines.setdefault(name, [None] * len(starts))[at] = value
    return [
        {"name": " · ".join(_said(part) for part in key) or "all", "values": list(lines.items())}
        for key, lines in series.items()
    ]
