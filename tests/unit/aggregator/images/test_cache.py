"""The cache of images: fetched once, checked, kept, and never what nobody may have."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from aggregator.images.cache import AT_ONCE, ImageCache
from aggregator.images.settings import ImageSettings
from fogline.control.word import Word
from fogline.model.caller import Caller, Right
from fogline.model.errors import DataLoss, NotAllowed, Unavailable
from fogline.registry.parent import NoCache
from fogline.testing.until import until
from tests.conftest import absent
from tests.faults.small_disk import CannotMount, small_disk
from tests.images import ImageFile, digest, layer, make_image
from tests.unit.aggregator.images.group import (
    NODE,
    Staged,
    ask,
    ask_all,
    desiring,
    running_cache,
    state_of,
)

HANG_S = 60.0

pytestmark = pytest.mark.usefixtures("loop_is_never_blocked")


def image_of(text: str) -> ImageFile:
    return make_image((layer({"/app": text.encode() * 100}),), entrypoint=("/app",))


@pytest.fixture
def image() -> ImageFile:
    return image_of("one")


async def test_a_piece_is_fetched_once_and_survives_a_restart(tmp_path: Path, image: ImageFile) -> None:
    upstream = Staged()
    named = upstream.has(image)
    async with running_cache(tmp_path, desiring(named), upstream) as cache:
        first = await ask_all(cache, named, image)
        assert first == [image.manifest, image.config, *image.layers]
        assert await ask_all(cache, named, image) == first
        assert cache.counters.asked == {"miss": 3, "hit": 3}
    assert upstream.closed
    async with running_cache(tmp_path, desiring(named), upstream) as cache:
        assert await ask_all(cache, named, image) == first
        assert cache.held_bytes == sum(map(len, first))
    assert len(upstream.asked) == 3


async def test_however_many_ask_at_once_it_comes_once(tmp_path: Path, image: ImageFile) -> None:
    upstream = Staged(held=asyncio.Event())
    named = upstream.has(image)
    async with running_cache(tmp_path, desiring(named), upstream) as cache, asyncio.TaskGroup() as group:
        asking = [group.create_task(ask(cache, named, digest(image.manifest))) for _ in range(20)]
        gone = group.create_task(ask(cache, named, digest(image.manifest)))
        await until(lambda: cache.counters.asked.total() == 21, within=HANG_S)
        # Who asked first may go: the others still want it.
        asking[0].cancel()
        gone.cancel()
        upstream.held.set()  # type: ignore[union-attr]  # it was given above
        assert {await one for one in asking[1:]} == {image.manifest}
    assert upstream.asked == [(digest(image.manifest), 0)]


async def test_nobody_makes_it_fetch_what_desired_state_does_not_name(
    tmp_path: Path, image: ImageFile
) -> None:
    upstream = Staged()
    named, other = upstream.has(image), image_of("two")
    upstream.has(other)
    top = digest(image.manifest)
    elsewhere = Caller(tenant="main", rights=frozenset(Right), role="node", name="n2")
    below = Caller(tenant="main", rights=frozenset(Right), role="aggregator", name="a2")
    async with running_cache(tmp_path, desiring(named, nodes=("n1",)), upstream) as cache:
        for asked, piece, caller in (
            (f"r.example/acme/clean@{digest(other.manifest)}", digest(other.manifest), NODE),
            (named.replace("r.example", "evil.example"), top, NODE),
            (named, digest(other.manifest), NODE),
            (named, image.id, NODE),  # its manifest was not asked for before
            (named, top, elsewhere),
            ("process:clean@" + top, top, NODE),
            ("../../etc/passwd", top, NODE),
            (named, "sha256:../../../etc/passwd", NODE),
        ):
            with pytest.raises(NotAllowed):
                await ask(cache, asked, piece, caller)
        assert upstream.asked == []
        assert cache.counters.asked == {"refused": 8}
        assert await ask(cache, named, top, below) == image.manifest
        with pytest.raises(NotAllowed, match="no part of"):
            await ask(cache, named, digest(other.manifest))


async def test_what_the_digest_does_not_name_is_never_served(tmp_path: Path, image: ImageFile) -> None:
    upstream = Staged()
    named = upstream.has(image)
    blob = digest(image.layers[0])
    good = upstream.pieces[blob]
    async with running_cache(tmp_path, desiring(named), upstream) as cache:
        await ask(cache, named, digest(image.manifest))
        for wrong in (good[:-1] + b"x", good[:-1], good + b"x", b""):
            upstream.pieces[blob] = wrong
            with pytest.raises(Unavailable, match="does not name"):
                await ask(cache, named, blob)
        assert cache.counters.errors == {("registry", "bad_digest"): 4}
        assert [blob in fault and named in fault for fault in cache.faults] == [True]
        assert list((tmp_path / "sha256").iterdir()) == [tmp_path / "sha256" / digest(image.manifest)[7:]]
        upstream.pieces[blob] = good
        assert await ask(cache, named, blob) == good
        assert cache.faults == []


async def test_what_a_killed_life_has_left_is_gone_on_with(tmp_path: Path, image: ImageFile) -> None:
    upstream = Staged()
    named = upstream.has(image)
    blob = digest(image.layers[0])
    async with running_cache(tmp_path, desiring(named), upstream) as cache:
        await ask(cache, named, digest(image.manifest))
        upstream.breaks_after = 1000
        with pytest.raises(Unavailable, match="the line broke"):
            await ask(cache, named, blob)
        upstream.breaks_after = 0
    assert (tmp_path / "partial" / blob[7:]).read_bytes() == image.layers[0][:1000]
    async with running_cache(tmp_path, desiring(named), upstream) as cache:
        assert await ask(cache, named, blob) == image.layers[0]
        assert cache.counters.fetched_bytes == {"registry": len(image.layers[0]) - 1000}
    assert upstream.asked[1:] == [(blob, 0), (blob, 1000)]


@pytest.mark.parametrize("left", [b"\0" * 1000, b"\0" * 10**6])
async def test_what_a_power_cut_has_spoiled_is_begun_anew(
    tmp_path: Path, image: ImageFile, left: bytes
) -> None:
    upstream = Staged()
    named = upstream.has(image)
    blob = digest(image.layers[0])
    (tmp_path / "partial").mkdir()
    (tmp_path / "partial" / blob[7:]).write_bytes(left)
    async with running_cache(tmp_path, desiring(named), upstream) as cache:
        await ask(cache, named, digest(image.manifest))
        assert await ask(cache, named, blob) == image.layers[0]
    assert upstream.asked[-1] == (blob, 0)
    assert list((tmp_path / "partial").iterdir()) == []


async def test_what_has_changed_on_the_disk_is_fetched_anew(tmp_path: Path, image: ImageFile) -> None:
    upstream = Staged()
    named = upstream.has(image)
    blob = digest(image.layers[0])
    async with running_cache(tmp_path, desiring(named), upstream) as cache:
        await ask_all(cache, named, image)
        kept = tmp_path / "sha256" / blob[7:]
        kept.write_bytes(b"x" * len(image.layers[0]))
        with pytest.raises(DataLoss, match="has changed"):
            await ask(cache, named, blob)
        assert await ask(cache, named, blob) == image.layers[0]
        kept.unlink()
        with pytest.raises(DataLoss, match="was removed"):
            await ask(cache, named, blob)
        assert await ask(cache, named, blob) == image.layers[0]


async def test_the_nearest_is_asked_first_and_the_next_when_it_has_nothing(
    tmp_path: Path, image: ImageFile
) -> None:
    parent, registry = Staged(name="parent", fault=NoCache("none")), Staged()
    named = registry.has(image)
    top = digest(image.manifest)
    async with running_cache(tmp_path / "a", desiring(named), parent, registry) as cache:
        assert await ask(cache, named, top) == image.manifest
        assert cache.counters.errors == {}
    parent.fault, registry.fault = Unavailable("cut"), Unavailable("no route")
    async with running_cache(tmp_path / "b", desiring(named), parent, registry) as cache:
        with pytest.raises(Unavailable, match="the parent: cut; the registry: no route"):
            await ask(cache, named, top)
        assert cache.faults == [f"image {named}: the parent: cut; the registry: no route"]
        parent.fault = None
        parent.has(image)
        assert await ask(cache, named, top) == image.manifest


async def test_a_full_cache_lets_go_of_what_nobody_wants_and_never_of_more(
    tmp_path: Path, image: ImageFile
) -> None:
    upstream, others = Staged(), [image_of("two"), image_of("three")]
    named = [upstream.has(one) for one in (image, *others)]
    size = sum(map(len, (image.manifest, image.config, *image.layers)))
    settings = ImageSettings(disk=size * 2 + 1500, reserve=0)
    desired = desiring(*named)
    async with running_cache(tmp_path, desired, upstream, settings=settings) as cache:
        await ask_all(cache, named[0], image)
        await ask_all(cache, named[1], others[0])
        with pytest.raises(Unavailable, match="all else there is wanted") as full:
            await ask_all(cache, named[2], others[1])
        assert "images.disk" in full.value.hint
        assert cache.evicted == 0

        await ask(cache, named[0], digest(image.layers[0]))  # used last
        desired.offer(Word(state=state_of(named[2], generation=2)))
        await ask_all(cache, named[2], others[1])
        assert cache.faults == []
        held = {path.name for path in (tmp_path / "sha256").iterdir()}
        assert digest(others[0].layers[0])[7:] not in held
        assert digest(image.layers[0])[7:] in held
        assert cache.held_bytes <= settings.disk


async def test_no_more_than_a_few_come_at_once(tmp_path: Path) -> None:
    upstream = Staged(held=asyncio.Event())
    files = [image_of(str(number)) for number in range(AT_ONCE + 2)]
    named = [upstream.has(one) for one in files]
    async with running_cache(tmp_path, desiring(*named), upstream) as cache, asyncio.TaskGroup() as group:
        for one, file in zip(named, files, strict=True):
            group.create_task(ask(cache, one, digest(file.manifest)))
        await until(lambda: cache.counters.asked["miss"] == len(files), within=HANG_S)
        await until(lambda: len(upstream.asked) >= AT_ONCE, within=HANG_S)
        assert len(upstream.asked) == AT_ONCE
        upstream.held.set()  # type: ignore[union-attr]  # it was given above
    assert len(upstream.asked) == len(files)


async def test_whoever_waits_is_told_when_it_stops(tmp_path: Path, image: ImageFile) -> None:
    upstream = Staged(held=asyncio.Event())
    named = upstream.has(image)
    async with running_cache(tmp_path, desiring(named), upstream) as cache:
        asking = asyncio.create_task(ask(cache, named, digest(image.manifest)))
        await upstream.reached.wait()
    with pytest.raises(Unavailable, match="stops"):
        await asking


async def test_a_folder_that_cannot_be_used_is_said_and_stops_nothing(
    tmp_path: Path, image: ImageFile
) -> None:
    upstream = Staged()
    named = upstream.has(image)
    (tmp_path / "images").write_text("in the way")
    async with running_cache(tmp_path / "images", desiring(named), upstream) as cache:
        assert ["not cached" in fault for fault in cache.faults] == [True]
        with pytest.raises(Unavailable, match="not cached"):
            await ask(cache, named, digest(image.manifest))


async def test_who_asks_before_it_runs_waits_until_it_does(tmp_path: Path, image: ImageFile) -> None:
    upstream = Staged()
    named = upstream.has(image)
    async with running_cache(tmp_path, desiring(named), upstream) as earlier:
        await ask(earlier, named, digest(image.manifest))
    cache = ImageCache(tmp_path, ImageSettings(), desired=desiring(named), upstreams=(upstream,))
    # Only the manifest of the earlier life says that the layer may be had.
    asking = asyncio.create_task(ask(cache, named, digest(image.layers[0])))
    answered, _ = await asyncio.wait((asking,), timeout=0.05)
    assert not answered
    running = asyncio.create_task(cache.run())
    assert await asking == image.layers[0]
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_a_disk_that_fills_up_is_said_and_keeps_nothing_half(image: ImageFile) -> None:
    try:
        with small_disk(16) as disk:
            upstream = Staged()
            named = upstream.has(image)
            blob = digest(image.layers[0])
            async with running_cache(disk.folder, desiring(named), upstream) as cache:
                await ask(cache, named, digest(image.manifest))
                upstream.held = asyncio.Event()
                upstream.reached.clear()
                asking = asyncio.create_task(ask(cache, named, blob))
                await upstream.reached.wait()
                await asyncio.to_thread(disk.fill)
                upstream.held.set()
                with pytest.raises(Unavailable, match="cannot keep it: No space left"):
                    await asking
                assert [named in fault for fault in cache.faults] == [True]
                assert list((disk.folder / "partial").iterdir()) == []
                await asyncio.to_thread(disk.clear)
                assert await ask(cache, named, blob) == image.layers[0]
                assert cache.faults == []
    except CannotMount as missing:
        absent(str(missing))
