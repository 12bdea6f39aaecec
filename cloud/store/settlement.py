"""What a batch of parts does to the offsets: decided here without I/O, written by the commit in one
transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from fogline.engine.state import PartState
from fogline.intake.judgement import Verdict, settle
from fogline.intake.marks import Mark, marks_after
from fogline.model.part import Contribution, Offsets, Origin, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A part that wants to be committed, of one tenant's plan."""

    tenant: str
    plan: str
    part: Part[PartState]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is told to whoever sent a part: an ack, or with ``refused`` a refusal, and the offsets that the
    store holds.
    """

    refused: bool
    offsets: Offsets
    incarnation: bytes


class Progress(NamedTuple):
    """Names one row of offsets: a plan on an origin."""

    tenant: str
    plan: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What is committed of one origin for one plan."""

    start: int
    offset: int
    messages: int
    """Messages committed as data, counted by themselves: not a difference of offsets."""
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOutcome:
    """The outcome of a batch: who is told what, and what is to be written."""

    answers: tuple[tuple[bool, Offsets], ...]
    """(refused, offsets) for each submission."""
    fresh: tuple[Submission, ...]
    positions: Mapping[Progress, Position]
    """Rows to write."""
    gaps: Mapping[tuple[Progress, str], int] = field(default_factory=dict)
    """Messages dropped by reason, to be added."""


def settle_all(submissions: Sequence[Submission], stored: Mapping[Progress, Position]) -> BatchOutcome:
    """Judge parts one after another, each on what the ones before it leave (C2 to C5)."""
    held = dict(stored)
    changed: dict[Progress, Position] = {}
    gaps: dict[tuple[Progress, str], int] = {}
    fresh: list[Submission] = []
    answers: list[tuple[bool, Offsets]] = []
    for submission in submissions:
        contributions = submission.part.contributions
        places = {c.origin: _progress(submission, c) for c in contributions}
        known = {origin: held[at] for origin, at in places.items() if at in held}
        settlement = settle(contributions, {origin: position.offset for origin, position in known.items()})
        answers.append((settlement.verdict is Verdict.REFUSED, settlement.told))
        if settlement.verdict is Verdict.REFUSED:
            continue
        marks = marks_after(contributions, {origin: position.mark for origin, position in known.items()})
        if settlement.verdict is Verdict.FRESH:
            fresh.append(submission)
            for contribution in contributions:
                origin, at = contribution.origin, places[contribution.origin]
                held[at] = changed[at] = _advanced(known.get(origin), contribution, marks.get(origin))
                if contribution.is_gap:
                    gaps[at, contribution.gap] = gaps.get((at, contribution.gap), 0) + contribution.messages
        else:
            for origin, mark in marks.items():
                at = places[origin]
                if at in held:
                    held[at] = changed[at] = replace(held[at], mark=mark)
    return BatchOutcome(answers=tuple(answers), fresh=tuple(fresh), positions=changed, gaps=gaps)


def progresses(submissions: Sequence[Submission]) -> set[Progress]:
    """Every row of offsets that these parts touch."""
    return {_progress(s, c) for s in submissions for c in s.part.contributions}


def _progress(submission: Submission, contribution: Contribution) -> Progress:
    return Progress(submission.tenant, submission.plan, contribution.origin)


def _advanced(before: Position | None, contribution: Contribution, mark: Mark | None) -> Position:
    messages = 0 if contribution.is_gap else contribution.messages
    if before is None:
        start, mark = contribution.start, mark or Mark()
    else:
        start, mark, messages = before.start, mark or before.mark, messages + before.messages
    return Position(start=start, offset=contribution.end, messages=messages, mark=mark)
