"""Where a node has its images from, and what it says when it has them from nowhere. With real engines."""

import asyncio
import json
import platform
import shutil
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import pytest

from fog_node.reconcile.images import Pulled
from fog_node.runtimes.docker.creation import NODE
from fog_node.runtimes.docker.images import ARCHITECTURES
from fog_node.runtimes.docker.manifests import Manifests
from fogline.registry.parent import NoCache, ParentCache
from fogline.testing.until import until
from fogline.uplink.dial import channel_to
from tests.conftest import absent
from tests.engine import DockerEngine, EngineAbsent, PrivateEngine, private_engine, running_engine
from tests.images import ImageFile, digest, layer, make_image, program_layer
from tests.integration.containers.yard import HANG_S, SETTINGS, Yard, replica, yard
from tests.integration.images.site import sleeper
from tests.registry import Registry, running_registry

DISK_MIB = 64
PATIENT = replace(SETTINGS, start_within=1000.0)
"""What is run here offers no socket, and needs none."""


@dataclass
class Shelf:
    """A cache beside the node, with faults to stage."""

    parent: str = "127.0.0.1:9"
    pieces: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, host: str, image: ImageFile) -> str:
        """Have an image; its reference."""
        named = digest(image.manifest)
        self.pieces |= {named: image.manifest, image.id: image.config}
        self.pieces |= {digest(one): one for one in image.layers}
        return f"{host}/acme/still@{named}"

    async def read(
        self,
        image: str,
        digest: str,
        progress: Callable[[int, int], None] | None = None,
    ) -> AsyncGenerator[bytes, None]:
        self.asked.append(digest)
        if digest not in self.pieces:
            raise NoCache("the parent keeps no images")
        content = self.pieces[digest]
        for at in range(0, len(content), 100_000):
            yield content[at : at + 100_000]


@pytest.fixture
def name(docker_engine: DockerEngine) -> Iterator[str]:
    """A node's name, never used before; nothing runs of it at the end."""
    made = f"test-{uuid4().hex[:12]}"
    yield made
    docker_engine.remove_all(f"{NODE}={made}")


@pytest.fixture
def image(docker_engine: DockerEngine, name: str) -> Iterator[ImageFile]:
    """An image that the Engine does not have, nor after the test."""
    made = make_image(
        (program_layer("sleep"), layer({"/fresh": name.encode()})),
        entrypoint=("/usr/bin/sleep", "1000000"),
    )
    yield made
    docker_engine.remove_all(f"{NODE}={name}")
    docker_engine.remove_images("127.0.0.1:")
    for seen in docker_engine.client.images():
        if seen["Id"] == made.id:
            docker_engine.client.remove_image(made.id, force=True)


async def started(of: Yard, name: str) -> str:
    """Wait until a container runs; its id."""

    def container() -> str:
        seen = of.report(name)
        return seen.id if seen is not None else ""

    await of.until(lambda: bool(container()))
    return container()


def has(engine: DockerEngine, image: ImageFile) -> bool:
    return image.id in {seen["Id"] for seen in engine.client.images()}


async def test_an_image_from_the_parent_is_known_by_its_signed_digest_after_a_restart(
    docker_engine: DockerEngine, image: ImageFile, name: str, tmp_path: Path
) -> None:
    shelf = Shelf()
    wanted = replica(shelf.put("r.example", image), "1000000", name="still")
    async with yard(tmp_path, settings=PATIENT, docker=docker_engine.url, node=name, cache=shelf) as one:
        one.want(wanted)
        first = await started(one, "still")
    assert list(map(shelf.asked.count, shelf.asked)) == [1] * len(shelf.asked)
    # Neither parent nor registry, and a new life of the agent.
    async with yard(
        tmp_path, settings=PATIENT, docker=docker_engine.url, node=name, cache=Shelf(parent="")
    ) as one:
        one.want(wanted)
        assert await started(one, "still") == first
        runtime = one.runtimes["docker"]
        assert await runtime.present(wanted.spec.image)
        # What the manifest leads to counts, and nothing but the right manifest does.
        kept = tmp_path / "docker" / "manifests" / digest(image.manifest)[7:]
        right = kept.read_bytes()
        kept.write_bytes(right.replace(b" ", b"  ", 1))
        assert not await runtime.present(wanted.spec.image)
        kept.write_bytes(right)
        assert await runtime.present(wanted.spec.image)
        one.want()
        await one.nothing_left()
        await runtime.remove_image(wanted.spec.image)
        assert not has(docker_engine, image)
        assert list(Manifests(kept.parent).ids(digest(image.manifest))) == []


