"""Who works on what, and what is given up: decisions against a small world of replicas and poison."""

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fog_node.operators.dispatch import (
    DOUBTS,
    Accept,
    Action,
    Break,
    Dispatch,
    GiveUp,
    Rules,
    Send,
)

RULES = Rules(in_flight=2, attempts=3, patience_s=60)
TIMEOUT_S = 5.0


@pytest.fixture
def dispatch() -> Dispatch:
    return Dispatch(RULES, timeout_s=TIMEOUT_S)


def proven(dispatch: Dispatch, replica: int = 0) -> None:
    """Let it answer a batch, so that the operator is believed to work."""
    dispatch.up(replica, 0)
    dispatch.offered(0, 0)
    dispatch.answered(replica, 0, 0)
    assert dispatch.is_trusted


def test_a_batch_waits_until_a_replica_is_up(dispatch: Dispatch) -> None:
    assert dispatch.offered(1, 0) == []
    assert dispatch.up(0, 0) == [Send(replica=0, batch=1)]
    assert dispatch.answered(0, 1, 0) == [Accept(batch=1)]
    assert dispatch.queued == 0


def test_the_least_busy_replica_is_taken_and_none_beyond_its_bound(dispatch: Dispatch) -> None:
    dispatch.up(0, 0)
    dispatch.up(1, 0)
    sent = [dispatch.offered(number, 0) for number in range(1, 6)]
    assert sent[:4] == [[Send(replica=r, batch=b)] for b, r in ((1, 0), (2, 1), (3, 0), (4, 1))]
    assert sent[4] == []
    assert dispatch.answered(1, 2, 0) == [Accept(batch=2), Send(replica=1, batch=5)]


def test_what_a_stopped_replica_had_goes_to_another_without_blame(dispatch: Dispatch) -> None:
    proven(dispatch)
    dispatch.up(1, 0)
    dispatch.offered(1, 0)
    for _ in range(RULES.attempts + 1):
        assert dispatch.stopped(0, 0) == [Send(replica=1, batch=1)]
        dispatch.up(0, 0)
        assert dispatch.stopped(1, 0) == [Send(replica=0, batch=1)]
        dispatch.up(1, 0)


def test_a_batch_that_dies_with_others_is_tried_alone_before_it_is_given_up(dispatch: Dispatch) -> None:
    proven(dispatch)
    dispatch.offered(1, 0)
    dispatch.offered(2, 0)
    assert dispatch.died(0, 0, "exited") == []
    assert dispatch.up(0, 20) == [Send(replica=0, batch=1)]
    assert dispatch.answered(0, 1, 20) == [Accept(batch=1), Send(replica=0, batch=2)]
    for now in range(20, 20 + RULES.attempts - 1):
        assert dispatch.died(0, now, "exited") == []
        assert dispatch.up(0, now + 0.9) == [Send(replica=0, batch=2)]
    assert dispatch.died(0, 23, "exited") == [GiveUp(batch=2, failures=4, reason="exited")]


def test_one_that_was_alone_all_the_time_is_given_up_at_once(dispatch: Dispatch) -> None:
    proven(dispatch)
    dispatch.offered(1, 0)
    found: list[Action] = []
    for at in range(RULES.attempts):
        found = dispatch.died(0, at * 20, "out_of_memory")
        dispatch.up(0, at * 20 + 19)
    assert found == [GiveUp(batch=1, failures=3, reason="out_of_memory")]


def test_while_replicas_die_without_it_no_batch_is_guilty(dispatch: Dispatch) -> None:
    """Somebody kills operators: who is hit three times has had bad luck. Once that is over, the guilty are found."""
    proven(dispatch)
    now = 0.0
    for _ in range(RULES.attempts):
        dispatch.died(0, now, "exited")
        dispatch.up(0, now)
    dispatch.offered(1, now)
    for _ in range(RULES.attempts + 1):
        assert dispatch.died(0, now, "exited") == []
        now += 12
        dispatch.up(0, now)
    now += RULES.patience_s
    assert dispatch.holds(0, 1)
    assert dispatch.died(0, now, "exited") == [GiveUp(batch=1, failures=5, reason="exited")]


