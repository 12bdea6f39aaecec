"""Which images a node takes for its own, and which go."""

from pathlib import Path
from typing import Any

import pytest

from fog_node.reconcile.housekeeping import ImageKeeper
from fog_node.reconcile.images import Pulled
from fog_node.runtimes.naming import kept_as
from fog_node.runtimes.runtime import ContainerFault, Image
from fog_node.runtimes.settings import RuntimeSettings
from fogline.testing.clock import ManualClock

A, B, C = (f"r.example/acme/{letter}@sha256:{letter * 64}" for letter in "abc")
NOBODY: frozenset[str] = frozenset()


class Shelf:
    """A runtime of which only images are asked."""

    def __init__(self) -> None:
        self.here: dict[str, tuple[str, ...]] = {}
        """By reference: the names by which it is known."""
        self.used: set[str] = set()
        self.free = 1000
        self.removed: list[str] = []

    async def images(self) -> tuple[Image, ...]:
        return tuple(
            Image(id=f"id-{name}", names=(f"id-{name}", *names), size_bytes=10)
            for name, names in self.here.items()
        )

    async def remove_image(self, image: str) -> None:
        if image in self.used:
            raise ContainerFault("a container uses it", reason="conflict")
        self.removed.append(image)
        del self.here[image]

    async def free_bytes(self) -> int:
        return self.free


@pytest.fixture
def shelf() -> Any:
    return Shelf()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def keeper(tmp_path: Path, clock: ManualClock) -> ImageKeeper:
    return ImageKeeper(tmp_path / "pulled", RuntimeSettings(images=15, reserve=100), clock)


async def test_what_was_wanted_last_stays_longest(
    shelf: Any, keeper: ImageKeeper, clock: ManualClock
) -> None:
    for image, names in ((A, (A,)), (B, (kept_as(B),))):
        await keeper.make_room(shelf, image, lambda: frozenset({A, B}))
        shelf.here[image] = names
        await keeper.settled(shelf, image)
        await clock.advance(1.0)
    await keeper.tidy(shelf, lambda: frozenset({A, B}))
    assert shelf.removed == []
    await clock.advance(1.0)
    await keeper.tidy(shelf, lambda: frozenset({A}))  # B is unwanted from now on
    assert shelf.removed == [B]
    await keeper.make_room(shelf, B, lambda: frozenset({A, B}))
    shelf.here[B] = (kept_as(B),)
    await keeper.settled(shelf, B)
    await clock.advance(1.0)
    await keeper.tidy(shelf, lambda: frozenset({A, B}))
    await clock.advance(1.0)
    await keeper.tidy(shelf, lambda: NOBODY)
    assert shelf.removed == [B, A], "both ceased to be wanted in one moment: then by name"


async def test_what_is_used_or_was_brought_by_hand_or_is_named_in_the_last_moment_stays(
    shelf: Any, keeper: ImageKeeper, tmp_path: Path
) -> None:
    for image in (A, B, C):
        await keeper.make_room(shelf, image, lambda: frozenset({A, B, C}))
    shelf.here = {A: (A,), B: (B,), C: ("by-hand:1",)}
    for image in (A, B, C):
        await keeper.settled(shelf, image)
    shelf.used = {A}
    asked = iter((NOBODY, NOBODY, NOBODY, NOBODY))
    await keeper.tidy(shelf, lambda: next(asked, frozenset({B})))
    assert shelf.removed == []
    assert Pulled(tmp_path / "pulled").wanted_us.keys() == {A, B}


async def test_of_a_pull_that_failed_only_what_came_is_the_nodes(
    shelf: Any, keeper: ImageKeeper, tmp_path: Path
) -> None:
    for image in (A, B):
        await keeper.make_room(shelf, image, lambda: NOBODY)
    shelf.here = {A: (A,)}  # it is of another architecture
    for image in (A, B):
        await keeper.settled(shelf, image)
    assert Pulled(tmp_path / "pulled").wanted_us.keys() == {A}


async def test_nothing_is_asked_where_nothing_was_pulled(keeper: ImageKeeper) -> None:
    await keeper.tidy(object(), lambda: NOBODY)  # type: ignore[arg-type]  # it would fail


async def test_too_little_disk_is_said_before_a_pull(shelf: Any, keeper: ImageKeeper) -> None:
    await keeper.make_room(shelf, A, lambda: NOBODY)
    shelf.here, shelf.free = {A: (A,)}, 50
    await keeper.settled(shelf, A)
    with pytest.raises(ContainerFault, match="disk are free") as full:
        await keeper.make_room(shelf, B, lambda: NOBODY)
    assert full.value.reason == "disk_full"
    assert shelf.removed == [A]
