"""What somebody between the cloud and a node can do to desired state: nothing but withhold it."""

import hashlib
import os
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from random import Random

from fog_node.journal.journal import Journal
from fog_node.node import Node
from fog_node.reconcile.desired import Assigned
from fog_node.settings import NodeSettings
from fogline.control.assignments import Place
from fogline.control.keep import KeptDesired, read_word
from fogline.control.word import Word
from fogline.model.clock import SystemClock
from fogline.testing.control import ControlParent, KeyChain, MemoryHub, desired_state
from fogline.testing.until import until as soon
from fogline.v1 import control_pb2
from tests.integration.control.told import HearingNode, aggregating, granted, hearing

until = partial(soon, within=60.0)


class Between(MemoryHub):
    """A parent that passes on whatever it likes."""

    def say(self, word: Word) -> None:
        """Say this, newer or not."""
        self.desired._newest.set(word)


def tampered(word: Word, state: control_pb2.DesiredState) -> Word:
    assert word.signed is not None
    signed = control_pb2.SignedState()
    signed.CopyFrom(word.signed)
    signed.content = state.SerializeToString()
    return Word(state=state, signed=signed, keys=word.keys)


async def test_what_somebody_in_between_makes_up_is_refused_counted_and_said(tmp_path: Path) -> None:
    chain = KeyChain()
    between = Between()
    parent = ControlParent(between)
    async with parent.server:
        node = HearingNode(tmp_path / "node", parent.server.address)
        async with hearing(node):
            between.say(chain.word(desired_state(3, "right")))
            assert (await node.told.desired.newer_than(0)).plans[0].id == "right"
            for word, reason in (
                (tampered(chain.word(desired_state(4)), desired_state(4, "mine")), "tampered"),
                (KeyChain().word(desired_state(5, "mine")), "unknown_key"),
                (chain.word(desired_state(2, "replayed")), "older"),
                (chain.word(desired_state(3, "the same number")), "contested"),
            ):
                between.say(word)
                await until(partial(refused, node, reason))
                await until(lambda: any("state" in fault or "key" in fault for fault in said(between)))
                assert node.told.desired.state == desired_state(3, "right")
            between.say(chain.word(desired_state(6, "right again")))
            await node.told.desired.newer_than(3)
            await until(lambda: not said(between))
    kept = read_word(tmp_path / "node" / "desired")
    assert kept is not None
    assert kept[0].state == desired_state(6, "right again")


def refused(node: HearingNode, reason: str) -> bool:
    return bool(node.told.refused.get(reason, 0))


def said(hub: MemoryHub) -> list[str]:
    return list(hub.nodes["n1"].faults) if hub.nodes else []


async def test_an_aggregator_passes_on_only_what_the_cloud_has_signed(tmp_path: Path) -> None:
    chain = KeyChain()
    between = Between()
    parent = ControlParent(between)
    async with parent.server, aggregating(tmp_path / "a1", parent.server.address) as aggregator:
        node = HearingNode(tmp_path / "node", aggregator.server.address)
        async with hearing(node):
            word = chain.word(desired_state(3, "right"))
            between.say(word)
            await node.told.desired.newer_than(0)
            assert node.told.desired.word == word, "byte for byte"
            between.say(tampered(chain.word(desired_state(4)), desired_state(4, "mine")))
            await until(lambda: "changed on its way" in str(own_faults(between)))
            assert node.told.desired.generation == 3


def own_faults(hub: MemoryHub) -> list[str]:
    return [fault for report in hub.reports.values() for each in report.aggregators for fault in each.faults]


async def test_a_node_that_was_away_during_rotations_follows_them(tmp_path: Path) -> None:
    chain = KeyChain()
    hub = MemoryHub(desired_state(1), chain=chain)
    parent = ControlParent(hub)
    async with parent.server:
        async with hearing(node := HearingNode(tmp_path / "node", parent.server.address)):
            await node.told.desired.newer_than(0)
        stolen = chain.word(desired_state(50, "with the key of before"))
        for generation in (2, 3, 4):
            chain.rotate()
            assert hub.tell(desired_state(generation))
        async with hearing(node := HearingNode(tmp_path / "node", parent.server.address)):
            await node.told.desired.newer_than(3)
            assert not await KeptDesired(tmp_path / "node" / "desired").accept(stolen.told())


