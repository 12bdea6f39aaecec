"""Containers by the Docker Engine, hardened and limited. They go on without the agent, which finds them again."""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from fog_node.runtimes.docker.counters import Counters
from fog_node.runtimes.docker.creation import RECORD, RUN, creation, limits_of
from fog_node.runtimes.docker.engine import PING_S, UNIX, Engine
from fog_node.runtimes.docker.images import Images
from fog_node.runtimes.docker.kernel_log import ended_for_memory
from fog_node.runtimes.docker.loading import Cache
from fog_node.runtimes.docker.networks import ensure_network, network_name
from fog_node.runtimes.naming import container_name
from fog_node.runtimes.record import Entry, Record
from fog_node.runtimes.runtime import (
    SOCKET,
    Change,
    Condition,
    Container,
    ContainerFault,
    ContainerSpec,
    Ended,
    Image,
    Limits,
    NoSuchContainer,
    Output,
    RuntimeAway,
    Usage,
)
from fogline.model.clock import MINUTE, Clock, from_datetime
from fogline.service.docker import unfit

CALLED_OFF_US: Final = 10 * MINUTE
"""How long after it was told to make a container the Engine may still do it."""

_CONDITIONS: Final = {
    "created": Condition.CREATED,
    "running": Condition.RUNNING,
    "paused": Condition.PAUSED,
    "restarting": Condition.RUNNING,
}
KILLED: Final = 137
"""The Engine's exit code of what SIGKILL ended."""
_EVENTS: Final = {"start": "started", "die": "exited", "oom": "out_of_memory"}


