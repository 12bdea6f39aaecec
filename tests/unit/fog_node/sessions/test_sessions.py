"""A node's sessions, without a stream."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fog_node.runtimes.runtime import Output
from fog_node.sessions.answering import LENGTH_BYTES, LOOK_EVERY_S, Answering
from fog_node.sessions.audit import Audit
from fog_node.sessions.sessions import ContainerSessions
from fogline.control.sessions import NODE_SESSIONS, WINDOW
from fogline.testing.clock import ManualClock
from fogline.testing.until import until
from fogline.v1 import control_pb2
from tests.guests import CLEAN, MemoryGuests


class Asker:
    """The other end of a node's sessions."""

    def __init__(
        self, sessions: ContainerSessions, guests: MemoryGuests, clock: ManualClock, audit: Path
    ) -> None:
        self.sessions = sessions
        self.guests = guests
        self.clock = clock
        self.audit = audit
        self.got: dict[str, list[control_pb2.SessionOutput]] = {}
        self.begun: list[str] = []

    def ask(self, what: str, *, name: str = "s", follow: bool = False, command: tuple[str, ...] = ()) -> None:
        ask = control_pb2.SessionAsk(
            what=what,
            kind=CLEAN.kind,
            plan=CLEAN.plan,
            name=CLEAN.name,
            follow=follow,
            command=command,
            caller="ann",
        )
        self.sessions.hear([control_pb2.SessionInput(id=name, node="n1", ask=ask)])

    def feed(
        self, data: bytes = b"", *, name: str = "s", end: bool = False, cancel: bool = False, credit: int = 0
    ) -> None:
        fed = control_pb2.SessionInput(id=name, data=data, end=end, cancel=cancel, credit=credit)
        self.sessions.hear([fed])

    async def read(self) -> None:
        for output in await self.sessions.post.take():
            if output == control_pb2.SessionOutput(id=output.id):
                self.begun.append(output.id)
            else:
                self.got.setdefault(output.id, []).append(output)

    async def last(self, name: str = "s", *, credit: bool = True) -> control_pb2.SessionOutput:
        while not (self.got.get(name) and self.got[name][-1].end):
            before = len(self.data(name))
            await self.read()
            if credit:
                self.feed(name=name, credit=len(self.data(name)) - before)
        return self.got[name][-1]

    def data(self, name: str = "s") -> bytes:
        return b"".join(output.data for output in self.got.get(name, ()))

    def notes(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.audit.read_text().splitlines()]


@asynccontextmanager
async def asking(folder: Path, *, allowed: bool = True) -> AsyncIterator[Asker]:
    guests, clock, audit = MemoryGuests(), ManualClock(), folder / "audit" / "exec.jsonl"
    answering = Answering(
        guests, node="n1", may_execute=lambda tenant: allowed, audit=Audit(audit), clock=clock
    )
    async with ContainerSessions(answering) as sessions:
        yield Asker(sessions, guests, clock, audit)


async def test_logs_come_and_end(tmp_path: Path) -> None:
    async with asking(tmp_path) as asker:
        asker.guests.start()
        asker.guests.runtime.write("c1", Output(1, b"one\n"), Output(2, b"two\n"))
        asker.ask("logs")
        assert (await asker.last()).fault == ""
        assert [(one.channel, one.data) for one in asker.got["s"][:-1]] == [(1, b"one\n"), (2, b"two\n")]
        assert asker.sessions.open == 0


async def test_a_follower_goes_on_with_the_container_that_comes_next(tmp_path: Path) -> None:
    async with asking(tmp_path) as asker:
        asker.guests.start()
        asker.ask("logs", follow=True)
        asker.guests.runtime.write("c1", Output(1, b"first life\n"))
        while not asker.data():
            await asker.read()
        assert asker.begun == ["s"]
        asker.guests.end()
        await asker.clock.slept(1)
        asker.guests.start(name="c2")
        asker.guests.runtime.write("c2", Output(1, b"second life\n"))
        await asker.clock.advance(LOOK_EVERY_S)
        while not asker.data().endswith(b"second life\n"):
            await asker.read()
        assert asker.data() == b"first life\nsecond life\n"
        asker.feed(cancel=True)
        await until(lambda: asker.guests.runtime.readers == 0)


async def test_a_follower_who_does_not_read_is_told_how_much_was_left_out(tmp_path: Path) -> None:
    async with asking(tmp_path) as asker:
        asker.guests.start()
        asker.ask("logs", follow=True)
        await until(lambda: asker.guests.runtime.readers == 1)
        flood = [Output(1, bytes([65 + n % 26]) * 1024) for n in range(1000)]
        asker.guests.runtime.write("c1", *flood)
        while len(asker.data()) < WINDOW:
            await asker.read()
        assert len(asker.data()) == WINDOW
        asker.guests.end()
        await asker.clock.slept(1)
        asker.guests.containers.clear()
        await asker.clock.advance(LOOK_EVERY_S)
        asker.feed(credit=10**6)
        await asker.last()
        dropped = sum(output.dropped for output in asker.got["s"])
        assert dropped > 0
        assert len(asker.data()) + dropped == 1000 * 1024


