"""What is believed of an aggregator's assignments, and keeping it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fogline.control.assignments import (
    Given,
    KeptAssignments,
    Place,
    judge,
    opened,
    read_given,
    write_given,
)
from fogline.control.keys import Disbelieved
from fogline.model.errors import DataLoss
from fogline.v1 import control_pb2


def signed(
    generation: int, term: int, sequence: int, *, by: str = "a1", replicas: int = 1
) -> control_pb2.SignedAssignments:
    content = control_pb2.Assignments(
        aggregator=by,
        generation=generation,
        term=term,
        sequence=sequence,
        assignments=[control_pb2.Assignment(node="n1", plan="p", step="s", replicas=replicas)],
    )
    return control_pb2.SignedAssignments(content=content.SerializeToString())


def given_of(generation: int, term: int, sequence: int) -> Given:
    return opened(signed(generation, term, sequence), None)


def state(generation: int, term: int) -> control_pb2.DesiredState:
    return control_pb2.DesiredState(generation=generation, grants=[control_pb2.Grant(plan="p", term=term)])


def reason(
    told: control_pb2.SignedAssignments, held: Given | None = None, *, generation: int = 9, term: int = 2
) -> str:
    with pytest.raises(Disbelieved) as refused:
        judge(told, state=state(generation, term), held=held, vouch=None)
    return refused.value.reason


places = st.tuples(st.integers(0, 9), st.just(2), st.integers(0, 9))


@given(told=st.lists(places, max_size=10))
def test_the_highest_that_was_ever_seen_holds(told: list[tuple[int, int, int]]) -> None:
    held: Given | None = None
    for place in told:
        try:
            held = judge(signed(*place), state=state(9, 2), held=held, vouch=None) or held
        except Disbelieved:
            assert held is not None
            assert place <= held.place
    assert (held.place if held else None) == (max(told) if told else None)


def test_what_holds_already_is_no_news() -> None:
    assert judge(signed(9, 2, 1), state=state(9, 2), held=given_of(9, 2, 1), vouch=None) is None


def test_the_same_place_with_other_content_is_refused() -> None:
    assert reason(signed(9, 2, 1, replicas=3), given_of(9, 2, 1)) == "older_assignments"


def test_an_aggregator_of_a_former_term_is_deposed() -> None:
    assert reason(signed(9, 1, 50)) == "deposed"


@pytest.mark.parametrize("place", [(10, 2, 1), (9, 3, 1)])
def test_nobody_gets_ahead_of_the_cloud(place: tuple[int, int, int]) -> None:
    assert reason(signed(*place)) == "assignments_ahead"


def test_without_desired_state_nothing_is_assigned() -> None:
    with pytest.raises(Disbelieved):
        judge(signed(1, 1, 1), state=None, held=None, vouch=None)


def test_bytes_that_are_no_assignments_are_refused() -> None:
    assert reason(control_pb2.SignedAssignments(content=b"\xff\xff")) == "malformed"


def test_whoever_does_not_vouch_is_not_believed() -> None:
    def vouch(told: control_pb2.SignedAssignments, aggregator: str) -> str:
        raise Disbelieved("tampered", f"not signed by {aggregator}")

    with pytest.raises(Disbelieved, match="not signed by a1"):
        judge(signed(9, 2, 1), state=state(9, 2), held=None, vouch=vouch)


def test_an_aggregator_whose_key_was_taken_back_is_not_believed_in_any_term() -> None:
    now = state(9, 2)
    now.deposed.append("stolen")
    for place in ((9, 2, 1), (9, 2, 50), (8, 1, 50), (9, 1, 7)):
        with pytest.raises(Disbelieved, match="was taken back") as refused:
            judge(signed(*place), state=now, held=given_of(8, 1, 1), vouch=lambda *_: "stolen")
        assert refused.value.reason == "revoked_aggregator"
    assert judge(signed(9, 2, 1), state=now, held=given_of(8, 1, 50), vouch=lambda *_: "its own") is not None


def test_an_aggregator_that_comes_back_from_the_past_changes_nothing() -> None:
    held = given_of(9, 2, 3)
    assert reason(signed(9, 1, 999), held) == "older_assignments"
    assert reason(signed(8, 1, 999), held) == "older_assignments"
    assert reason(signed(9, 1, 999)) == "deposed"


async def test_what_was_seen_is_seen_after_a_restart(tmp_path: Path) -> None:
    kept = KeptAssignments(tmp_path / "assignments")
    assert await kept.accept(signed(9, 2, 5), state(9, 2))
    kept = KeptAssignments(tmp_path / "assignments")
    assert kept.given == given_of(9, 2, 5)
    assert not await kept.accept(signed(9, 2, 4), state(9, 2))
    assert kept.refused == {"older_assignments": 1}
    assert "behind 9.2.5 of a1" in kept.faults[0]
    assert not await kept.accept(signed(9, 2, 5), state(9, 2))
    assert kept.faults == []
    assert await kept.accept(signed(9, 2, 6), state(9, 2))


@pytest.mark.parametrize("at", [0, 30, -1])
def test_a_corrupt_file_is_said_and_forgotten(
    tmp_path: Path, at: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "assignments"
    write_given(path, given_of(9, 2, 5))
    content = bytearray(path.read_bytes())
    content[at] ^= 0x40
    path.write_bytes(content)
    with pytest.raises(DataLoss):
        read_given(path)
    assert KeptAssignments(path).given is None
    assert "kept assignments are lost" in capsys.readouterr().out


async def test_a_disk_that_cannot_keep_them_does_not_keep_a_node_from_obeying(tmp_path: Path) -> None:
    kept = KeptAssignments(tmp_path / "gone" / "assignments")
    assert await kept.accept(signed(9, 2, 5), state(9, 2))
    assert "could not be kept" in kept.faults[0]
    assert kept.given is not None
    assert kept.given.place == Place(9, 2, 5)
