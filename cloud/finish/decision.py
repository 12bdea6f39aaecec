"""What a window's result may call itself: decided here from watermarks, assignments and a clock, without I/O.

open ── every expected node has passed it ──→ complete ─┐
  └──── waited long enough, some are missing ──→ partial ─┴─ anything changes ──→ revised (1, 2, 3 …)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from fogline.model.clock import NEVER


class Status(Enum):
    """What a result says of itself."""

    OPEN = "open"
    COMPLETE = "complete"
    PARTIAL = "partial"
    REVISED = "revised"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMark:
    """How far some of a node's origins are: the least watermark of its open ones, or the greatest of its
    closed ones.
    """

    node: str
    closed: bool
    least_us: int
    greatest_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A node was to run the plan for windows that overlap ``from_us`` or come after it."""

    node: str
    from_us: int
    to_us: int | None = None
    """Only for windows that end at or before this; None: still assigned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A window: ``start_us`` is inside, ``end_us`` is not."""

    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a window's results say about themselves."""

    status: Status = Status.OPEN
    have: int = 0
    expected: int = 0
    missing: tuple[str, ...] = ()
    revision: int = 0

    @property
    def settled(self) -> bool:
        """Whether no later watermark can change it."""
        return self.status is not Status.OPEN and not self.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a plan waits for nodes, and keeps what may still be revised. Microseconds."""

    disorder_us: int
    wait_us: int
    keep_us: int
    """-1: for ever."""


def watermarks(marks: Iterable[NodeMark]) -> dict[str, int]:
    """How far each node is: the least of its open origins; with none open, the greatest of its closed ones.

    A closed origin holds nothing back: its journal ends there, and what it had is committed.
    """
    open_: dict[str, int] = {}
    closed: dict[str, int] = {}
    for mark in marks:
        if mark.closed:
            closed[mark.node] = max(closed.get(mark.node, NEVER), mark.greatest_us)
        else:
            open_[mark.node] = min(open_.get(mark.node, mark.least_us), mark.least_us)
    return closed | open_


def expected_nodes(assignments: Iterable[Assignment], window: Span) -> frozenset[str]:
    """The nodes whose assignment covers the window."""
    return frozenset(
        a.node
        for a in assignments
        if a.from_us < window.end_us and (a.to_us is None or window.end_us <= a.to_us)
    )


def decide(
    before: Standing,
    window: Span,
    *,
    expected: frozenset[str],
    passed: Mapping[str, int],
    changed: bool,
    waited: bool,
) -> Standing:
    """The window's next standing. ``changed``: its values differ from what was said; ``waited``: nobody is
    waited for.
    """
    missing = tuple(sorted(node for node in expected if passed.get(node, NEVER) < window.end_us))
    have = len(expected) - len(missing)
    status, revision = before.status, before.revision
    if status is Status.OPEN:
        if not missing and (expected or waited):
            status = Status.COMPLETE
        elif waited:
            status = Status.PARTIAL
    elif changed or (before.have, before.expected, before.missing) != (have, len(expected), missing):
        status, revision = Status.REVISED, revision + 1
    return Standing(status=status, have=have, expected=len(expected), missing=missing, revision=revision)


def waited_for(window: Span, opened_us: int, patience: Patience, now_us: int) -> bool:
    """Whether the wait for missing nodes is over.

    It begins when the window could have ended, or with its first state if that came later: a node that
    sends what it kept through an outage gets the same time for each window.
    """
    return now_us >= max(window.end_us + patience.disorder_us, opened_us) + patience.wait_us


def horizon(
    assignments: Sequence[Assignment], passed: Mapping[str, int], patience: Patience, now_us: int
) -> int:
    """States of windows that end at or before this instant may go: nobody will add to them, or is allowed to.

    Every node that is still assigned must have passed a window by ``keep``, and so must the clock.
    """
    if patience.keep_us < 0:
        return NEVER
    least = now_us - patience.keep_us - patience.disorder_us - patience.wait_us
    for assignment in assignments:
        if assignment.to_us is None:
            seen = passed.get(assignment.node, NEVER)
            least = min(least, max(assignment.from_us, seen - patience.keep_us if seen != NEVER else NEVER))
    return least
