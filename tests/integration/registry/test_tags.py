"""Tags are resolved at deploy by a real registry, and only digests go on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.planner.reader import RegistrySettings, read_apart
from cloud.planner.reading import Readers
from fogline.model.clock import SystemClock
from fogline.model.faults import SpecErrors
from fogline.registry.errors import RegistryAway
from fogline.v1 import control_pb2
from tests.debian_registry import DebianRegistry, debian_registry

pytestmark = pytest.mark.needs("docker-registry")


def readers() -> Readers:
    return Readers(SystemClock())


SPEC = """\
name: tagged
streams: {air: {mqtt: "air/{zone}", fields: {temp: float}}}
steps:
  clean: {image: "@host@/acme/clean:1", from: air}
  all: {sql: "SELECT count(*) AS n FROM clean GROUP BY TUMBLE(arrival, INTERVAL '1 minute')"}
services:
  viewer: {image: "@host@/acme/viewer"}
"""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[DebianRegistry]:
    with debian_registry(tmp_path) as made:
        yield made


async def images_of(registry: DebianRegistry) -> list[str]:
    text = SPEC.replace("@host@", registry.host)
    read = await read_apart(text, "tagged.yaml", "main", RegistrySettings(), readers())
    grant = control_pb2.Grant.FromString(read.release)
    return [*(one.image for one in grant.operators), *(one.image for one in grant.services)]


async def test_a_tag_becomes_what_it_stands_for_at_the_deployment(registry: DebianRegistry) -> None:
    first, viewer = registry.push("acme/clean", "1", b"one"), registry.push("acme/viewer", "latest", b"two")
    assert await images_of(registry) == [
        f"{registry.host}/acme/clean:1@{first}",
        f"{registry.host}/acme/viewer@{viewer}",
    ]
    second = registry.push("acme/clean", "1", b"three")
    assert second != first
    assert (await images_of(registry))[0].endswith(second)


async def test_a_tag_for_several_architectures_becomes_their_list_of_which_each_node_takes_its_own(
    registry: DebianRegistry,
) -> None:
    listed = registry.push_list("acme/clean", "1", {"amd64": b"for this", "arm64": b"for that"})
    registry.push("acme/viewer", "latest", b"two")
    assert (await images_of(registry))[0] == f"{registry.host}/acme/clean:1@{listed}"


async def test_an_image_that_is_not_there_is_a_mistake_at_its_place(registry: DebianRegistry) -> None:
    registry.push("acme/viewer", "latest", b"two")
    with pytest.raises(SpecErrors) as raised:
        await images_of(registry)
    (fault,) = raised.value.faults
    assert (fault.line, fault.column, fault.path) == (4, 18, "steps.clean.image")
    assert "has no image" in fault.message
    assert fault.hint == "push it, or look for its name and tag"


async def test_a_registry_that_is_away_is_no_mistake_and_can_be_tried_again(registry: DebianRegistry) -> None:
    registry.process.kill()
    registry.process.wait()
    with pytest.raises(RegistryAway, match="cannot be reached") as raised:
        await images_of(registry)
    assert [place.path for place in raised.value.places] == ["steps.clean.image", "services.viewer.image"]
    assert raised.value.retryable


async def test_with_digests_nobody_is_asked() -> None:
    digest = "sha256:" + "0" * 64
    text = SPEC.replace("acme/clean:1", f"acme/clean:1@{digest}").replace(
        "acme/viewer", f"acme/viewer@{digest}"
    )
    read = await read_apart(text.replace("@host@", "127.0.0.1:1"), "x", "main", RegistrySettings(), readers())
    assert control_pb2.Grant.FromString(read.release).operators[0].image.endswith(digest)


async def test_a_wrong_file_of_logins_is_said(tmp_path: Path) -> None:
    text = SPEC.replace("@host@", "127.0.0.1:1")
    with pytest.raises(RegistryAway, match="logins cannot be read"):
        await read_apart(text, "x", "main", RegistrySettings(logins=str(tmp_path / "none.json")), readers())
