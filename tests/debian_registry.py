"""Debian's docker-registry, as a test starts and kills it: what engines push to and tags are resolved by."""

import hashlib
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

CONFIG = """\
version: 0.1
storage: {filesystem: {rootdirectory: @root@}}
http: {addr: "127.0.0.1:0"}
"""
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


class DebianRegistry:
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
def debian_registry(folder: Path) -> Iterator[DebianRegistry]:
    """One of one's own, with its data in a folder."""
    config = folder / "registry.yml"
    config.write_text(CONFIG.replace("@root@", str(folder / "data")))
    with subprocess.Popen(
        ["docker-registry", "serve", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        reading: threading.Thread | None = None
        try:
            assert process.stderr is not None
            found = next(
                said for line in process.stderr if (said := re.search(r"listening on (\S+?:\d+)", line))
            )
            # Read on: a full pipe would stop it.
            reading = threading.Thread(target=process.stderr.read)
            reading.start()
            yield DebianRegistry(found[1], process)
        finally:
            process.kill()
            if reading is not None:
                reading.join()