def test_deaths_that_somebody_is_guilty_of_excuse_nobody_else(dispatch: Dispatch) -> None:
    proven(dispatch)
    for number in (1, 2):
        dispatch.offered(number, 0)
        found: list[Action] = []
        for at in range(RULES.attempts):
            found = dispatch.died(0, at * 2, "exited")
            dispatch.up(0, at * 2 + 1)
        assert found == [GiveUp(batch=number, failures=3, reason="exited")]


def test_while_one_is_tried_alone_others_go_elsewhere(dispatch: Dispatch) -> None:
    proven(dispatch)
    dispatch.offered(1, 0)
    dispatch.offered(2, 0)
    dispatch.died(0, 0, "exited")
    dispatch.up(0, 19)
    assert dispatch.holds(0, 1)
    assert dispatch.up(1, 60) == []
    assert dispatch.offered(3, 60) == [Send(replica=1, batch=3)]
    assert dispatch.offered(4, 60) == [Send(replica=1, batch=4)]
    assert dispatch.offered(5, 60) == []
    assert dispatch.answered(0, 1, 60) == [Accept(batch=1), Send(replica=0, batch=2)]


def test_an_error_is_tried_again_after_a_rest_and_kills_nobody(dispatch: Dispatch) -> None:
    proven(dispatch)
    dispatch.offered(1, 10)
    assert dispatch.failed(0, 1, 10, "ValueError") == []
    assert 10 < dispatch.due_at(10) < 11
    assert dispatch.tick(dispatch.due_at(10)) == [Send(replica=0, batch=1)]
    dispatch.failed(0, 1, 11, "ValueError")
    dispatch.tick(20)
    assert dispatch.failed(0, 1, 20, "ValueError") == [GiveUp(batch=1, failures=3, reason="ValueError")]


def test_only_the_oldest_has_a_deadline_and_only_it_is_blamed(dispatch: Dispatch) -> None:
    proven(dispatch)
    dispatch.offered(1, 0)
    dispatch.offered(2, 0)
    dispatch.answered(0, 1, 4)
    assert dispatch.due_at(4) == 9
    assert dispatch.tick(8.9) == []
    (broken,) = dispatch.tick(9)
    assert broken == Break(replica=0, event="timed_out", reason="no answer within 5 s")
    assert dispatch.replicas == ()
    assert dispatch.up(0, 30) == [Send(replica=0, batch=2)]


def test_an_operator_that_answers_nothing_is_not_believed_for_a_while(dispatch: Dispatch) -> None:
    dispatch.up(0, 0)
    dispatch.offered(1, 0)
    now, tries = 0.0, 0
    while not any(isinstance(a, GiveUp) for a in dispatch.failed(0, 1, now, "KeyError")):
        tries += 1
        now = dispatch.due_at(now)
        assert dispatch.tick(now) == [Send(replica=0, batch=1)]
    assert now >= RULES.patience_s
    assert tries > RULES.attempts


def test_one_that_gives_up_batch_after_batch_is_in_doubt_again(dispatch: Dispatch) -> None:
    proven(dispatch)
    for number in range(1, DOUBTS + 1):
        assert dispatch.is_trusted
        dispatch.offered(number, 0)
        while dispatch.queued:
            dispatch.failed(0, number, 0, "KeyError")
            dispatch.tick(100)
    assert not dispatch.is_trusted


def test_another_release_is_believed_anew(dispatch: Dispatch) -> None:
    proven(dispatch)
    dispatch.renewed()
    assert not dispatch.is_trusted


def test_a_cancelled_batch_is_owed_but_not_wanted(dispatch: Dispatch) -> None:
    proven(dispatch)
    dispatch.offered(1, 0)
    dispatch.cancelled(1, 0)
    assert dispatch.holds(0, 1)
    assert dispatch.queued == 0
    assert dispatch.answered(0, 1, 0) == []
    assert not dispatch.holds(0, 1)


