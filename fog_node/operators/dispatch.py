"""Which replica works on which batch, and which batch is given up: decisions only, in events and actions.

A batch that was under way to a replica that died is blamed, and sent again. Several are under way to one replica, so
several are blamed for one death: they are tried alone, and only what fails so several times is given up.
Nothing is given up while the operator answers no batch at all, or while replicas die that did not have the batch: then
it is the operator or the machine that is wrong, and the plan waits, up to a limit.
"""

from bisect import insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

LONGEST_REST_S: Final = 10.0
"""Before a batch that keeps failing is tried again."""
FIRST_REST_S: Final = 0.1
DOUBTS: Final = 3
"""So many batches given up in a row, without an answer in between, and the operator is in doubt again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How much is tried."""

    in_flight: int
    """Batches under way to one replica."""
    attempts: int
    """Failures of its own after which a batch is given up: errors, no answer in time, deaths when it was alone."""
    patience_s: float
    """How long a batch is tried at least while the operator answers none, or dies of others too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Give this batch to this replica."""

    replica: int
    batch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """The answer that has just come is the batch's outcome."""

    batch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """The batch is guilty."""

    batch: int
    failures: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """The replica must be killed and started again; nothing more is sent to it."""

    replica: int
    event: str
    reason: str


Action = Send | Accept | GiveUp | Break


@dataclass(slots=True)
class _Batch:
    number: int
    failures: int = 0
    own_failures: int = 0
    """Those that no other batch can have caused."""
    suspect: bool = False
    """A replica died that had it: it is tried alone."""
    failed_at: float = 0.0
    """When it failed first."""
    not_before: float = float("-inf")


@dataclass(slots=True)
class _Replica:
    under_way: dict[int, None] = field(default_factory=dict)
    """In the order in which they were sent; also batches that nobody waits for any more."""
    head_since: float = 0.0
    """Since when the oldest of them is the oldest."""
    kept_for: int | None = None
    """It takes nothing but this batch, and that alone."""


@dataclass(frozen=True, slots=True)
class _Death:
    at: float
    under_way: frozenset[int]


