"""Sessions with containers over real control streams: the asker at the top, the node behind an aggregator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from fog_node.runtimes.runtime import Output, Slot
from fog_node.sessions.answering import Answering
from fog_node.sessions.audit import Audit
from fog_node.sessions.sessions import ContainerSessions
from fogline.control.client import ControlClient
from fogline.control.sessions import WINDOW, NodeAway
from fogline.control.switchboard import Switchboard
from fogline.model.clock import SystemClock
from fogline.testing.control import ControlParent, MemoryHub
from fogline.testing.parents import IMPATIENT
from fogline.testing.relay import Relay
from fogline.testing.until import until
from fogline.v1 import control_pb2
from tests.guests import CLEAN, MemoryGuests
from tests.integration.control.test_attaching import aggregating, running

HANG_S = 60.0


class Asking:
    """Asks at the top, and remembers what came back."""

    def __init__(self, board: Switchboard, guests: MemoryGuests, sessions: ContainerSessions) -> None:
        self.board = board
        self.guests = guests
        self.sessions = sessions
        self.heard: list[control_pb2.SessionOutput] = []

    def ask(self, what: str, *command: str, follow: bool = False) -> None:
        ask = control_pb2.SessionAsk(
            what=what, kind=CLEAN.kind, plan=CLEAN.plan, name=CLEAN.name, follow=follow, command=command
        )
        self.board.ask("main", control_pb2.SessionInput(id="s", node="n1", ask=ask), self.hear)

    def feed(self, data: bytes = b"", *, end: bool = False, cancel: bool = False) -> None:
        self.board.feed(control_pb2.SessionInput(id="s", data=data, end=end, cancel=cancel))

    def hear(self, output: control_pb2.SessionOutput) -> None:
        self.heard.append(output)
        if output.data:
            self.board.feed(control_pb2.SessionInput(id="s", credit=len(output.data)))

    @property
    def reached(self) -> bool:
        """Whether the node can be asked."""
        try:
            self.board.ask("main", control_pb2.SessionInput(id="try", node="n1"), lambda output: None)
        except NodeAway:
            return False
        self.board.feed(control_pb2.SessionInput(id="try", cancel=True))
        return True

    @property
    def data(self) -> bytes:
        return b"".join(output.data for output in self.heard)

    async def last(self) -> control_pb2.SessionOutput:
        await until(lambda: bool(self.heard) and self.heard[-1].end, within=HANG_S)
        return self.heard[-1]


@asynccontextmanager
async def node_below(
    folder: Path, board: Switchboard, parent: str, *, allowed: bool = True, slot: Slot = CLEAN
) -> AsyncIterator[Asking]:
    """Node n1 with container c1; ``board`` is where its asker asks."""
    guests = MemoryGuests()
    answering = Answering(
        guests,
        node="n1",
        may_execute=lambda tenant: allowed,
        audit=Audit(folder / "exec.jsonl"),
        clock=SystemClock(),
    )

    def report() -> control_pb2.AttachRequest:
        nodes = [
            control_pb2.NodeReport(
                node="n1",
                at_us=SystemClock().now_us(),
                containers=guests.reports(),
                events=[
                    control_pb2.ContainerEvent(
                        at_us=at_us, kind=slot.kind, plan=slot.plan, name=slot.name, event=event
                    )
                    for at_us, event in ((1, "started"), (2, "exited"))
                ],
            )
        ]
        return control_pb2.AttachRequest(protocol=1, child="n1", role="node", nodes=nodes)

    async def accept(told: object) -> None:
        """It runs what it runs."""

    async with ContainerSessions(answering) as sessions:
        client = ControlClient(
            parents=[parent],
            report=report,
            accept=accept,
            clock=SystemClock(),
            rng=Random(7),
            settings=IMPATIENT,
            sessions=sessions,
            post=sessions.post,
        )
        guests.start(slot)
        async with running(client.run()):
            yield Asking(board, guests, sessions)


@asynccontextmanager
async def three_tiers(folder: Path) -> AsyncIterator[tuple[Asking, Relay]]:
    """The relay is the wire between the node and its aggregator."""
    board, hub = Switchboard(), MemoryHub()
    parent = ControlParent(hub, sessions=board)
    async with (
        parent.server,
        aggregating(folder / "group", parent.server.address) as aggregator,
        Relay(aggregator.server.address) as link,
        node_below(folder, board, link.address) as asking,
    ):
        await until(lambda: "n1" in hub.nodes, within=HANG_S)
        yield asking, link


async def test_logs_follow_through_an_aggregator_and_end_when_the_asker_goes(tmp_path: Path) -> None:
    async with three_tiers(tmp_path) as (asking, _):
        asking.ask("logs", follow=True)
        asking.guests.runtime.write("c1", Output(1, b"one\n"))
        await until(lambda: asking.data == b"one\n", within=HANG_S)
        asking.guests.runtime.write("c1", Output(1, b"two\n"))
        await until(lambda: asking.data == b"one\ntwo\n", within=HANG_S)
        asking.feed(cancel=True)
        await until(lambda: asking.sessions.open == 0, within=HANG_S)
        await until(lambda: asking.guests.runtime.readers == 0, within=HANG_S)


async def test_a_command_is_fed_and_answers_many_windows(tmp_path: Path) -> None:
    async with three_tiers(tmp_path) as (asking, _):
        asking.ask("exec", "cat")
        asking.feed(b"to be given back")
        asking.feed(end=True)
        assert ((await asking.last()).exit_code, asking.data) == (0, b"to be given back")
        asking.heard.clear()
        kib = 10 * WINDOW // 1024
        asking.ask("exec", "flood", str(kib))
        await asking.last()
        assert asking.data == b"f" * kib * 1024


async def test_a_session_ends_with_the_nodes_stream_and_reports_go_on(tmp_path: Path) -> None:
    async with three_tiers(tmp_path) as (asking, link):
        asking.ask("logs", follow=True)
        await until(lambda: asking.guests.runtime.readers == 1, within=HANG_S)
        link.cut()
        assert (await asking.last()).code == "node_away"
        await until(lambda: asking.sessions.open == 0, within=HANG_S)
        asking.guests.runtime.write("c1", Output(1, b"after\n"))
        # The relay goes on: the node dials again. Until all have heard of it, it is away.
        while True:
            asking.heard.clear()
            await until(lambda: asking.reached, within=HANG_S)
            asking.ask("logs")
            if (answer := await asking.last()).code != "node_away":
                break
        assert (answer.fault, asking.data) == ("", b"after\n")