async def test_a_node_that_starts_without_a_parent_runs_what_the_cloud_has_signed(tmp_path: Path) -> None:
    chain = KeyChain()
    folder = tmp_path / "node"
    told = HearingNode(folder, "127.0.0.1:1").told
    await told.hear(chain.word(desired_state(7)).told())
    assert await started(folder) == 7
    path = folder / "desired"
    forged = chain.word(desired_state(7)).told()
    forged.signed.content = desired_state(9, "mine").SerializeToString()
    content = forged.SerializeToString()
    path.write_bytes(b"fogline desired state 2\n" + hashlib.sha256(content).digest() + content)
    assert await started(folder) == 0, "forged"
    path.write_bytes(path.read_bytes()[:100])
    assert await started(folder) == 0, "torn"


async def started(folder: Path) -> int:
    """The generation that a node runs which has heard of nobody yet."""
    settings = NodeSettings(name="n1", folder=folder, parents=("127.0.0.1:1",))
    journal = Journal(
        settings.journal, folder=folder / "journal", node="n1", clock=SystemClock(), entropy=os.urandom
    )
    async with journal:
        node = Node(settings, journal, clock=SystemClock(), rng=Random(1))
        await node.resume()
        return node._plans.applied.generation


async def test_a_node_goes_to_the_next_aggregator_and_obeys_it(tmp_path: Path) -> None:
    hub = MemoryHub(granted(5))
    parent = ControlParent(hub)
    shares = {("p", "clean"): Assigned(replicas=2)}
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(parent.server)
        second = await stack.enter_async_context(
            aggregating(tmp_path / "a2", parent.server.address, name="a2")
        )
        async with aggregating(tmp_path / "a1", parent.server.address, name="a1") as first:
            node = HearingNode(tmp_path / "node", first.server.address, second.server.address)
            await stack.enter_async_context(hearing(node))
            await until(lambda: node.assigned == shares)
            assert assigned_by(node) == ("a1", Place(5, 1, 1))
            await until(lambda: hub.nodes["n1"].sequence == 1 if "n1" in hub.nodes else False)
        await until(lambda: assigned_by(node) == ("a2", Place(5, 1, 2)))
        assert node.assigned == shares
        hub.tell(granted(6))
        await until(lambda: assigned_by(node)[1][0] == 6)
    # And alone again after a power cut it knows what it was assigned.
    again = HearingNode(tmp_path / "node", "127.0.0.1:1")
    again.told.assign()
    assert again.assigned == shares


def assigned_by(node: HearingNode) -> tuple[str, Place]:
    given = node.told._assignments.given
    return ("", Place(0, 0, 0)) if given is None else (given.content.aggregator, given.place)


async def test_an_aggregator_assigns_while_the_cloud_is_away(tmp_path: Path) -> None:
    hub = MemoryHub(granted(5))
    parent = ControlParent(hub)
    async with parent.server, aggregating(tmp_path / "a1", parent.server.address) as aggregator:
        await until(lambda: aggregator.generation == 5)
    async with aggregating(tmp_path / "a1", "127.0.0.1:1") as aggregator:
        first, second = (
            HearingNode(tmp_path / name, aggregator.server.address, name=name) for name in ("n1", "n2")
        )
        async with hearing(first):
            await until(lambda: bool(first.assigned))
            async with hearing(second):
                await until(lambda: bool(second.assigned))
                assert second.assigned == first.assigned == {("p", "clean"): Assigned(replicas=2)}


async def test_an_aggregator_that_is_not_in_the_succession_assigns_nothing(tmp_path: Path) -> None:
    hub = MemoryHub(granted(5, aggregators=("a2",)))
    parent = ControlParent(hub)
    async with parent.server, aggregating(tmp_path / "a1", parent.server.address) as aggregator:
        node = HearingNode(tmp_path / "node", aggregator.server.address)
        async with hearing(node):
            await until(lambda: "n1" in hub.nodes and hub.nodes["n1"].generation == 5)
            assert aggregator._group.members()
            await aggregator._group.assigner.look()
            assert aggregator._group.assignments.value is None
            # One that does it all the same is not obeyed.
            entry = control_pb2.Assignment(node="n1", plan="p", step="clean", replicas=4)
            content = control_pb2.Assignments(
                aggregator="a1", generation=5, term=1, sequence=9, assignments=[entry]
            )
            signed = control_pb2.SignedAssignments(content=content.SerializeToString())
            aggregator._group.assignments.set(signed)
            await until(lambda: any("does not let a1 assign" in fault for fault in said(hub)))
            assert node.assigned == {}