async def test_an_image_loaded_by_hand_keeps_its_name_when_the_nodes_goes(
    docker_engine: DockerEngine, image: ImageFile, name: str, tmp_path: Path
) -> None:
    shelf = Shelf()
    async with yard(tmp_path, settings=PATIENT, docker=docker_engine.url, node=name, cache=shelf) as one:
        runtime = one.runtimes["docker"]
        reference = shelf.put("r.example", image)
        await runtime.pull(reference, lambda words: None)
        docker_engine.client.tag(image.id, "by-hand", "1")
        await runtime.remove_image(reference)
        assert has(docker_engine, image)


async def test_wrong_bytes_from_the_parent_are_not_loaded_and_the_registry_is_asked(
    docker_engine: DockerEngine, image: ImageFile, name: str, registry: Registry, tmp_path: Path
) -> None:
    shelf = Shelf()
    reference = registry.put("acme/still", image)
    shelf.put("", image)
    right = image.layers[1]
    shelf.pieces[digest(right)] = right[:-1] + b"x"
    async with yard(tmp_path, settings=PATIENT, docker=docker_engine.url, node=name, cache=shelf) as one:
        one.want(replica(reference, "1000000", name="still"))
        await started(one, "still")
        assert digest(right) in shelf.asked
        assert one.events("still")[:1] != ["bad_digest"]
        one.want()
        await one.nothing_left()


