"""A real Docker Engine for tests: the one that runs on this machine, which ``.ci/engine`` starts where none does.

    def test_something(docker_engine: DockerEngine) -> None: ...

The fixture is in ``tests/conftest.py``. It skips, saying why, where no Engine answers; ``FOGLINE_FORBID_SKIPS`` makes
that a failure. A test removes what it makes, and touches nothing that it did not make.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.images import ImageFile

URL = "unix:///var/run/docker.sock"


class EngineAbsent(Exception):
    """No Docker Engine answers."""


@dataclass(frozen=True)
class DockerEngine:
    """A client of the Engine, for a test to look at and to break what a node did."""

    url: str
    client: Any
    """Of the Docker SDK."""

    def load(self, image: ImageFile) -> str:
        """Have an image, as loaded by hand; a reference to run it by."""
        if image.id not in {seen["Id"] for seen in self.client.images()}:
            for said in self.client.load_image(image.archive):
                assert "error" not in said, said
        return f"fogline-test@{image.id}"

    def containers(self, label: str) -> list[dict[str, Any]]:
        """Containers with a label, whatever they do."""
        found: list[dict[str, Any]] = self.client.containers(all=True, filters={"label": label})
        return found

    def inspect(self, container: str) -> dict[str, Any]:
        """All that the Engine knows about one."""
        seen: dict[str, Any] = self.client.inspect_container(container)
        return seen

    def remove_all(self, label: str) -> None:
        """Remove containers with a label."""
        for seen in self.containers(label):
            self.client.remove_container(seen["Id"], force=True, v=True)

    def remove_images(self, prefix: str) -> None:
        """Remove images that were pulled under names with this beginning."""
        for seen in self.client.images():
            if any(name.startswith(prefix) for name in seen.get("RepoDigests") or ()):
                self.client.remove_image(seen["Id"], force=True)

    def run(self, image: ImageFile, command: Sequence[str]) -> str:
        """Run a plain container of nobody's to its end; what it wrote."""
        self.load(image)
        made = self.client.create_container(image.id, list(command))
        try:
            self.client.start(made)
            self.client.wait(made)
            return str(self.client.logs(made).decode())
        finally:
            self.client.remove_container(made, force=True)


@contextmanager
def running_engine(url: str = URL) -> Iterator[DockerEngine]:
    """The Engine of this machine. Raises :class:`EngineAbsent`."""
    try:
        from docker import APIClient  # noqa: PLC0415 - a machine without it skips
        from docker.errors import DockerException  # noqa: PLC0415
    except ImportError as error:
        raise EngineAbsent(f"needs the Docker SDK: {error}") from error
    try:
        client = APIClient(base_url=url, version="auto", timeout=60)
    except DockerException as error:
        raise EngineAbsent(f"needs a Docker Engine at {url} (.ci/engine starts one): {error}") from error
    try:
        yield DockerEngine(url, client)
    finally:
        client.close()