def test_time_with_nothing_to_do_is_not_busy(dispatch: Dispatch) -> None:
    dispatch.up(0, 0)
    dispatch.offered(1, 10)
    dispatch.offered(2, 11)
    assert dispatch.busy_s(12) == 2
    dispatch.answered(0, 1, 12)
    dispatch.answered(0, 2, 13)
    assert dispatch.busy_s(20) == 3
    dispatch.offered(3, 30)
    dispatch.died(0, 31, "exited")
    assert dispatch.busy_s(40) == 4


class World:
    """Replicas that answer, die of poison, and now and then by accident; a reconciler that starts them again."""

    def __init__(self, seed: int, batches: int, poison: set[int], hanging: set[int], replicas: int) -> None:
        self.rng = Random(seed)
        self.dispatch = Dispatch(RULES, timeout_s=TIMEOUT_S)
        self.poison, self.hanging = poison, hanging
        self.now = 0.0
        self.under_way: dict[int, list[int]] = {}
        self.accepted: list[int] = []
        self.given_up: list[int] = []
        self.down = list(range(replicas))
        self.waiting = list(range(batches))
        self.accidents = RULES.attempts - 1
        """More than that may hit the same batch alone each time."""

    def do(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case Send(replica=replica, batch=batch):
                    assert all(batch not in others for others in self.under_way.values())
                    self.under_way[replica].append(batch)
                    assert len(self.under_way[replica]) <= RULES.in_flight
                case Accept(batch=batch):
                    self.accepted.append(batch)
                case GiveUp(batch=batch):
                    self.given_up.append(batch)
                case Break(replica=replica):
                    del self.under_way[replica]
                    self.down.append(replica)

    def step(self) -> None:
        self.now += self.rng.choice([0.0, 0.01])
        choice = self.rng.random()
        if self.waiting and choice < 0.3:
            self.do(self.dispatch.offered(self.waiting.pop(0), self.now))
        elif self.down and choice < 0.5:
            replica = self.down.pop(0)
            self.under_way[replica] = []
            self.do(self.dispatch.up(replica, self.now))
        elif self.accidents and self.under_way and choice < 0.55:
            self.accidents -= 1
            self._dies(self.rng.choice(list(self.under_way)))
        elif self.under_way:
            self._works(self.rng.choice(list(self.under_way)))
        if self.now >= self.dispatch.due_at(self.now - 1e-9):
            self.do(self.dispatch.tick(self.now))

    def _works(self, replica: int) -> None:
        heads = [under_way[0] for under_way in self.under_way.values() if under_way]
        if all(head in self.hanging for head in heads):
            self.now = max(self.now, min(self.dispatch.due_at(self.now), self.now + 1))
            self.do(self.dispatch.tick(self.now))
            return
        if not self.under_way[replica] or self.under_way[replica][0] in self.hanging:
            return
        head = self.under_way[replica][0]
        if head in self.poison:
            self._dies(replica)
        else:
            self.under_way[replica].pop(0)
            self.do(self.dispatch.answered(replica, head, self.now))

    def _dies(self, replica: int) -> None:
        del self.under_way[replica]
        self.down.append(replica)
        self.do(self.dispatch.died(replica, self.now, "exited"))


@given(st.integers(0, 2**32), st.integers(1, 20), st.data(), st.integers(1, 3))
def test_every_batch_has_one_outcome_and_only_the_guilty_are_given_up(
    seed: int, batches: int, data: st.DataObject, replicas: int
) -> None:
    numbers = st.sets(st.integers(0, batches - 1), max_size=4)
    poison, hanging = data.draw(numbers), data.draw(numbers)
    world = World(seed, batches, poison, hanging, replicas)
    for _ in range(20_000):
        if len(world.accepted) + len(world.given_up) == batches:
            break
        world.step()
    assert sorted(world.given_up) == sorted(poison | hanging)
    assert sorted(world.accepted) == sorted(set(range(batches)) - poison - hanging)
    assert world.dispatch.queued == 0