async def test_when_nobody_has_it_each_answer_is_said_and_nothing_else_waits(
    docker_engine: DockerEngine, image: ImageFile, name: str, tmp_path: Path
) -> None:
    with running_registry() as gone:
        reference = gone.put("acme/still", image)
    away = ParentCache(lambda: "", dial=channel_to)
    hung = ParentCache(lambda: "127.0.0.1:1", dial=channel_to)
    for number, (cache, words) in enumerate(
        ((away, "no parent is attached"), (hung, "the parent at 127.0.0.1:1: no answer"))
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        beside = replica(docker_engine.load(sleeper()), "1000000", name="beside")
        wanted = replica(reference, "1000000", name="still")
        async with yard(folder, settings=PATIENT, docker=docker_engine.url, node=name, cache=cache) as one:
            one.want(wanted, beside)
            said = (await one.event("still", "image_missing")).detail
            assert reference in said
            assert words in said
            assert "its registry: " in said
            await one.becomes("still", "backing_off", words=words)
            await started(one, "beside")
            if number:
                docker_engine.load(image)
                wanted = replica(f"by-hand@{image.id}", "1000000", name="still")
                one.want(wanted, beside)
                await started(one, "still")
            one.want()
            await one.nothing_left()


@pytest.fixture
def small_engine() -> Iterator[PrivateEngine]:
    """An Engine that can keep little."""
    try:
        with private_engine(DISK_MIB) as one:
            yield one
    except EngineAbsent as missing:
        absent(str(missing))


@pytest.mark.parametrize("way", ["parent", "registry"])
async def test_a_full_disk_is_said_leaves_nothing_and_stops_nobody(
    small_engine: PrivateEngine, way: str, tmp_path: Path
) -> None:
    large = make_image(
        (program_layer("sleep"), layer({"/large": bytes((DISK_MIB + 16) * 1024**2)})),
        entrypoint=("/usr/bin/sleep",),
    )
    with (
        running_registry(small_engine.listening_inside()) as registry,
        running_engine(small_engine.url) as engine,
    ):
        small, shelf = engine.load(sleeper()), Shelf()
        reference = registry.put("acme/still", large)
        if way == "parent":
            shelf.put("", large)
        async with yard(tmp_path, settings=PATIENT, docker=small_engine.url, cache=shelf) as one:
            beside = replica(small, "1000000", name="beside")
            one.want(beside)
            running = await started(one, "beside")
            used = shutil.disk_usage(small_engine.folder).used
            one.want(beside, replica(reference, "1000000", name="large"))
            await one.event("large", "disk_full")
            await one.becomes("large", "backing_off", words="no space left")
            assert await started(one, "beside") == running
            # Another small one fits at once: nothing half is left.
            one.want(beside)
            await asyncio.to_thread(engine.load, sleeper(7))
            await until(
                lambda: shutil.disk_usage(small_engine.folder).used < used + 4 * 1024**2, within=HANG_S
            )
            assert {seen["Id"] for seen in engine.client.images(all=True)} == {sleeper().id, sleeper(7).id}
            one.want()
            await one.nothing_left()


async def test_images_that_nobody_wants_go_beyond_the_budget_and_none_that_is_wanted_or_loaded_by_hand(
    docker_engine: DockerEngine, image: ImageFile, name: str, tmp_path: Path
) -> None:
    shelf = Shelf()
    other = make_image((*image.layers, layer({"/other": name.encode()})), entrypoint=("/usr/bin/sleep",))
    by_hand = make_image((layer({"/by-hand": name.encode()}),), entrypoint=("/none",))
    settings = replace(PATIENT, images=1, tidy_every=0.05)
    first, second = (shelf.put("r.example", one) for one in (image, other))
    # Noted as the node's by a life that failed to pull it; then somebody loaded it by hand.
    unlucky = f"127.0.0.1:1/acme/by-hand@{by_hand.id}"
    async with yard(tmp_path, settings=settings, docker=docker_engine.url, node=name, cache=shelf) as one:
        one.want(replica(unlucky, "1000000", name="unlucky"))
        await one.event("unlucky", "image_missing")
        docker_engine.load(by_hand)
        one.want(replica(first, "1000000", name="still"), replica(second, "1000000", name="other"))
        for slot in ("still", "other"):
            await started(one, slot)
        one.want(replica(second, "1000000", name="other"))
        await one.until(lambda: not has(docker_engine, image))
        assert has(docker_engine, other)
        assert has(docker_engine, by_hand)
        one.want()
        await one.until(lambda: not has(docker_engine, other))
        assert has(docker_engine, by_hand)
        docker_engine.client.remove_image(by_hand.id)
        await one.until(lambda: not Pulled(tmp_path / "pulled").wanted_us)


def listed(shelf: Shelf, **images: ImageFile) -> str:
    """A list of images by architecture, in the same shelf; its reference."""
    manifests = []
    for architecture, image in images.items():
        shelf.put("r.example", image)
        manifests.append(
            {
                "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "digest": digest(image.manifest),
                "size": len(image.manifest),
                "platform": {"architecture": architecture, "os": "linux"},
            }
        )
    content = json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()
    shelf.pieces[digest(content)] = content
    return f"r.example/acme/still@{digest(content)}"


async def test_of_a_list_the_nodes_own_architecture_is_loaded_and_a_list_without_it_is_said(
    docker_engine: DockerEngine, image: ImageFile, name: str, tmp_path: Path
) -> None:
    shelf, foreign = Shelf(), make_image((layer({"/x": b""}),), entrypoint=("/x",), architecture="s390x")
    own = ARCHITECTURES[platform.machine()]
    fits, unfit = listed(shelf, s390x=foreign, **{own: image}), listed(shelf, s390x=foreign)
    async with yard(tmp_path, settings=PATIENT, docker=docker_engine.url, node=name, cache=shelf) as one:
        one.want(replica(fits, "1000000", name="still"), replica(unfit, "1000000", name="unfit"))
        await started(one, "still")
        said = await one.becomes("unfit", "failed", words="is for s390x")
        assert "registry" not in said.fault
        assert digest(foreign.config) not in shelf.asked
        one.want()
        await one.nothing_left()