class Dispatch:
    """The batches and replicas of one step. Times are seconds of a monotonic clock."""

    def __init__(self, rules: Rules, *, timeout_s: float) -> None:
        self._rules: Final = rules
        self.timeout_s = timeout_s
        self._batches: Final[dict[int, _Batch]] = {}
        self._waiting: Final[list[int]] = []
        self._replicas: Final[dict[int, _Replica]] = {}
        self._answered = False
        self._given_up_in_a_row = 0
        self._deaths: Final[deque[_Death]] = deque()
        """Those of the last while that no batch was found guilty of."""
        self._busy_s = 0.0
        self.replays = 0
        """Batches that were sent again. Counts only up."""

    @property
    def queued(self) -> int:
        """Batches that wait or are under way."""
        return len(self._batches)

    @property
    def replicas(self) -> tuple[int, ...]:
        """Those that take batches."""
        return tuple(self._replicas)

    @property
    def is_trusted(self) -> bool:
        """Whether the operator is believed to work, so that a batch that fails is to blame itself."""
        return self._answered and self._given_up_in_a_row < DOUBTS

    def busy_s(self, now: float) -> float:
        """Time in which replicas had something to do."""
        return self._busy_s + sum(now - r.head_since for r in self._replicas.values() if r.under_way)

    def holds(self, replica: int, batch: int) -> bool:
        """Whether the replica owes an answer for this batch."""
        there = self._replicas.get(replica)
        return there is not None and batch in there.under_way

    def is_wanted(self, batch: int) -> bool:
        """Whether somebody waits for the batch."""
        return batch in self._batches

    def renewed(self) -> None:
        """Another release runs from now on: what was believed of the former one says nothing."""
        self._answered = False
        self._given_up_in_a_row = 0

    def offered(self, batch: int, now: float) -> list[Action]:
        """A new batch waits; numbers ascend."""
        self._batches[batch] = _Batch(batch)
        insort(self._waiting, batch)
        return list(self._fill(now))

    def cancelled(self, batch: int, now: float) -> list[Action]:
        """Nobody waits for the batch any more. A replica that has it still owes its answer."""
        if self._batches.pop(batch, None) is None:
            return []
        if batch in self._waiting:
            self._waiting.remove(batch)
        for replica in self._replicas.values():
            if replica.kept_for == batch and batch not in replica.under_way:
                replica.kept_for = None
        return list(self._fill(now))

    def up(self, replica: int, now: float) -> list[Action]:
        """A replica takes batches from now on."""
        self._replicas[replica] = _Replica()
        return list(self._fill(now))

    def stopped(self, replica: int, now: float) -> list[Action]:
        """A replica was stopped: nobody's fault, what it had goes to others."""
        there = self._leave(replica, now)
        if there is not None:
            for batch in there.under_way:
                self._again(batch, now)
        return list(self._fill(now))

    def died(self, replica: int, now: float, reason: str) -> list[Action]:
        """A replica died or cut its stream: everything under way is blamed, and guilty if it was alone."""
        there = self._leave(replica, now)
        actions: list[Action] = []
        if there is not None:
            self._deaths.append(_Death(now, frozenset(there.under_way)))
            sure = len(there.under_way) == 1
            for batch in there.under_way:
                if batch in self._batches:
                    self._batches[batch].suspect = True
                actions += self._failed(batch, now, reason, sure=sure)
        return [*actions, *self._fill(now)]

    def answered(self, replica: int, batch: int, now: float) -> list[Action]:
        """A good answer came, for a batch that the replica owes."""
        self._settle(replica, batch, now)
        self._answered = True
        self._given_up_in_a_row = 0
        wanted = self._batches.pop(batch, None) is not None
        return [*([Accept(batch=batch)] if wanted else []), *self._fill(now)]

    def failed(self, replica: int, batch: int, now: float, reason: str) -> list[Action]:
        """An error or an answer that contradicts the plan came, for a batch that the replica owes."""
        self._settle(replica, batch, now)
        return [*self._failed(batch, now, reason, sure=True), *self._fill(now)]

    def tick(self, now: float) -> list[Action]:
        """Time passed: look for replicas that hang, and for batches that have rested."""
        actions: list[Action] = []
        for number, replica in tuple(self._replicas.items()):
            if replica.under_way and now >= replica.head_since + self.timeout_s:
                reason = f"no answer within {self.timeout_s:g} s"
                head, *others = replica.under_way
                self._leave(number, now)
                actions.append(Break(replica=number, event="timed_out", reason=reason))
                actions += self._failed(head, now, reason, sure=True)
                for batch in others:
                    self._again(batch, now)
        return [*actions, *self._fill(now)]

    def due_at(self, now: float) -> float:
        """When to tick at the latest; infinity if there is nothing to look for."""
        hangs = [r.head_since + self.timeout_s for r in self._replicas.values() if r.under_way]
        rests = [self._batches[batch].not_before for batch in self._waiting] if self._replicas else []
        return min([*hangs, *(at for at in rests if at > now)], default=float("inf"))

    def _failed(self, number: int, now: float, reason: str, *, sure: bool) -> list[Action]:
        batch = self._batches.get(number)
        if batch is None:
            return []
        if not batch.failures:
            batch.failed_at = now
        batch.failures += 1
        batch.own_failures += sure
        too_often = batch.own_failures >= self._rules.attempts
        doubtful = not self.is_trusted or self._die_without(number, now)
        patient = doubtful and now < batch.failed_at + self._rules.patience_s
        if too_often and sure and not patient:
            del self._batches[number]
            self._given_up_in_a_row += 1
            for death in [death for death in self._deaths if number in death.under_way]:
                self._deaths.remove(death)
            return [GiveUp(batch=number, failures=batch.failures, reason=reason)]
        batch.not_before = now + min(FIRST_REST_S * 2 ** min(batch.failures - 1, 20), LONGEST_REST_S)
        self._again(number, now)
        return []

    def _die_without(self, batch: int, now: float) -> bool:
        """Whether replicas die as often that do not have the batch."""
        while self._deaths and self._deaths[0].at < now - self._rules.patience_s:
            self._deaths.popleft()
        return sum(batch not in death.under_way for death in self._deaths) >= self._rules.attempts

    def _again(self, number: int, now: float) -> None:
        if number in self._batches:
            self.replays += 1
            self._batches[number].not_before = max(self._batches[number].not_before, now)
            insort(self._waiting, number)

    def _leave(self, number: int, now: float) -> _Replica | None:
        replica = self._replicas.pop(number, None)
        if replica is not None and replica.under_way:
            self._busy_s += now - replica.head_since
        return replica

    def _settle(self, number: int, batch: int, now: float) -> None:
        """The replica owes this answer no more."""
        replica = self._replicas[number]
        was_head = next(iter(replica.under_way)) == batch
        del replica.under_way[batch]
        if replica.kept_for == batch:
            replica.kept_for = None
        if was_head:
            self._busy_s += now - replica.head_since
            replica.head_since = now

    def _fill(self, now: float) -> Iterator[Action]:
        """Send what can be sent, oldest first."""
        for number in tuple(self._waiting):
            batch = self._batches[number]
            if batch.not_before > now:
                continue
            chosen = self._alone_for(number) if batch.suspect else self._least_busy()
            if chosen is None:
                continue
            replica = self._replicas[chosen]
            if not replica.under_way:
                replica.head_since = now
            replica.under_way[number] = None
            self._waiting.remove(number)
            yield Send(replica=chosen, batch=number)

    def _least_busy(self) -> int | None:
        free = {
            number: len(replica.under_way)
            for number, replica in self._replicas.items()
            if replica.kept_for is None and len(replica.under_way) < self._rules.in_flight
        }
        return min(free, key=lambda number: (free[number], number), default=None)

    def _alone_for(self, batch: int) -> int | None:
        """A replica that has nothing to do and takes nothing else; one is kept free until it has drained."""
        kept = next((n for n, r in self._replicas.items() if r.kept_for is not None), None)
        if kept is None:
            if not self._replicas:
                return None
            kept = min(self._replicas, key=lambda number: (len(self._replicas[number].under_way), number))
            self._replicas[kept].kept_for = batch
        replica = self._replicas[kept]
        return kept if replica.kept_for == batch and not replica.under_way else None
