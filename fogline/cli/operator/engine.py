"""The Docker Engine of a developer: building, pushing and trying images."""

import io
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from fogline.model.errors import FogError, InvalidInput, NotFound, Unavailable
from fogline.model.image import ImageReference

CALL_SECONDS: Final = 600
DEFAULT_HOST: Final = "unix:///var/run/docker.sock"
_HARDENED: Final[Mapping[str, Any]] = {
    "network_mode": "none",
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "pids_limit": 256,
    "tmpfs": {"/tmp": "size=64m,noexec,nosuid,nodev"},  # noqa: S108 - the container's own
}
"""As on a node: what runs here runs there."""

Say = Callable[[str], None]


@contextmanager
def engine() -> Iterator["Engine"]:
    """The Engine that the environment names, as `docker` finds it. Raises :class:`Unavailable`."""
    try:
        import docker  # noqa: PLC0415 - only these commands need it
        from docker.errors import DockerException  # noqa: PLC0415
    except ImportError:
        raise Unavailable(
            "the Docker SDK is not installed", hint="pip install 'fogline[node]'; or build with --process"
        ) from None
    _knock(os.environ.get("DOCKER_HOST") or DEFAULT_HOST)
    try:
        client = docker.from_env(timeout=CALL_SECONDS)
    except DockerException as error:
        raise _away(error) from None
    try:
        client.ping()
        yield Engine(client)
    except DockerException as error:
        raise _fault(error) from error
    finally:
        client.close()


class Engine:
    """Calls that block. Errors of the Docker SDK become ours where the Engine was opened."""

    def __init__(self, client: Any) -> None:
        self._client: Final = client

    def have(self, image: str, platform: str, say: Say) -> Mapping[str, str]:
        """See to it that an image is here, pulling it if it is not; its labels. Raises :class:`NotFound`."""
        from docker.errors import APIError, ImageNotFound  # noqa: PLC0415

        try:
            found = self._client.images.get(image)
        except ImageNotFound:
            say(f"pulling {image} ...")
            try:
                found = self._client.images.pull(image, platform=platform)
            except APIError as error:
                raise NotFound(
                    f"the base {image} is neither here nor can it be pulled: {_words(error)}",
                    hint="name one that is here with --base; `fogline operator base` makes one without a hub",
                ) from error
            found = found[0] if isinstance(found, list) else found
        architecture = f"{found.attrs['Os']}/{found.attrs['Architecture']}"
        if architecture != platform:
            raise InvalidInput(
                f"the base {image} is for {architecture}, not for {platform}", hint="--arch, or --base"
            )
        labels: Mapping[str, str] = found.labels
        return labels

    def build(
        self, context: bytes, *, tag: str, base: str, platform: str, labels: Mapping[str, str], say: Say
    ) -> str:
        """Build an image from a context; its id. Raises :class:`InvalidInput` with what the build said."""
        said: list[str] = []
        failed = ""
        lines = self._client.api.build(
            fileobj=io.BytesIO(context),
            custom_context=True,
            tag=tag,
            buildargs={"BASE": base} if base else {},
            platform=platform,
            labels=dict(labels),
            network_mode="none",
            rm=True,
            forcerm=True,
            decode=True,
        )
        for line in lines:
            failed = failed or str(line.get("error", "")).strip()
            text = str(line.get("stream", "")).rstrip()
            if text:
                said.append(text)
                say(text)
        if failed:
            raise InvalidInput(f"the image cannot be built: {failed}", hint="\n  ".join(said[-5:]))
        image_id: str = self._client.images.get(tag).id
        return image_id

    def push(self, image: str, to: ImageReference, say: Say) -> str:
        """Push an image under another name; the digest of its manifest there."""
        from docker.errors import ImageNotFound  # noqa: PLC0415

        tag = to.tag or "latest"
        try:
            self._client.images.get(image).tag(to.name, tag)
        except ImageNotFound:
            raise NotFound(
                f"there is no image {image} here", hint="`fogline operator build` makes it"
            ) from None
        digest = failed = ""
        for line in self._client.api.push(to.name, tag, stream=True, decode=True):
            failed = failed or str(line.get("error", ""))
            digest = (line.get("aux") or {}).get("Digest", digest)
            if line.get("status") in ("Pushed", "Layer already exists"):
                say(f"{line.get('id', '')}: {line['status']}")
        if failed:
            raise Unavailable(f"{to} cannot be pushed: {failed}", hint="`docker login`? A registry there?")
        if not digest:
            raise Unavailable(
                f"the Engine does not say what {to} became", hint="look with `docker images --digests`"
            )
        return digest

    @contextmanager
    def running(self, image: str, socket_folder: Path, environment: Mapping[str, str]) -> Iterator["Running"]:
        """Run an operator's image, hardened as on a node, with its socket in a folder of ours."""
        made = self._client.containers.run(
            image,
            detach=True,
            environment={**environment, "FOGLINE_SOCKET": "/run/fogline/operator.sock"},
            volumes={str(socket_folder): {"bind": "/run/fogline", "mode": "rw"}},
            labels={"fogline.try": "1"},
            **_HARDENED,
        )
        try:
            yield Running(made)
        finally:
            made.remove(force=True, v=True)


class Running:
    """A container that was started to try it."""

    def __init__(self, container: Any) -> None:
        self._container: Final = container

    def ended(self) -> bool:
        """Whether it runs no more."""
        self._container.reload()
        return bool(self._container.status in ("exited", "dead"))

    def logs(self) -> str:
        """What it wrote."""
        return str(self._container.logs(tail=50).decode(errors="replace"))


def _knock(host: str) -> None:
    """Raise :class:`Unavailable` if nobody is behind a socket: the SDK would leave one open that failed."""
    kind, _, path = host.partition("://")
    if kind != "unix":
        return
    with socket.socket(socket.AF_UNIX) as one:
        try:
            one.connect(path)
        except OSError as error:
            raise _away(error) from None


def _away(error: Exception) -> Unavailable:
    return Unavailable(
        f"no Docker Engine answers: {_words(error)}",
        hint="start it, name it in DOCKER_HOST, or build a bundle for the process runtime: --process",
    )


def _fault(error: Exception) -> FogError:
    words = _words(error)
    return Unavailable(f"the Docker Engine refused: {words}", hint="look into its log")


def _words(error: Exception) -> str:
    explanation: Iterable[str] = filter(None, [getattr(error, "explanation", None), str(error)])
    return next(iter(explanation), type(error).__name__).strip()
