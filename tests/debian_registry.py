"""Debian's docker-registry, as a test starts and kills it: what engines push to and tags are resolved by."""

import gzip
import json
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.images import ImageFile
from tests.images import digest as digest_of

CONFIG = """\
version: 0.1
storage: {filesystem: {rootdirectory: @root@}}
http: {addr: "127.0.0.1:0"}
"""
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"


class DebianRegistry:
    """Debian's docker-registry on a port of its own choice."""

    def __init__(self, host: str, process: "subprocess.Popen[str]", log: Path) -> None:
        self.host = host
        self.process = process
        self._log = log

    def fetched(self) -> list[str]:
        """Digests of what was handed out so far, manifests and blobs, each as often as it was."""
        return re.findall(r'"GET /v2/\S+?/(sha256:[0-9a-f]{64}) HTTP/[0-9.]+" 20[06]', self._log.read_text())

    def push_image(self, name: str, image: ImageFile) -> str:
        """Have an image, its layers packed as engines do; its reference."""
        layers = [gzip.compress(one, compresslevel=1, mtime=0) for one in image.layers]
        with httpx.Client(base_url=f"http://{self.host}", timeout=60) as client:
            for content in (image.config, *layers):
                self._upload(client, name, content)
            manifest = {
                "schemaVersion": 2,
                "mediaType": MANIFEST_TYPE,
                "config": _descriptor(image.config, "application/vnd.docker.container.image.v1+json"),
                "layers": [_descriptor(one, LAYER_TYPE) for one in layers],
            }
            digest = self._tag(client, name, "1", manifest)
        return f"{self.host}/{name}@{digest}"

    def push(self, name: str, tag: str, content: bytes) -> str:
        """Have an image whose only blob is this; the digest of its manifest."""
        with httpx.Client(base_url=f"http://{self.host}") as client:
            self._upload(client, name, content)
            blob = _descriptor(content, "application/octet-stream")
            manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": blob, "layers": []}
            return self._tag(client, name, tag, manifest)

    @staticmethod
    def _upload(client: httpx.Client, name: str, content: bytes) -> None:
        began = client.post(f"/v2/{name}/blobs/uploads/").raise_for_status()
        place = httpx.URL(began.headers["Location"]).copy_merge_params({"digest": digest_of(content)})
        client.put(place, content=content).raise_for_status()

    @staticmethod
    def _tag(client: httpx.Client, name: str, tag: str, manifest: dict[str, Any]) -> str:
        put = client.put(
            f"/v2/{name}/manifests/{tag}",
            content=json.dumps(manifest),
            headers={"Content-Type": MANIFEST_TYPE},
        ).raise_for_status()
        return str(put.headers["Docker-Content-Digest"])

    def push_list(self, name: str, tag: str, members: Mapping[str, bytes]) -> str:
        """Have an image for several architectures under a tag; the digest of their list."""
        kind = "application/vnd.oci.image.index.v1+json"
        listed = [
            {
                "mediaType": MANIFEST_TYPE,
                "size": 0,
                "digest": self.push(name, architecture, content),
                "platform": {"os": "linux", "architecture": architecture},
            }
            for architecture, content in members.items()
        ]
        content = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": listed})
        with httpx.Client(base_url=f"http://{self.host}") as client:
            put = client.put(f"/v2/{name}/manifests/{tag}", content=content, headers={"Content-Type": kind})
            return str(put.raise_for_status().headers["Docker-Content-Digest"])


def _descriptor(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "size": len(content), "digest": digest_of(content)}


@contextmanager
def debian_registry(folder: Path) -> Iterator[DebianRegistry]:
    """One of one's own, with its data in a folder."""
    config = folder / "registry.yml"
    config.write_text(CONFIG.replace("@root@", str(folder / "data")))
    log = folder / "access.log"
    with (
        log.open("wb") as written,
        subprocess.Popen(
            ["docker-registry", "serve", str(config)],
            stdout=written,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        reading: threading.Thread | None = None
        try:
            assert process.stderr is not None
            found = next(
                said for line in process.stderr if (said := re.search(r"listening on (\S+?:\d+)", line))
            )
            # Read on: a full pipe would stop it.
            reading = threading.Thread(target=process.stderr.read)
            reading.start()
            yield DebianRegistry(found[1], process, log)
        finally:
            process.kill()
            if reading is not None:
                reading.join()
