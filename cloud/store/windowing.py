"""What the finishing pass reads and writes of one step: windows, results, how far nodes are. In SQL by hand, for it
runs after every commit (see :mod:`cloud.store.bulk`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from cloud.finish.decision import Patience, Span, Standing, Status
from cloud.store.backend import Backend
from cloud.store.bulk import Put
from cloud.store.rows import key_hash
from fogline.model.clock import NEVER

MAX_WINDOWS: Final = 64
"""Windows looked at in one transaction, so that commits do not wait for long."""

Texts = dict[tuple[int, str], tuple[str, int]]
"""(window start, key) to (outputs, readings)."""

_COLUMNS: Final = (
    'w.start_us, w.end_us, w.opened_us, w."keys", w.touched, w.dirty, w.readings, '
    "w.status, w.have, w.expected, w.missing, w.revision"
)
_OF_STEP: Final = "w.tenant = ? AND w.plan = ? AND w.step = ?"
_DIRTY: Final = (
    f"SELECT {_COLUMNS} FROM windows w WHERE {_OF_STEP} AND w.dirty = 1 "  # noqa: S608 - constants
    f"ORDER BY w.start_us LIMIT {MAX_WINDOWS}"
)
_WAITING: Final = (
    f"SELECT {_COLUMNS} FROM windows w WHERE {_OF_STEP} AND w.settled = 0 "  # noqa: S608 - constants
    f"AND ((w.status = '{Status.OPEN.value}' AND w.end_us <= ? AND w.opened_us <= ?) "
    f"OR (w.end_us > ? AND w.end_us <= ?)) ORDER BY w.end_us LIMIT {MAX_WINDOWS}"
)
_LOCKED: Final = (
    f"SELECT {_COLUMNS} FROM windows w WHERE w.start_us {{among}} AND {_OF_STEP} "  # noqa: S608 - constants
    "ORDER BY w.start_us FOR UPDATE"
)
_NEXT_DUE: Final = (
    "SELECT min(CASE WHEN w.end_us + ? > w.opened_us THEN w.end_us + ? ELSE w.opened_us END) "  # noqa: S608 - constants
    f"FROM windows w WHERE {_OF_STEP} AND w.settled = 0 AND w.status = '{Status.OPEN.value}'"
)
# Beside commits, which lock KEY SHARE; not beside another pass, and not beside retention, which locks UPDATE.
_LOCK_STEP: Final = (
    "SELECT s.step FROM steps s WHERE s.tenant = ? AND s.plan = ? AND s.step = ? FOR NO KEY UPDATE"
)
_STATES: Final = (
    'SELECT s.pane_us, s."key", s.state FROM windows w JOIN states s '  # noqa: S608 - constants
    "ON s.tenant = w.tenant AND s.plan = w.plan AND s.step = w.step AND s.pane_us = w.start_us "
    f"WHERE w.start_us {{among}} AND {_OF_STEP} AND s.touched > w.finished"
)
# The same for PostgreSQL: by the key for each window, whatever it believes of a table that has just grown.
_STATES_LATERAL: Final = (
    'SELECT s.pane_us, s."key", s.state FROM windows w CROSS JOIN LATERAL (SELECT * FROM states '  # noqa: S608 - constants
    "WHERE tenant = w.tenant AND plan = w.plan AND step = w.step AND pane_us = w.start_us "
    f"AND touched > w.finished OFFSET 0) s WHERE w.start_us {{among}} AND {_OF_STEP}"
)
_SHOWN: Final = (
    'SELECT r.start_us, r."key", r.outputs, r.readings FROM results r '
    "WHERE r.start_us {among} AND r.tenant = ? AND r.plan = ? AND r.step = ?"
)
_SETTLE: Final = (
    "WITH given(start_us, finished, readings, changed, status, settled, have, expected, missing, revision) "
    "AS ({given}) UPDATE windows SET finished = given.finished, dirty = 0, readings = given.readings, "
    "changed_us = CASE WHEN given.changed = 1 THEN ? ELSE windows.changed_us END, status = given.status, "
    "settled = given.settled, have = given.have, expected = given.expected, missing = given.missing, "
    "revision = given.revision FROM given WHERE windows.tenant = ? AND windows.plan = ? AND windows.step = ? "
    "AND windows.start_us = given.start_us RETURNING windows.start_us"
)
_TAKE_CHANGES: Final = (
    "UPDATE pipelines SET changes = changes + ? WHERE tenant = ? AND name = ? RETURNING changes"
)
_RESULTS: Final = Put(
    table="results",
    same=("tenant", "plan", "step"),
    columns=("start_us", "key_hash", "key", "outputs", "readings", "change"),
    kinds="ibttii",
    conflict=(
        "ON CONFLICT (tenant, plan, step, start_us, key_hash) DO UPDATE SET outputs = excluded.outputs, "
        "readings = excluded.readings, change = excluded.change"
    ),
)
_PASSED: Final = "SELECT node, passed_us FROM passed WHERE tenant = ? AND plan = ? AND stream = ?"
_PUT_PASSED: Final = Put(
    table="passed",
    same=("tenant", "plan", "stream"),
    columns=("node", "passed_us"),
    kinds="ti",
    conflict=(
        "ON CONFLICT (tenant, plan, stream, node) DO UPDATE SET passed_us = excluded.passed_us "
        "WHERE excluded.passed_us > passed.passed_us"
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A window as the pass finds it."""

    span: Span
    standing: Standing
    opened_us: int
    keys: int
    touched: int
    dirty: bool
    readings: int


