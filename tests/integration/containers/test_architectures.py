"""Images for several architectures, and for none that is ours, with the real Docker Engine."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from fog_node.runtimes.docker.creation import NODE
from tests.contract.lodging import dial, guest_image
from tests.engine import DockerEngine
from tests.images import ImageFile, layer, make_image
from tests.integration.containers.yard import replica, yard
from tests.registry import Registry

pytestmark = pytest.mark.usefixtures("loop_is_never_blocked")


@pytest.fixture
def node(docker_engine: DockerEngine, registry: Registry) -> Iterator[str]:
    """A node's name, never used before; its containers and what it pulled are gone at the end."""
    name = f"test-{uuid4().hex[:12]}"
    yield name
    docker_engine.remove_all(f"{NODE}={name}")
    docker_engine.remove_images(f"127.0.0.1:{registry.port}/")


def foreign(text: str, architecture: str) -> ImageFile:
    """An image that nobody else has, for a machine that is not here."""
    return make_image((layer({"/x": text.encode()}),), entrypoint=("/x",), architecture=architecture)


async def test_of_a_list_of_architectures_the_nodes_own_runs_under_the_digest_of_the_list(
    docker_engine: DockerEngine, registry: Registry, node: str, tmp_path: Path
) -> None:
    own = make_image(
        (*guest_image().layers, layer({"/own": node.encode()})), entrypoint=("python3", "/app/guest.py")
    )
    reference = registry.put_list("acme/both", foreign(node, "s390x"), own)
    async with yard(tmp_path, docker=docker_engine.url, node=node) as one:
        one.want(replica(reference, "serve"))
        seen = await one.becomes("guest", "running")
        assert seen.image == reference
        assert await dial(one.gateway.up["guest", 0], "hello") == "hello"
        assert docker_engine.inspect(seen.id)["Image"] == own.id
        one.want()
        await one.nothing_left()
    # It is here now: no registry is needed to start it again.
    registry.manifests.clear()
    async with yard(tmp_path, docker=docker_engine.url, node=node) as two:
        two.want(replica(reference, "serve"))
        await two.becomes("guest", "running")
        two.want()
        await two.nothing_left()


async def test_an_image_for_other_machines_is_refused_however_it_came_and_said_why(
    docker_engine: DockerEngine, registry: Registry, node: str, tmp_path: Path
) -> None:
    listed = registry.put_list("acme/listed", foreign(f"{node} z", "s390x"), foreign(f"{node} p", "ppc64le"))
    pulled = registry.put("acme/pulled", foreign(f"{node} pulled", "s390x"))
    by_hand = foreign(f"{node} loaded", "s390x")
    wanted = {"listed": listed, "pulled": pulled, "loaded": docker_engine.load(by_hand)}
    try:
        async with yard(tmp_path, docker=docker_engine.url, node=node) as one:
            one.want(*(replica(image, "serve", name=name) for name, image in wanted.items()))
            for name, words in (("listed", "no matching manifest"), ("pulled", "s390x"), ("loaded", "s390x")):
                seen = await one.becomes(name, "failed", words=words)
                assert "build the image for this node's architecture, too" in seen.fault
                assert "wrong_architecture" in one.events(name)
            one.want()
            await one.nothing_left()
    finally:
        docker_engine.client.remove_image(by_hand.id, force=True)
