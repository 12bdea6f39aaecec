"""A registry of images on loopback, with faults to stage. Engines ask loopback without TLS.

with running_registry() as registry:
    reference = registry.put("acme/clean", image)     # 127.0.0.1:PORT/acme/clean@sha256:...
    registry.holding.set()                            # blobs are not answered until .release()
"""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.images import ImageFile, digest


@dataclass
class Registry:
    """What it hands out, and how it fails."""

    port: int = 0
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """By name and digest: media type and content."""
    blobs: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Paths, as they were asked for."""
    holding: threading.Event = field(default_factory=threading.Event)
    """Set: whoever asks for a blob waits."""
    halving: threading.Event = field(default_factory=threading.Event)
    """Set: whoever asks for a blob gets half of it, and waits."""
    reached: threading.Event = field(default_factory=threading.Event)
    """Set by the first who waits."""
    ranges: list[tuple[str, int]] = field(default_factory=list)
    """Blobs that were asked for from a byte on that is not the first."""
    _released: threading.Event = field(default_factory=threading.Event)

    def put(self, name: str, image: ImageFile) -> str:
        """Have an image; its reference by digest."""
        named = digest(image.manifest)
        self.manifests[f"{name}/{named}"] = (
            "application/vnd.docker.distribution.manifest.v2+json",
            image.manifest,
        )
        self.blobs[image.id] = image.config
        self.blobs |= {digest(one): one for one in image.layers}
        return f"127.0.0.1:{self.port}/{name}@{named}"

    def put_list(self, name: str, *images: ImageFile) -> str:
        """Have an image for several architectures; its reference by the digest of their list."""
        kind = "application/vnd.docker.distribution.manifest.list.v2+json"
        members = [
            {
                "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "size": len(image.manifest),
                "digest": self.put(name, image).rpartition("@")[2],
                "platform": {"os": "linux", "architecture": json.loads(image.config)["architecture"]},
            }
            for image in images
        ]
        content = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": members}).encode()
        self.manifests[f"{name}/{digest(content)}"] = (kind, content)
        return f"127.0.0.1:{self.port}/{name}@{digest(content)}"

    def release(self) -> None:
        """Answer those who wait, and who comes."""
        self.holding.clear()
        self.halving.clear()
        self._released.set()

    def wait(self) -> None:
        """Until all is released."""
        self.reached.set()
        self._released.wait(120)

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, media type, content."""
        self.asked.append(path)
        if path == "/v2/":
            return 200, "application/json", b"{}"
        name, _, reference = path.removeprefix("/v2/").partition("/manifests/")
        if reference:
            found = self.manifests.get(f"{name}/{reference}")
            return (200, *found) if found else (404, "application/json", _error("MANIFEST_UNKNOWN"))
        if self.holding.is_set():
            self.wait()
        blob = self.blobs.get(path.rpartition("/blobs/")[2])
        return (
            (200, "application/octet-stream", blob)
            if blob
            else (404, "application/json", _error("BLOB_UNKNOWN"))
        )


@contextmanager
def running_registry(at: socket.socket | None = None) -> Iterator[Registry]:
    """A registry of one's own, gone at the end; ``at``: where it listens, if not on this machine's loopback."""
    registry = Registry()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def _answer(self, *, body: bool) -> None:
            status, kind, content = registry.answer(self.path)
            whole = digest(content)
            begin = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
            if begin and status == 200:
                registry.ranges.append((whole, begin))
                status, content = 206, content[begin:]
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Docker-Distribution-API-Version", "registry/2.0")
            self.send_header("Docker-Content-Digest", whole)
            self.end_headers()
            if not body:
                return
            half = len(content) // 2 if "/blobs/" in self.path and registry.halving.is_set() else 0
            self.wfile.write(content[:half])
            if half:
                self.wfile.flush()
                registry.wait()
            self.wfile.write(content[half:])

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """An engine that is killed goes in the middle of an answer."""

    server = Server(("127.0.0.1", 0), Handler, bind_and_activate=at is None)
    if at is not None:
        server.socket.close()
        server.socket = at
        server.server_address = at.getsockname()
        server.server_port = at.getsockname()[1]
    registry.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield registry
    finally:
        registry.release()
        server.shutdown()
        thread.join()
        server.server_close()


def _error(code: str) -> bytes:
    return f'{{"errors": [{{"code": "{code}", "message": "unknown"}}]}}'.encode()
