"""The asker's end of sessions, against nodes that do as they like."""

import asyncio

import pytest

from cloud.visits import visits as visits_module
from cloud.visits.visits import CREDIT_EVERY, Visits
from fogline.control.sessions import CHUNK, WINDOW, NodeAway
from fogline.control.switchboard import Switchboard
from fogline.model.errors import Unavailable
from fogline.v1 import control_pb2

ASK = control_pb2.SessionAsk(what="logs")


class Node:
    """A node below child "one"."""

    def __init__(self, name: str = "n1") -> None:
        self.board = Switchboard()
        self.told: list[control_pb2.SessionInput] = []
        self.board.reached("one", "main", [name], self.tell)
        self.among: set[Visits] = set()

    def tell(self, told: control_pb2.SessionInput) -> bool:
        self.told.append(told)
        return True

    def visits(self) -> Visits:
        return Visits(self.board, "main", self.among)

    def say(self, data: bytes = b"", *, at: int = 0, **more: object) -> None:
        asked = [told.id for told in self.told if told.HasField("ask")]
        output = control_pb2.SessionOutput(id=asked[at], data=data, **more)  # type: ignore[arg-type]  # fields
        self.board.answered("one", [output])


async def test_what_was_read_may_be_sent_again() -> None:
    node = Node()
    with node.visits() as visits:
        visits.open("n1", ASK)
        for _ in range(WINDOW // CHUNK):
            node.say(b"x" * CHUNK)
        assert [told.credit for told in node.told] == [0]
        for _ in range(WINDOW // CHUNK):
            assert (await visits.next()).data == b"x" * CHUNK
        assert sum(told.credit for told in node.told) == WINDOW
        assert all(told.credit >= CREDIT_EVERY for told in node.told[1:])
    assert node.told[-1].cancel
    assert node.among == set()


async def test_a_node_that_sends_more_than_it_may_is_left() -> None:
    node = Node()
    with node.visits() as visits:
        visits.open("n1", ASK)
        for _ in range(WINDOW // CHUNK + 1):
            node.say(b"x" * CHUNK)
        told = [await visits.next() for _ in range(WINDOW // CHUNK + 1)]
        assert isinstance(told[-1].error, Unavailable)
        assert node.told[-1].cancel
        node.say(b"late")
        assert node.board.open == 0


async def test_input_waits_until_the_node_has_read() -> None:
    node = Node()
    with node.visits() as visits:
        visit = visits.open("n1", ASK)
        giving = asyncio.ensure_future(visit.give(b"y" * (WINDOW + 5)))
        await asyncio.sleep(0)
        assert sum(len(told.data) for told in node.told) == WINDOW
        assert not giving.done()
        node.say(credit=3)
        await asyncio.sleep(0)
        node.say(credit=CHUNK)
        await giving
        assert sum(len(told.data) for told in node.told) == WINDOW + 5
        visit.end_input()
        assert node.told[-1].end


async def test_input_is_not_waited_for_once_the_command_has_ended() -> None:
    node = Node()
    with node.visits() as visits:
        visit = visits.open("n1", ASK)
        giving = asyncio.ensure_future(visit.give(b"y" * (2 * WINDOW)))
        await asyncio.sleep(0)
        node.say(end=True, exit_code=3)
        await giving
        assert (await visits.next()).exit_code == 3


async def test_one_of_several_that_fails_is_told_apart() -> None:
    node = Node()
    with node.visits() as visits:
        visits.open("n1", ASK)
        with pytest.raises(NodeAway):
            visits.open("n2", ASK)
        visits.open("n1", ASK)
        node.say(end=True, fault="it went", code="node_away", hint="wait", at=1)
        told = await visits.next()
        assert (told.place, told.ended) == (2, True)
        assert isinstance(told.error, NodeAway)
        assert (told.error.message, told.error.hint) == ("it went", "wait")


async def test_a_code_of_a_newer_node_is_an_error_all_the_same() -> None:
    node = Node()
    with node.visits() as visits:
        visits.open("n1", ASK)
        node.say(end=True, fault="something new", code="of tomorrow")
        assert isinstance((await visits.next()).error, Unavailable)


async def test_who_waits_is_let_go_of() -> None:
    node = Node()
    with node.visits() as visits:
        visits.open("n1", ASK)
        waiting = asyncio.ensure_future(visits.next())
        await asyncio.sleep(0)
        for one in node.among:
            one.fail(Unavailable("the server stops"))
        with pytest.raises(Unavailable, match="stops"):
            await waiting


async def test_a_node_that_says_nothing_at_all_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits_module, "ANSWER_S", 0.01)
    node = Node()
    with node.visits() as visits:
        visits.open("n1", ASK)
        visits.open("n1", ASK)
        node.say()
        told = await visits.next()
        assert told.place == 1
        assert told.error is not None
        assert "does not answer" in told.error.message
        node.say(b"it goes on")
        assert (await visits.next()).data == b"it goes on"
