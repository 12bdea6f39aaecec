"""Tags are resolved at deploy by a real registry, and only digests go on."""

import hashlib
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cloud.planner.reader import RegistrySettings, read_apart
from cloud.registry.errors import RegistryAway
from fogline.model.faults import SpecErrors
from fogline.v1 import control_pb2

pytestmark = pytest.mark.needs("docker-registry")

SPEC = """\
name: tagged
streams: {air: {mqtt: "air/{zone}", fields: {temp: float}}}
steps:
  clean: {image: "@host@/acme/clean:1", from: air}
  all: {sql: "SELECT count(*) AS n FROM clean GROUP BY TUMBLE(arrival, INTERVAL '1 minute')"}
services:
  viewer: {image: "@host@/acme/viewer"}
"""
CONFIG = """\
version: 0.1
storage: {filesystem: {rootdirectory: @root@}}
http: {addr: "127.0.0.1:0"}
"""
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


class Registry:
    """Debian's docker-registry on a port of its own choice."""

    def __init__(self, host: str, process: "subprocess.Popen[str]") -> None:
        self.host = host
        self.process = process

    def push(self, name: str, tag: str, content: bytes) -> str:
        """Have an image whose only blob is this; the digest of its manifest."""
        with httpx.Client(base_url=f"http://{self.host}") as client:
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            began = client.post(f"/v2/{name}/blobs/uploads/").raise_for_status()
            place = httpx.URL(began.headers["Location"]).copy_merge_params({"digest": digest})
            client.put(place, content=content).raise_for_status()
            blob = {"mediaType": "application/octet-stream", "size": len(content), "digest": digest}
            manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": blob, "layers": []}
            put = client.put(
                f"/v2/{name}/manifests/{tag}",
                content=json.dumps(manifest),
                headers={"Content-Type": MANIFEST_TYPE},
            ).raise_for_status()
            return str(put.headers["Docker-Content-Digest"])


@contextmanager
def running(folder: Path) -> Iterator[Registry]:
    config = folder / "registry.yml"
    config.write_text(CONFIG.replace("@root@", str(folder / "data")))
    with subprocess.Popen(
        ["docker-registry", "serve", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            found = next(
                said for line in process.stderr if (said := re.search(r"listening on (\S+?:\d+)", line))
            )
            yield Registry(found[1], process)
        finally:
            process.kill()


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with running(tmp_path) as made:
        yield made


async def images_of(registry: Registry) -> list[str]:
    text = SPEC.replace("@host@", registry.host)
    read = await read_apart(text, "tagged.yaml", "main", RegistrySettings())
    grant = control_pb2.Grant.FromString(read.release)
    return [*(one.image for one in grant.operators), *(one.image for one in grant.services)]


async def test_a_tag_becomes_what_it_stands_for_at_the_deployment(registry: Registry) -> None:
    first, viewer = registry.push("acme/clean", "1", b"one"), registry.push("acme/viewer", "latest", b"two")
    assert await images_of(registry) == [
        f"{registry.host}/acme/clean:1@{first}",
        f"{registry.host}/acme/viewer@{viewer}",
    ]
    second = registry.push("acme/clean", "1", b"three")
    assert second != first
    assert (await images_of(registry))[0].endswith(second)


async def test_an_image_that_is_not_there_is_a_mistake_at_its_place(registry: Registry) -> None:
    registry.push("acme/viewer", "latest", b"two")
    with pytest.raises(SpecErrors) as raised:
        await images_of(registry)
    (fault,) = raised.value.faults
    assert (fault.line, fault.column, fault.path) == (4, 18, "steps.clean.image")
    assert "has no image" in fault.message
    assert fault.hint == "push it, or look for its name and tag"


async def test_a_registry_that_is_away_is_no_mistake_and_can_be_tried_again(registry: Registry) -> None:
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
    read = await read_apart(text.replace("@host@", "127.0.0.1:1"), "x", "main", RegistrySettings())
    assert control_pb2.Grant.FromString(read.release).operators[0].image.endswith(digest)


async def test_a_wrong_file_of_logins_is_said(tmp_path: Path) -> None:
    text = SPEC.replace("@host@", "127.0.0.1:1")
    with pytest.raises(RegistryAway, match="logins cannot be read"):
        await read_apart(text, "x", "main", RegistrySettings(logins=str(tmp_path / "none.json")))