class DockerRuntime:
    """A :class:`fog_node.runtimes.runtime.Runtime` of one Docker Engine. Open while the node runs."""

    name: Final = "docker"

    def __init__(
        self, folder: Path, *, url: str, node: str, clock: Clock, cache: Cache | None = None
    ) -> None:
        """``folder`` is its own: the record, sockets, volumes; ``cache``: where images come from before registries."""
        self._folder: Final = folder
        self._url: Final = url
        self._node: Final = node
        self._clock: Final = clock
        self._engine: Final = Engine(url)
        self._images: Final = Images(self._engine, folder / "manifests", cache)
        self._record: Record | None = None
        self._stack: Final = AsyncExitStack()
        self._making: Final[set[str]] = set()
        self._seen: Final[dict[str, tuple[str, Mapping[str, Any]]]] = {}
        """By name: the state in which a container was last looked at closely, and what was seen."""
        self._counters: Final = Counters(self._engine)
        self._info: Mapping[str, Any] | None = None
        self._needed: Final = asyncio.Event()
        """Set once there is anything to do: until then the SDK is not even imported."""
        self.strays: tuple[str, ...] = ()
        """Containers with this record's label that are not in it: nobody touches them."""

    async def __aenter__(self) -> Self:
        self._record = await asyncio.to_thread(Record, self._folder / "containers")
        if self._record.entries:
            self._needed.set()
        await self._stack.enter_async_context(self._engine)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def available(self) -> str:
        if not self._needed.is_set():
            return "" if await asyncio.to_thread(self._exists) else f"no Docker Engine listens at {self._url}"
        try:
            if self._info is not None:
                await self._engine.get("/_ping", within_s=PING_S)
                return ""
            info = await self._engine.get("/info", within_s=PING_S)
        except ContainerFault as fault:
            # It may come back as another one.
            self._info = None
            return fault.words
        wrong, hint = unfit(info)
        self._info = None if wrong else info
        return f"{wrong} ({hint})" if wrong else ""

    async def _known_info(self) -> Mapping[str, Any]:
        """What the Engine says about itself; asked once for as long as it answers."""
        info = self._info
        if info is None:
            info = self._info = await self._engine.get("/info")
        return info

    def _exists(self) -> bool:
        return not self._url.startswith(UNIX) or Path(self._url.removeprefix(UNIX)).is_socket()

    async def present(self, image: str) -> bool:
        self._needed.set()
        return await self._images.present(image)

    async def pull(self, image: str, progress: Callable[[str], None]) -> None:
        await self._images.pull(image, progress)

    async def start(self, spec: ContainerSpec) -> str:
        self._needed.set()
        image = await self._images.find(spec.image)
        networks = [network_name(spec.tenant, network) for network in spec.networks]
        for network in networks:
            await ensure_network(self._engine, self._node, network)
        container = container_name(self._node, spec.slot, secrets.token_hex(4))
        self._making.add(container)
        try:
            entry = Entry(made_us=self._clock.now_us(), spec=spec)
            await asyncio.to_thread(self._known.write, container, entry)
            await self._make(container, spec, image, networks)
        except RuntimeAway:
            raise  # whether it was made is not known: the record finds it
        except ContainerFault:
            await self.stop(container, 0)
            raise
        except OSError as error:
            raise ContainerFault(
                f"the node's record cannot be written: {error}", reason="disk_full"
            ) from error
        finally:
            self._making.discard(container)
        return container

    async def _make(self, container: str, spec: ContainerSpec, image: str, networks: list[str]) -> None:
        info = await self._known_info()
        folder, volumes = await asyncio.to_thread(self._folders, container, spec, str(info["DockerRootDir"]))
        body = creation(
            spec,
            node=self._node,
            record=self._known.identity,
            image=image,
            folder=folder,
            volumes=volumes,
            networks=networks,
        )
        await self._engine.post("/containers/create", body, name=container)
        for network in networks[1:]:
            joining = {"Container": container, "EndpointConfig": {"Aliases": [spec.slot.name]}}
            await self._engine.post(f"/networks/{network}/connect", joining)
        await self._engine.post(f"/containers/{container}/start")

    def _folders(self, container: str, spec: ContainerSpec, root: str) -> tuple[str, dict[str, str]]:
        """Folders of the host for a container: for its socket, if it must be one, and for its volumes."""
        folder = ""
        if spec.slot.kind == "operator" and not os.access(Path(root) / "volumes", os.R_OK | os.X_OK):
            # Without the right to look into the Engine's volumes the socket lies in a folder of the node.
            made = self._folder / "sockets" / container
            _open_folder(made)
            folder = str(made)
        volumes = {}
        for volume in spec.volumes:
            name = volume.partition(":")[0]
            made = self._folder / "volumes" / spec.tenant / name
            _open_folder(made)
            volumes[name] = str(made)
        return folder, volumes

    async def stop(self, container: str, grace_s: float) -> None:
        if self._known.get(container) is None:
            return
        if grace_s > 0:
            with suppress(NoSuchContainer):
                seconds = max(1, round(grace_s))
                await self._tell(container, "stop", within_s=grace_s + 30, t=seconds)
        try:
            await self._engine.delete(f"/containers/{container}", force="true", v="true")
        except ContainerFault as fault:
            if fault.reason != "no_such_container":
                raise
        self._seen.pop(container, None)
        self._counters.forget(container)
        await asyncio.to_thread(self._forget, container)

    def _forget(self, container: str) -> None:
        folder = self._folder / "sockets" / container
        if folder.is_dir():
            for left in folder.iterdir():
                with suppress(OSError):
                    left.unlink()
            with suppress(OSError):
                folder.rmdir()
        self._known.forget(container)

    async def list(self) -> tuple[Container, ...]:
        if not self._needed.is_set():
            return ()
        making = set(self._making)
        found = await self._engine.get(
            "/containers/json", all="true", filters=f'{{"label":["{self._label}"]}}'
        )
        making |= self._making
        states = {name.lstrip("/"): str(seen["State"]) for seen in found for name in seen["Names"]}
        entries = self._known.entries
        self.strays = tuple(sorted(states.keys() - entries.keys()))
        containers = []
        for name, entry in entries.items():
            if name in states and name not in making:
                seen = await self._look(name, states[name])
                if seen is not None:
                    containers.append(_container(name, entry, seen))
            elif name not in making and self._clock.now_us() - entry.made_us > CALLED_OFF_US:
                await asyncio.to_thread(self._forget, name)
        return tuple(containers)

    async def _look(self, name: str, state: str) -> Mapping[str, Any] | None:
        """What the Engine knows about a container, asked again when its state is another one."""
        known = self._seen.get(name)
        if known is not None and known[0] == state:
            return known[1]
        try:
            seen: dict[str, Any] = await self._engine.get(f"/containers/{name}/json")
        except ContainerFault as fault:
            if fault.reason == "no_such_container":
                return None
            raise
        ended = seen["State"]
        if ended["ExitCode"] == KILLED and not ended.get("OOMKilled"):
            ended["OOMKilled"] = await asyncio.to_thread(ended_for_memory, str(seen["Id"]))
        self._seen[name] = (state, seen)
        self._counters.forget(name)
        return seen

    async def usage(self, container: str) -> Usage:
        self._mine(container)
        return await self._counters.usage(container)

    async def update(self, container: str, limits: Limits) -> None:
        entry = self._mine(container)
        await self._tell(container, "update", limits_of(limits))
        spec = replace(entry.spec, limits=limits)
        await asyncio.to_thread(self._known.write, container, replace(entry, spec=spec))

    async def pause(self, container: str) -> None:
        self._mine(container)
        await self._tell(container, "pause")

    async def unpause(self, container: str) -> None:
        self._mine(container)
        await self._tell(container, "unpause")

    async def logs(self, container: str, *, tail: int, follow: bool) -> AsyncIterator[Output]:
        self._mine(container)
        frames = self._engine.frames(
            f"/containers/{container}/logs",
            stdout="true",
            stderr="true",
            tail=str(tail),
            follow="true" if follow else "false",
        )
        async with aclosing(frames):  # type: ignore[type-var]  # it is a generator
            async for output in frames:
                yield output

    async def execute(
        self, container: str, command: tuple[str, ...], given: AsyncIterator[bytes]
    ) -> AsyncIterator[Output | Ended]:
        self._mine(container)
        executing = self._engine.execute(container, command, given)
        async with aclosing(executing):  # type: ignore[type-var]  # it is a generator
            async for said in executing:
                yield said

    async def events(self) -> AsyncIterator[Change]:
        await self._needed.wait()
        wanted = f'{{"type":["container"],"label":["{self._label}"]}}'
        async for event in self._engine.lines("GET", "/events", silence_s=None, filters=wanted):
            action = str(event.get("Action", ""))
            name = str(event.get("Actor", {}).get("Attributes", {}).get("name", ""))
            yield Change(id=name, event=_EVENTS.get(action, action))

    async def images(self) -> tuple[Image, ...]:
        return await self._images.all()

    async def remove_image(self, image: str) -> None:
        await self._images.remove(image)

    async def free_bytes(self) -> int:
        root = Path(str((await self._known_info())["DockerRootDir"]))
        # An Engine in another file system than this process sees: what the node itself has.
        place = root if await asyncio.to_thread(root.is_dir) else self._folder
        return await asyncio.to_thread(lambda: shutil.disk_usage(place).free)

    @property
    def _known(self) -> Record:
        assert self._record is not None, "not open"
        return self._record

    @property
    def _label(self) -> str:
        return f"{RECORD}={self._known.identity}"

    def _mine(self, container: str) -> Entry:
        entry = self._known.get(container)
        if entry is None:
            raise NoSuchContainer(container)
        return entry

    async def _tell(
        self,
        container: str,
        what: str,
        body: Mapping[str, Any] | None = None,
        *,
        within_s: float = 30,
        **more: Any,
    ) -> None:
        try:
            await self._engine.post(f"/containers/{container}/{what}", body, within_s=within_s, **more)
        except ContainerFault as fault:
            if fault.reason == "no_such_container":
                raise NoSuchContainer(container) from fault
            raise


def _container(name: str, entry: Entry, seen: Mapping[str, Any]) -> Container:
    state = seen["State"]
    condition = _CONDITIONS.get(str(state["Status"]), Condition.EXITED)
    ended = condition is Condition.EXITED
    return Container(
        id=name,
        spec=entry.spec,
        condition=condition,
        since_us=_instant(str(state["FinishedAt" if ended else "StartedAt"])),
        exit_code=int(state["ExitCode"]) if ended else None,
        out_of_memory=bool(state.get("OOMKilled")) and ended,
        detail=str(state.get("Error", "")),
        socket=_socket(seen),
    )


def _socket(seen: Mapping[str, Any]) -> Path | None:
    sources = (mount["Source"] for mount in seen.get("Mounts", ()) if mount["Destination"] == RUN)
    source = next(sources, None)
    return Path(source) / SOCKET if source else None


def _instant(text: str) -> int:
    """The Engine's instants have nanoseconds; year 1 is never."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    instant = from_datetime(datetime.fromisoformat(f"{whole}.{(fraction + '000000')[:6]}+00:00"))
    return max(0, instant)


def _open_folder(folder: Path) -> None:
    """A folder that any user of a container may write to; above it nobody but the node's user can go."""
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)