class Settled(NamedTuple):
    """What a pass makes of a window."""

    window: Window
    standing: Standing
    readings: int
    changed: bool
    """Whether any of its rows says something new."""


class StepWindows:
    """A step's windows and results, in the caller's transaction."""

    def __init__(
        self, connection: Connection, backend: Backend, name: tuple[str, str, str], stream: str
    ) -> None:
        self._connection = connection
        self._backend = backend
        self._name = name
        self._stream = (*name[:2], stream)

    def lock_step(self) -> None:
        """One pass over a step at a time; commits go on beside it, retention does not."""
        if self._backend.shared:
            self._say(_LOCK_STEP, self._name)

    def dirty(self) -> list[Window]:
        """The first windows that commits have touched since they were finished."""
        return [_window(row) for row in self._say(_DIRTY, self._name)]

    def waiting(self, patience: Patience, now_us: int, passed: tuple[int, int]) -> list[Window]:
        """Unsettled windows that end in the span ``passed`` (its end included), and open ones that have waited long
        enough.
        """
        waited_us = now_us - patience.wait_us
        values = (*self._name, waited_us - patience.disorder_us, waited_us, *passed)
        return [_window(row) for row in self._say(_WAITING, values)]

    def locked(self, windows: Mapping[int, Window]) -> Mapping[int, Window]:
        """The windows as they are once no commit is writing into them any more, nor can before this one ends."""
        if not self._backend.shared:
            return windows
        rows = map(_window, self._ask(_LOCKED, sorted(windows)))
        return {window.span.start_us: window for window in rows}

    def next_due_us(self, patience: Patience) -> int | None:
        """When the next open window has waited long enough."""
        values = (patience.disorder_us, patience.disorder_us, *self._name)
        first = self._say(_NEXT_DUE, values)[0][0]
        return None if first is None else int(first) + patience.wait_us

    def states(self, starts: Sequence[int]) -> Sequence[Any]:
        """(pane, key, state) of the rows that commits have touched since their window was finished."""
        return self._ask(_STATES_LATERAL if self._backend.shared else _STATES, starts)

    def shown(self, starts: Sequence[int]) -> Texts:
        """What the results of these windows say."""
        if not starts:
            return {}
        rows = self._ask(_SHOWN, starts)
        return {(start, key): (outputs, readings) for start, key, outputs, readings in rows}

    def settle(self, windows: Iterable[Settled], now_us: int) -> None:
        """Write what became of windows."""
        rows = [
            (
                window.span.start_us,
                window.touched,
                readings,
                int(changed),
                standing.status.value,
                int(standing.settled),
                standing.have,
                standing.expected,
                json.dumps(standing.missing),
                standing.revision,
            )
            for window, standing, readings, changed in windows
        ]
        if rows:
            columns = list(zip(*rows, strict=True))
            values = (now_us, *self._name)
            self._backend.bulk.ask(self._connection, _SETTLE, "iiiitiiiti", columns, values)

    def write_results(self, pipeline: str, rows: Texts) -> None:
        """Write results, each with the number of its change: the pipeline's next ones."""
        if not rows:
            return
        last = self._say(_TAKE_CHANGES, (len(rows), self._name[0], pipeline))[0][0]
        values = [
            (start, key_hash(key), key, outputs, readings, change)
            for change, ((start, key), (outputs, readings)) in enumerate(
                sorted(rows.items()), last - len(rows) + 1
            )
        ]
        self._backend.bulk.put(self._connection, _RESULTS, self._name, list(zip(*values, strict=True)))

    def keep_passed(self, known: Mapping[str, int], *, write: bool) -> dict[str, int]:
        """How far nodes were ever believed to be on the stream, ``known`` included; it never goes back.

        With ``write`` what is new is kept.
        """
        passed: dict[str, int] = dict(self._say(_PASSED, self._stream))
        further = {
            node: passed_us
            for node, passed_us in sorted(known.items())
            if passed_us != NEVER and passed_us > passed.get(node, NEVER)
        }
        if further and write:
            columns = (list(further), list(further.values()))
            self._backend.bulk.put(self._connection, _PUT_PASSED, self._stream, columns)
        return {**known, **passed, **further}

    def _say(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        return self._backend.bulk.say(self._connection, statement, values)

    def _ask(self, statement: str, starts: Sequence[int]) -> Sequence[Any]:
        return self._backend.bulk.ask(self._connection, statement, "i", (starts,), self._name)


def _window(row: Any) -> Window:
    start_us, end_us, opened_us, keys, touched, dirty, readings, status, have, expected, missing, revision = (
        row
    )
    return Window(
        span=Span(start_us=start_us, end_us=end_us),
        standing=Standing(
            status=Status(status),
            have=have,
            expected=expected,
            missing=tuple(json.loads(missing)),
            revision=revision,
        ),
        opened_us=opened_us,
        keys=keys,
        touched=touched,
        dirty=bool(dirty),
        readings=readings,
    )
