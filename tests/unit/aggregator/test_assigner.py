"""Assignments are on disk before they are told, and never go back."""

from pathlib import Path

from aggregator.assigner import Assigner
from aggregator.assigning import Member
from fogline.control.assignments import Place, opened
from fogline.control.desired import Desired
from fogline.control.word import Word
from fogline.v1 import control_pb2

OPERATOR = control_pb2.OperatorRelease(
    step="s", image="acme/clean@sha256:" + "0" * 64, min_replicas=1, max_replicas=2
)


class Site:
    def __init__(self, folder: Path) -> None:
        self.desired = Desired()
        self.members: list[Member] = []
        self.assigner = Assigner(
            folder / "assignments", aggregator="a1", desired=self.desired, members=lambda: self.members
        )

    def grant(self, generation: int) -> None:
        grant = control_pb2.Grant(plan="p", term=1, operators=[OPERATOR])
        self.desired.offer(Word(state=control_pb2.DesiredState(generation=generation, grants=[grant])))

    def join(self, *nodes: str, seen: int = 0) -> None:
        self.members = [
            Member(name=node, capacity=control_pb2.Capacity(runtimes=["docker"]), sequence=seen)
            for node in nodes
        ]

    async def told(self) -> tuple[Place, list[str]]:
        await self.assigner.look()
        signed = self.assigner.newest.value
        assert signed is not None
        given = opened(signed, None)
        return given.place, [one.node for one in given.content.assignments]


async def test_a_group_is_assigned_what_is_granted(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await site.assigner.look()
    site.grant(4)
    await site.assigner.look()
    assert site.assigner.newest.value is None, "nobody is there yet"
    site.join("n1")
    assert await site.told() == ((4, 1, 1), ["n1"])
    assert await site.told() == ((4, 1, 1), ["n1"])
    site.join("n1", "n2")
    assert await site.told() == ((4, 1, 2), ["n1", "n2"])


async def test_a_restart_without_the_cloud_tells_the_same_and_then_counts_on(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.grant(4)
    site.join("n1")
    await site.told()
    again = Site(tmp_path)
    assert again.assigner.newest.value == site.assigner.newest.value
    again.grant(4)
    again.join("n1", "n2")
    assert await again.told() == ((4, 1, 2), ["n1", "n2"])


async def test_a_lost_file_is_made_up_for_by_what_the_nodes_have_seen(
    tmp_path: Path,
) -> None:
    (tmp_path / "assignments").write_bytes(b"damaged")
    site = Site(tmp_path)
    site.grant(4)
    site.join("n1", seen=41)
    assert await site.told() == ((4, 1, 42), ["n1"])


async def test_what_cannot_be_kept_is_not_told(tmp_path: Path) -> None:
    site = Site(tmp_path / "gone")
    site.grant(4)
    site.join("n1")
    await site.assigner.look()
    assert site.assigner.newest.value is None
    assert "none are given out" in site.assigner.fault
    (tmp_path / "gone").mkdir()
    assert await site.told() == ((4, 1, 1), ["n1"])
    assert site.assigner.fault == ""
