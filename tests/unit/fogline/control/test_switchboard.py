"""Which session leads through which child."""

import pytest

from fogline.control.post import BATCH_BYTES, Post
from fogline.control.sessions import CHUNK, NodeAway, TooManySessions
from fogline.control.switchboard import Switchboard
from fogline.model.errors import InvalidInput, Unavailable
from fogline.v1 import control_pb2


def asked(name: str = "s", node: str = "n1") -> control_pb2.SessionInput:
    return control_pb2.SessionInput(id=name, node=node, ask=control_pb2.SessionAsk(what="logs"))


def answer(name: str = "s", data: bytes = b"", *, end: bool = False) -> control_pb2.SessionOutput:
    return control_pb2.SessionOutput(id=name, data=data, end=end)


class Child:
    """A child's stream, downwards."""

    def __init__(self, board: Switchboard, name: str, *nodes: str, tenant: str = "main") -> None:
        self.told: list[control_pb2.SessionInput] = []
        self.full = False
        self.board = board
        self.name = name
        board.reached(name, tenant, nodes, self.tell)

    def tell(self, told: control_pb2.SessionInput) -> bool:
        if not self.full:
            self.told.append(told)
        return not self.full


def test_a_session_leads_to_the_child_that_has_the_node() -> None:
    board, heard = Switchboard(), list[control_pb2.SessionOutput]()
    one, two = Child(board, "one", "n1"), Child(board, "two", "n2", "n3")
    board.ask("main", asked(node="n3"), heard.append)
    assert one.told == []
    assert [told.node for told in two.told] == ["n3"]
    board.answered("one", [answer(data=b"forged")])
    board.answered("two", [answer(data=b"true"), answer(end=True), answer(data=b"late")])
    assert [(one.data, one.end) for one in heard] == [(b"true", False), (b"", True)]
    assert board.open == 0


def test_a_node_of_another_tenant_is_not_reached() -> None:
    board = Switchboard()
    Child(board, "one", "n1", tenant="other")
    with pytest.raises(NodeAway):
        board.ask("main", asked(), lambda output: None)


def test_sessions_end_with_the_stream_of_their_child() -> None:
    board, heard = Switchboard(), list[control_pb2.SessionOutput]()
    Child(board, "one", "n1")
    board.ask("main", asked(), heard.append)
    board.left("one")
    assert [(one.end, one.code) for one in heard] == [(True, "node_away")]
    with pytest.raises(NodeAway, match="n1"):
        board.ask("main", asked(), heard.append)


def test_a_node_that_moved_is_reached_through_its_new_parent() -> None:
    board = Switchboard()
    Child(board, "one", "n1", "n2")
    two = Child(board, "two", "n1")
    board.ask("main", asked(), lambda output: None)
    assert len(two.told) == 1
    board.reached("two", "main", [], two.tell)
    with pytest.raises(NodeAway):
        board.ask("main", asked("t"), lambda output: None)


def test_an_asker_who_goes_is_told_nothing_more() -> None:
    board, heard = Switchboard(), list[control_pb2.SessionOutput]()
    child = Child(board, "one", "n1")
    board.ask("main", asked(), heard.append)
    board.cancel_all()
    board.answered("one", [answer(data=b"late")])
    assert heard == []
    assert [told.cancel for told in child.told] == [False, True]


def test_bounds_hold() -> None:
    board, heard = Switchboard(most=1), list[control_pb2.SessionOutput]()
    child = Child(board, "one", "n1")
    board.ask("main", asked(), heard.append)
    with pytest.raises(TooManySessions):
        board.ask("main", asked("t"), heard.append)
    child.full = True
    board.feed(control_pb2.SessionInput(id="s", data=b"x"))
    assert heard[0].end
    with pytest.raises(Unavailable):
        board.ask("main", asked("t"), heard.append)
    child.full = False
    board.ask("main", asked("t"), heard.append)
    board.answered("one", [answer("t", b"x" * (CHUNK + 1))])
    assert child.told[-1].cancel
    assert heard[-1].code == "invalid_input"


def test_a_session_has_its_name_for_itself() -> None:
    board = Switchboard()
    Child(board, "one", "n1")
    board.ask("main", asked(), lambda output: None)
    with pytest.raises(InvalidInput):
        board.ask("main", asked(), lambda output: None)


async def test_post_is_bounded_and_handed_over_in_batches() -> None:
    post: Post[bytes] = Post(most_bytes=BATCH_BYTES + 10, size=len)
    assert post.put(b"x" * BATCH_BYTES)
    assert post.put(b"y" * 10)
    assert not post.put(b"z")
    post.force(b"end")
    assert await post.take() == [b"x" * BATCH_BYTES]
    assert await post.take() == [b"y" * 10, b"end"]
    assert post.put(b"z" * BATCH_BYTES)
