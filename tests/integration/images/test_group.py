"""An image crosses the WAN once per group: a real registry, a real cloud with its CA, an aggregator, engines that reach
no registry by themselves.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import absent
from tests.debian_registry import DebianRegistry, debian_registry
from tests.engine import EngineAbsent, PrivateEngine, private_engine
from tests.images import digest
from tests.integration.control.told import aggregating
from tests.integration.identity.conftest import Installation
from tests.integration.identity.conftest import clock as clock  # noqa: PLC0414 - a fixture
from tests.integration.identity.conftest import installation as installation  # noqa: PLC0414 - a fixture
from tests.integration.identity.test_signing import deploy, holder_of
from tests.integration.images.site import SPEC, node, runs, sleeper

NOWHERE = "127.0.0.1:1"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[DebianRegistry]:
    folder = tmp_path / "registry"
    folder.mkdir()
    with debian_registry(folder) as one:
        yield one


@pytest.fixture
def engines() -> Iterator[list[PrivateEngine]]:
    """Each in a network namespace of its own, where there is nothing: what they run came through their node."""
    try:
        with ExitStack() as stack:
            yield [stack.enter_context(private_engine()) for _ in range(2)]
    except EngineAbsent as missing:
        absent(str(missing))


@pytest.mark.needs("docker-registry")
async def test_an_image_crosses_the_wan_once_and_then_needs_none(
    installation: Installation, registry: DebianRegistry, engines: list[PrivateEngine], tmp_path: Path
) -> None:
    folders = {name: tmp_path / name for name in ("a1", "n1", "n2")}
    above = await holder_of(installation, "a1", "aggregator", folders["a1"])
    nodes = {name: await holder_of(installation, name, "node", folders[name]) for name in ("n1", "n2")}
    urls = dict(zip(nodes, (engine.url for engine in engines), strict=True))
    first, second = sleeper(1_000_000), sleeper(2_000_000)
    image = registry.push_image("acme/still", first)
    async with aggregating(folders["a1"], installation.children, holder=above) as aggregator:
        address = f"127.0.0.1:{aggregator.server.port}"
        await deploy(installation, SPEC.format(name="still", image=image))
        async with node(folders["n1"], "n1", address, docker=urls["n1"], holder=nodes["n1"]):
            await runs(urls["n1"], "n1", first.id)
            pieces = registry.fetched()
            assert set(Counter(pieces).values()) == {1}
            assert len(pieces) == 2 + len(first.layers)

            assert aggregator.images is not None
            served = aggregator.images.counters.served_bytes
            assert served > len(pieces)

            # Another image with the same layer: only what is new is fetched, by the aggregator and by the Engine.
            image = registry.push_image("acme/still", second)
            await deploy(installation, SPEC.format(name="still", image=image))
            await runs(urls["n1"], "n1", second.id)
            pieces = registry.fetched()
            assert set(Counter(pieces).values()) == {1}
            assert len(pieces) == 4 + len(first.layers)
            assert aggregator.images.counters.served_bytes < served + 10_000
    registry.process.kill()

    # The uplink is cut, and the aggregator is another process: the second node has never pulled anything.
    async with aggregating(folders["a1"], NOWHERE, holder=above) as aggregator:
        address = f"127.0.0.1:{aggregator.server.port}"
        async with node(folders["n2"], "n2", address, docker=urls["n2"], holder=nodes["n2"]):
            seen = await runs(urls["n2"], "n2", second.id)
    assert seen["Config"]["Entrypoint"] == ["/usr/bin/sleep", "2000000"]
    assert registry.fetched() == pieces
    assert digest(second.config) == second.id == seen["Image"]
