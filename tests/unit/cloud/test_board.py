"""What the board makes of reports."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

from cloud.board import ELSEWHERE_US, KEEP_EVERY_US, Board
from cloud.reported import ALIVE_US, report_of
from cloud.store.kept import Kept as StoredReport
from cloud.store.kept import Machine
from cloud.store.store import Store
from fogline.control.desired import Desired
from fogline.control.sums import roster_of
from fogline.model.caller import LOCAL
from fogline.model.clock import SECOND
from fogline.testing.clock import ManualClock
from fogline.v1 import control_pb2, types_pb2


class Kept:
    """Stands for the store: what was written, in order."""

    def __init__(self) -> None:
        self.nodes: list[str] = []
        self.rows: dict[Machine, tuple[int, bytes]] = {}

    async def take_reports(self, reports: Any, now_us: int, aggregators: Any) -> None:
        self.nodes += [report.node for report in reports]
        for report in reports:
            self.rows[Machine("node", report.tenant, report.node)] = (now_us, report.raw)
        for below in aggregators:
            self.rows[Machine("aggregator", below.tenant, below.aggregator)] = (now_us, below.raw)

    async def reports(self, known: Mapping[Machine, int]) -> list[StoredReport]:
        return [
            StoredReport(machine, seen_us, None if known.get(machine) == seen_us else raw)
            for machine, (seen_us, raw) in self.rows.items()
        ]


class Site:
    """A board with what it talks to."""

    def __init__(self, beside: "Site | None" = None) -> None:
        """``beside``: another process on the same store, whose clock stands elsewhere."""
        self.clock: ManualClock = ManualClock(beside.clock.now_us() + 3600 * SECOND if beside else 0)
        self.kept: Kept = beside.kept if beside else Kept()
        self.outbids: list[int] = []
        self.strays: list[list[int]] = []
        self.moves = self.deposals = 0
        self.board = Board(
            cast("Store", self.kept),
            self.clock,
            Desired(),
            outbid=self._outbid,
            astray=self._astray,
            depose=self._depose,
            moved=self._moved,
        )

    async def _astray(self, keys: Sequence[control_pb2.SigningKey]) -> None:
        self.strays.append([int(key.version) for key in keys])

    async def _depose(self) -> None:
        self.deposals += 1

    async def _outbid(self, generation: int) -> None:
        self.outbids.append(generation)

    def _moved(self) -> None:
        self.moves += 1

    def hear(self, at: int, *, epoch: int = 1, journaled: int = 0, generation: int = 0) -> None:
        here = types_pb2.Origin(tenant="main", node="n1", stream="air", epoch=epoch.to_bytes(16, "big"))
        node = control_pb2.NodeReport(
            node="n1",
            at_us=at,
            generation=generation,
            journals=[control_pb2.JournalReport(origin=here, journaled=journaled)],
        )
        below = control_pb2.AggregatorReport(aggregator="a1", at_us=at)
        request = control_pb2.AttachRequest(
            protocol=1, child="a1", role="aggregator", nodes=[node], aggregators=[below]
        )
        self.board.reported(request, LOCAL)

    @property
    def alive(self) -> list[bool]:
        nodes, aggregators = self.board.nodes("main"), self.board.aggregators("main")
        return [*map(self.board.is_alive, nodes), *map(self.board.is_alive, aggregators)]


async def test_a_tier_is_alive_while_it_says_something_new() -> None:
    site = Site()
    site.hear(1)
    assert site.alive == [True, True]
    await site.clock.advance(ALIVE_US / SECOND)
    site.hear(1)
    assert site.alive == [False, False], "its last word, passed up again, is no sign of life"
    site.hear(2)
    assert site.alive == [True, True]


async def test_a_report_that_was_overtaken_changes_nothing() -> None:
    site = Site()
    site.hear(2, journaled=20)
    site.hear(1, journaled=10)
    assert site.board.nodes("main")[0].report.journals[0].journaled == 20


async def test_a_clock_that_was_set_back_goes_on_being_heard() -> None:
    site = Site()
    site.hear(1000)
    await site.clock.advance(ALIVE_US / SECOND)
    site.hear(10)
    site.hear(10)
    assert site.alive == [False, False]
    site.hear(11)
    assert site.alive == [True, True]
    site.hear(12)
    assert site.board.nodes("main")[0].report.at_us == 12


async def test_news_is_kept_at_once_and_counters_now_and_then() -> None:
    site = Site()
    site.hear(1)
    await site.board.keep()
    site.hear(2, journaled=5)
    await site.board.keep()
    assert (site.kept.nodes, site.moves) == (["n1"], 1)
    site.hear(3, epoch=2)
    await site.board.keep()
    assert (site.kept.nodes, site.moves) == (["n1"] * 2, 2)
    site.hear(4, epoch=2, journaled=9)
    await site.clock.advance(5)
    await site.board.keep()
    assert (site.kept.nodes, site.moves) == (["n1"] * 3, 2)
    site.hear(5, epoch=2, journaled=10)
    await site.board.keep_all()
    assert site.kept.nodes == ["n1"] * 4


async def test_a_later_generation_is_outbid() -> None:
    site = Site()
    site.hear(1, generation=9)
    await site.board.keep()
    assert site.outbids == [9]


async def test_a_generation_that_means_something_else_to_a_machine_is_gone_beyond() -> None:
    site = Site()
    contested = control_pb2.NodeReport(node="n1", at_us=1, generation=5, contested=5)
    site.board.reported(control_pb2.AttachRequest(nodes=[contested]), LOCAL)
    await site.board.keep()
    assert site.outbids == [6]


async def test_what_an_aggregator_has_seen_is_outbid_too() -> None:
    site = Site()
    above = control_pb2.AggregatorReport(aggregator="a1", at_us=1, generation=7)
    site.board.reported(control_pb2.AttachRequest(aggregators=[above]), LOCAL)
    await site.board.keep()
    assert site.outbids == [7]


async def test_keys_that_only_machines_know_are_told_of() -> None:
    site = Site()
    stray = control_pb2.NodeReport(node="n1", at_us=1, known_keys=[control_pb2.SigningKey(version=3)])
    site.board.reported(control_pb2.AttachRequest(nodes=[stray]), LOCAL)
    await site.board.keep()
    assert site.strays == [[3]]
    await site.clock.advance(60)
    await site.board.keep()
    assert site.strays == [[3]], "it is silent now, and may follow long since"


async def test_a_node_speaks_for_its_own_journals_alone() -> None:
    site = Site()
    foreign = types_pb2.Origin(tenant="main", node="n2", stream="air", epoch=bytes(16))
    node = control_pb2.NodeReport(node="n1", at_us=1, journals=[control_pb2.JournalReport(origin=foreign)])
    site.board.reported(control_pb2.AttachRequest(nodes=[node]), LOCAL)
    assert report_of(site.board.nodes("main")[0]).journals == ()


async def test_journals_that_no_node_can_have_are_left_out_or_bounded() -> None:
    site = Site()
    site.hear(1, journaled=2**64 - 1)
    nonsense = control_pb2.JournalReport(origin=types_pb2.Origin(tenant="main", node="n1", stream="air"))
    site.board.nodes("main")[0].report.journals.append(nonsense)
    (kept,) = report_of(site.board.nodes("main")[0]).journals
    assert kept.journaled == 2**53


async def test_a_process_knows_the_children_of_another_on_the_same_store() -> None:
    here = Site()
    there = Site(beside=here)
    here.hear(1, journaled=5)
    await here.board.keep()
    await there.board.take_up()
    assert there.board.nodes("main")[0].report.journals[0].journaled == 5
    assert [word.report.aggregator for word in there.board.aggregators("main")] == ["a1"]


async def test_a_child_of_another_process_is_alive_while_its_reports_move_in_the_store() -> None:
    here = Site()
    there = Site(beside=here)
    for at in range(1, 10):
        here.hear(at)
        await here.board.keep()
        await there.board.take_up()
        assert at == 1 or there.alive == [True, True], "the clocks of the two are an hour apart"
        for site in (here, there):
            await site.clock.advance(KEEP_EVERY_US / SECOND)
    await there.clock.advance(ELSEWHERE_US / SECOND)
    await there.board.take_up()
    assert there.alive == [False, False]


async def test_the_word_that_is_heard_here_stands_over_an_older_one_in_the_store() -> None:
    here = Site()
    there = Site(beside=here)
    here.hear(1, journaled=1)
    await here.board.keep()
    there.hear(2, journaled=2)
    await there.board.take_up()
    assert there.board.nodes("main")[0].report.journals[0].journaled == 2
    await there.board.keep_all()
    await here.board.take_up()
    assert here.board.nodes("main")[0].report.journals[0].journaled == 2


async def test_what_another_process_retired_is_not_shown() -> None:
    here = Site()
    there = Site(beside=here)
    here.hear(1)
    await here.board.keep()
    await there.board.take_up()
    here.kept.rows.clear()
    await there.board.take_up()
    assert there.board.nodes("main") == []
    await here.board.take_up()
    assert len(here.board.nodes("main")) == 1, "it was heard a moment ago"
    await here.clock.advance(ALIVE_US / SECOND)
    await here.board.take_up()
    assert here.board.nodes("main") == []


class Grouped(Site):
    """A board below which an aggregator says sums."""

    def say(
        self, *nodes: control_pb2.NodeReport, among: Sequence[str], left: Sequence[str] = (), looked: int = 0
    ) -> None:
        roster = roster_of(among)
        figure = control_pb2.Figure(of="clients", total=40, most=30, nodes=len(among))
        request = control_pb2.AttachRequest(
            child="a1",
            role="aggregator",
            nodes=nodes,
            aggregators=[control_pb2.AggregatorReport(aggregator="a1", at_us=self.clock.now_us())],
            sums=control_pb2.GroupSums(nodes=roster.nodes, names=roster.names, figures=[figure]),
            left=left,
            looked=looked,
        )
        self.board.reported(request, LOCAL)

    def begin(self) -> None:
        reports = [control_pb2.NodeReport(node=name, at_us=1, clients=2) for name in ("n1", "n2")]
        self.say(*reports, among=["n1", "n2"])

    @property
    def clients(self) -> int:
        return sum(f.total for key, f in self.board.figures("main").items() if key.of == "clients")


async def test_a_node_of_which_only_sums_are_said_lives_as_long_as_its_aggregator() -> None:
    site = Grouped()
    site.begin()
    for _ in range(5):
        await site.clock.advance(3)
        site.say(among=["n1", "n2"])
    assert site.alive == [True, True, True]
    assert site.clients == 40
    assert site.board.nodes("main")[0].seen_us == site.clock.now_us()
    site.say(among=["n1"], left=["n2"])
    await site.clock.advance(2)
    site.say(among=["n1"])
    assert site.alive == [True, False, True], "its aggregator had waited for it already"
    site.board.left("a1")
    await site.clock.advance(ALIVE_US / SECOND)
    assert site.alive == [False, False, False]
    assert site.clients == 0


async def test_a_node_that_turns_up_elsewhere_is_counted_there_alone() -> None:
    site = Grouped()
    site.begin()
    moved = control_pb2.NodeReport(node="n2", at_us=5, clients=7)
    site.board.reported(control_pb2.AttachRequest(child="n2", role="node", nodes=[moved]), LOCAL)
    assert site.clients == 2 + 7, "the sums are left aside until the aggregator has missed it"
    site.say(among=["n1"], left=["n2"])
    assert site.clients == 40 + 7
    assert site.alive == [True, True, True]


async def test_only_what_came_up_is_written() -> None:
    site = Grouped()
    site.begin()
    await site.board.keep()
    await site.clock.advance(5)
    site.say(control_pb2.NodeReport(node="n1", at_us=2), among=["n1", "n2"])
    await site.board.keep()
    assert site.kept.nodes == ["n1", "n2", "n1"]


async def test_another_process_knows_which_nodes_of_a_group_live() -> None:
    here = Grouped()
    here.begin()
    there = Site(beside=here)
    for _ in range(5):
        await here.board.keep()
        await there.board.take_up()
        for site in (here, there):
            await site.clock.advance(3)
        here.say(among=["n1", "n2"])
    assert there.alive == [True, True, True]
    here.say(among=["n1"], left=["n2"])
    for _ in range(3):
        await here.board.keep()
        await there.board.take_up()
        for site in (here, there):
            await site.clock.advance(3)
        here.say(among=["n1"])
    assert there.alive == [True, False, True]


async def test_whoever_looks_is_told_when_the_aggregators_have_answered() -> None:
    site = Grouped()
    await site.board.look("main")
    assert site.board.looks.number == 0, "nobody says sums"
    site.begin()
    looking = asyncio.create_task(site.board.look("main", ["n2"]))
    number, look = await site.board.looks.after(0)
    assert (number, list(look.nodes)) == (1, ["n2"])
    site.say(among=["n1", "n2"])
    site.say(control_pb2.NodeReport(node="n2", at_us=3, clients=9), among=["n1", "n2"], looked=1)
    await looking
    assert site.board.nodes("main")[1].report.clients == 9


async def test_an_aggregator_that_does_not_answer_is_not_waited_for_long() -> None:
    site = Grouped()
    site.begin()
    await site.board.look("main")
    assert site.board.nodes("main")[1].report.clients == 2


async def moved_to(site: Site, parent: str, at: int) -> None:
    node = control_pb2.NodeReport(node="n1", at_us=at)
    above = control_pb2.AggregatorReport(aggregator=parent, at_us=at)
    request = control_pb2.AttachRequest(child=parent, role="aggregator", nodes=[node], aggregators=[above])
    site.board.reported(request, LOCAL)
    await site.board.keep()


async def test_a_group_that_goes_over_to_another_aggregator_deposes_the_one_that_is_gone() -> None:
    site = Site()
    await moved_to(site, "a1", 1)
    site.board.left("a1")
    await moved_to(site, "a2", 2)
    assert site.deposals == 0, "it may be there still, and the node have moved"
    await site.clock.advance(ALIVE_US / SECOND)
    await moved_to(site, "a2", 3)
    await moved_to(site, "a2", 4)
    assert site.deposals == 1


async def test_a_node_that_moves_between_aggregators_that_live_deposes_nobody() -> None:
    site = Site()
    for at in range(1, 20):
        await moved_to(site, "a1", 2 * at)
        await moved_to(site, "a2", 2 * at + 1)
        await site.clock.advance(3)
    assert site.deposals == 0