async def test_what_is_not_followed_waits_for_its_reader(tmp_path: Path) -> None:
    async with asking(tmp_path) as asker:
        asker.guests.start()
        asker.ask("exec", command=("flood", "1000"))
        await asker.last()
        assert len(asker.data()) == 1000 * 1024
        assert all(output.dropped == 0 for output in asker.got["s"])


async def test_a_command_reads_what_is_fed_and_is_written_down(tmp_path: Path) -> None:
    async with asking(tmp_path) as asker:
        asker.guests.start()
        asker.ask("exec", command=("cat",))
        asker.feed(b"hello ")
        asker.feed(b"world", end=True)
        assert (await asker.last()).exit_code == 0
        assert asker.data() == b"hello world"
        assert sum(output.credit for output in asker.got["s"]) == len(b"hello world")
        begun, ended = asker.notes()
        assert (begun["event"], begun["caller"], begun["command"]) == ("begun", "ann", ["cat"])
        assert begun["container"] == "c1"
        assert (ended["event"], ended["outcome"]) == ("ended", "0")


async def test_exit_code_and_standard_error_come_back(tmp_path: Path) -> None:
    async with asking(tmp_path) as asker:
        asker.guests.start()
        asker.ask("exec", command=("nonsense",))
        assert (await asker.last()).exit_code == 127
        assert [(one.channel, one.data) for one in asker.got["s"][:-1]] == [(2, b"not found\n")]


async def test_a_node_that_does_not_allow_commands_says_so_and_writes_down_who_tried(tmp_path: Path) -> None:
    async with asking(tmp_path, allowed=False) as asker:
        asker.guests.start()
        asker.ask("exec", command=("cat",))
        last = await asker.last()
        assert last.code == "exec_not_allowed"
        assert "node n1" in last.fault
        assert "allow_exec" in last.hint
        assert [note["event"] for note in asker.notes()] == ["refused"]
        assert asker.guests.runtime.commands == []


async def test_a_command_whose_asker_goes_is_called_off(tmp_path: Path) -> None:
    async with asking(tmp_path) as asker:
        asker.guests.start()
        asker.ask("exec", command=("cat",))
        asker.feed(b"x")
        while not asker.data():
            await asker.read()
        asker.sessions.lost()
        await until(lambda: len(asker.notes()) == 2)
        assert asker.notes()[1]["outcome"] == "called off"


async def test_who_feeds_more_than_was_allowed_is_ended(tmp_path: Path) -> None:
    async with asking(tmp_path) as asker:
        asker.guests.start()
        asker.ask("exec", command=("nothing reads",))
        asker.feed(b"x" * (WINDOW + 1))
        assert (await asker.last()).code == "invalid_input"


async def test_usage_is_measured(tmp_path: Path) -> None:
    async with asking(tmp_path) as asker:
        asker.guests.start()
        asker.ask("top")
        await asker.last()
        raw = asker.data()
        assert int.from_bytes(raw[:LENGTH_BYTES], "little") == len(raw) - LENGTH_BYTES
        sample = control_pb2.NodeReport.FromString(raw[LENGTH_BYTES:])
        (container,) = sample.containers
        assert (container.name, container.cpu_us, container.throttled_us) == ("clean", 5_000, 7)
        assert sample.capacity.cpu_millis == 4000


async def test_what_does_not_run_is_said_with_its_state(tmp_path: Path) -> None:
    async with asking(tmp_path) as asker:
        asker.ask("logs", name="none")
        assert (await asker.last("none")).code == "no_such_container"
        asker.guests.start()
        asker.guests.end()
        asker.ask("logs", name="dead")
        last = await asker.last("dead")
        assert "backing_off: it exited with code 3" in last.fault


async def test_no_more_sessions_than_may_be(tmp_path: Path) -> None:
    async with asking(tmp_path) as asker:
        asker.guests.start()
        for number in range(NODE_SESSIONS):
            asker.ask("logs", name=str(number), follow=True)
        asker.ask("logs", name="one more", follow=True)
        assert (await asker.last("one more")).code == "too_many_sessions"
        asker.feed(name="0", cancel=True)
        asker.ask("logs", name="again", follow=True)
        assert asker.sessions.open == NODE_SESSIONS


async def test_what_nobody_knows_is_refused(tmp_path: Path) -> None:
    async with asking(tmp_path) as asker:
        asker.ask("format the disk")
        assert (await asker.last()).code == "invalid_input"
        asker.feed(b"to nobody", name="gone")
