"""The finishing pass over one step of one plan, inside one writing transaction: states in, results out."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

from sqlalchemy import Connection

from cloud.finish.decision import Assignment, Patience, Standing, decide, expected_nodes, waited_for
from cloud.store.backend import Backend
from cloud.store.reading import Reading
from cloud.store.rows import Layout, key_from_text, key_text, rows_from_bytes
from cloud.store.windowing import MAX_WINDOWS, Settled, StepWindows, Texts, Window
from fogline.engine.finish import finish
from fogline.model.clock import NEVER
from fogline.model.plan import Scalar, WindowQuery

MAX_KEYS: Final = 5_000
"""Keys of the windows of one transaction together; one window is always looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepToFinish:
    """A window step and what is known of its nodes."""

    tenant: str
    plan: str
    pipeline: str
    layout: Layout
    query: WindowQuery
    patience: Patience
    assignments: tuple[Assignment, ...]
    passed: Mapping[str, int]
    """How far each node is on the step's stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Windows that are not settled and end in (after_us, upto_us] are to be looked at: a node's watermark
    passed them.
    """

    after_us: int
    upto_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOutcome:
    """What one transaction of the pass did."""

    windows: int
    changes: int
    upto_us: int
    """Where to go on: windows that end at or before this and were only waiting are done."""
    more: bool
    due_us: int | None
    """When the next open window has waited long enough."""


class StepPass:
    """Looks at windows that changed or may now be called complete or partial, and writes what is new."""

    def __init__(self, connection: Connection, backend: Backend, step: StepToFinish, now_us: int) -> None:
        self._connection = connection
        self._step = step
        self._now_us = now_us
        name = (step.tenant, step.plan, step.layout.step)
        self._windows = StepWindows(connection, backend, name, step.layout.stream)

    def run(self, moved: Moved | None) -> PassOutcome:
        """One bounded helping."""
        self._windows.lock_step()
        self._step = step = self._now(write=moved is not None)
        span = (0, 0) if moved is None else (moved.after_us, moved.upto_us)
        all_dirty = self._windows.dirty()
        all_waiting = self._windows.waiting(step.patience, self._now_us, span)
        dirty, waiting = _helping(all_dirty), _helping(all_waiting)
        windows = {window.span.start_us: window for window in (*waiting, *dirty)}
        changes = self._finish(windows) if windows else 0
        some_wait = len(all_waiting) == MAX_WINDOWS or len(waiting) < len(all_waiting)
        some_dirty = len(all_dirty) == MAX_WINDOWS or len(dirty) < len(all_dirty)
        return PassOutcome(
            windows=len(windows),
            changes=changes,
            upto_us=waiting[-1].span.end_us if some_wait else NEVER,
            more=some_dirty or some_wait,
            due_us=self._windows.next_due_us(step.patience),
        )

    def _now(self, *, write: bool) -> StepToFinish:
        """The step as this transaction sees it: another process may have said more since the caller looked, and a
        pass with an older view would take it back.
        """
        step = self._step
        passed = self._windows.keep_passed(step.passed, write=write)
        assignments = Reading(self._connection).assignments(step.tenant, step.plan)
        return replace(step, assignments=assignments, passed=passed)

    def _finish(self, chosen: Mapping[int, Window]) -> int:
        windows = self._windows.locked(chosen)
        fresh = self._fresh([w.span.start_us for w in windows.values() if w.dirty])
        standings = {
            start: self._decided(window, changed=start in fresh.changed) for start, window in windows.items()
        }
        renamed = [start for start, w in windows.items() if _says_more(w.standing, standings[start])]
        restamped = self._windows.shown(renamed)
        changed = set(renamed) | fresh.changed
        self._windows.settle(
            (
                Settled(
                    window, standings[start], fresh.readings.get(start, window.readings), start in changed
                )
                for start, window in sorted(windows.items())
                if window.dirty or standings[start] != window.standing
            ),
            self._now_us,
        )
        rows = restamped | fresh.rows
        self._windows.write_results(self._step.pipeline, rows)
        return len(rows)

    def _decided(self, window: Window, *, changed: bool) -> Standing:
        return decide(
            window.standing,
            window.span,
            expected=expected_nodes(self._step.assignments, window.span),
            passed=self._step.passed,
            changed=changed,
            waited=waited_for(window.span, window.opened_us, self._step.patience, self._now_us),
        )

    def _fresh(self, starts: Sequence[int]) -> "_Fresh":
        """Finish the rows that commits have touched since, and keep those whose result is a new one."""
        read = self._windows.states(starts) if starts else ()
        if not read:
            return _Fresh(rows={}, readings={})
        panes, keys, states = zip(*read, strict=True)
        table = rows_from_bytes(self._step.layout, panes, [key_from_text(key) for key in keys], states)
        shown = self._windows.shown(starts)
        rows: Texts = {}
        for row in finish(self._step.query, table):
            at = (row.pane_start, key_text(row.key))
            said = (_outputs(row.values), row.readings)
            if shown.get(at) != said:
                rows[at] = said
        readings = dict.fromkeys((start for start, _ in rows), 0)
        for (start, _), (_, count) in (shown | rows).items():
            if start in readings:
                readings[start] += count
        return _Fresh(rows=rows, readings=readings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fresh:
    rows: Texts
    """Rows that say something new."""
    readings: Mapping[int, int]
    """Readings of all keys, of the windows with such rows."""

    @property
    def changed(self) -> set[int]:
        """Starts of the windows with such rows."""
        return set(self.readings)


def _helping(windows: Sequence[Window]) -> Sequence[Window]:
    """As many as one transaction takes, the first at least."""
    totals = accumulate(window.keys for window in windows)
    return [
        window
        for at, (window, total) in enumerate(zip(windows, totals, strict=True))
        if not at or total <= MAX_KEYS
    ]


def _says_more(before: Standing, after: Standing) -> bool:
    """Whether every row of the window is told anew. How many have passed an open window is not worth that."""
    return before != after and (before.status, before.revision) != (after.status, after.revision)


def _outputs(values: Iterable[Scalar]) -> str:
    return json.dumps(list(values), ensure_ascii=True, separators=(",", ":"))
