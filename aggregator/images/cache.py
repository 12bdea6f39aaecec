"""Pieces of images for a group: each is fetched once, however many ask, checked, and kept for those who come later."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from aggregator.images.blobs import Blobs, Broken, Partial
from aggregator.images.named import Wanted, images_of, named_digests, wanted
from aggregator.images.room import Room
from aggregator.images.settings import ImageSettings
from aggregator.images.upstream import Upstream
from fogline.control.desired import Desired
from fogline.model.caller import Caller
from fogline.model.errors import DataLoss, FogError, Unavailable
from fogline.registry.manifest import MAX_MANIFEST, MalformedManifest, Manifest, parse_manifest
from fogline.registry.parent import NoCache

AT_ONCE: Final = 4
"""Pieces that are fetched at the same time; more wait."""
PROGRESS_S: Final = 1.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class NotHad(Unavailable):
    """A piece can be had nowhere now."""


class Counters:
    """What the cache counts, for metrics."""

    def __init__(self) -> None:
        self.asked: Final[Counter[str]] = Counter()
        """Questions for pieces: hit, it was here; joined, it came for somebody else; miss, it had to be fetched;
        refused, no desired state names it."""
        self.served_bytes = 0
        self.fetched_bytes: Final[Counter[str]] = Counter()
        """By where from."""
        self.errors: Final[Counter[tuple[str, str]]] = Counter()
        """By where from, or disk; and by code."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Flight:
    """A piece on its way here."""

    task: "asyncio.Task[FogError | None]"
    promised: int
    partial: Partial | None = None

    @property
    def have(self) -> int:
        """Bytes that are here."""
        return 0 if self.partial is None else self.partial.size


class ImageCache:
    """The cache of one aggregator. Belongs to the event loop; :meth:`run` fetches."""

    def __init__(
        self, folder: Path, settings: ImageSettings, *, desired: Desired, upstreams: Sequence[Upstream]
    ) -> None:
        """``upstreams``: the nearest first."""
        self._settings: Final = settings
        self._desired: Final = desired
        self._upstreams: Final = tuple(upstreams)
        self._blobs: Final = Blobs(folder)
        self._room: Final = Room(self._blobs, settings)
        self._manifests: Final[dict[str, Manifest]] = {}
        self._flights: Final[dict[str, _Flight]] = {}
        self._slots: Final = asyncio.Semaphore(AT_ONCE)
        self._making_room: Final = asyncio.Lock()
        self._group: asyncio.TaskGroup | None = None
        self._faults: Final[dict[str, str]] = {}
        self._unusable = ""
        self.ready: Final = asyncio.Event()
        """Set once its folder was looked at: it fetches, or says why not."""
        self.counters: Final = Counters()

    @property
    def held_bytes(self) -> int:
        """Of pieces that are here."""
        return self._blobs.held_bytes

    @property
    def evicted(self) -> int:
        """Pieces that went for others."""
        return self._room.evicted

    @property
    def faults(self) -> list[str]:
        """Images that desired state names and that could not be fetched, in words."""
        named = {image for image, _ in images_of(self._desired.state)}
        faults = [f"image {image}: {words}" for image, words in self._faults.items() if image in named]
        return [self._unusable, *faults] if self._unusable else faults

    async def run(self) -> None:
        """Fetch what is asked for, until cancelled."""
        try:
            await self._open()
            async with asyncio.TaskGroup() as group:
                self._group = None if self._unusable else group
                self.ready.set()
                await asyncio.get_running_loop().create_future()
        finally:
            for upstream in self._upstreams:
                upstream.close()

    async def _open(self) -> None:
        try:
            await asyncio.to_thread(self._blobs.open)
        except OSError as error:
            # The group's data goes on without it, and nodes ask registries themselves.
            self._unusable = f"images are not cached: {error}"
            _log.error("images are not cached", error=error)

    async def find(self, image: str, digest: str, caller: Caller) -> Wanted:
        """The piece that a caller asks for. Raises :class:`fogline.model.errors.NotAllowed`."""
        await self.ready.wait()  # what an earlier life has left says which pieces are parts of which image
        try:
            return await asyncio.to_thread(wanted, self._desired.state, image, digest, caller, self._known)
        except FogError:
            self.counters.asked["refused"] += 1
            raise

    async def fetched(self, piece: Wanted) -> AsyncGenerator[int, None]:
        """Until a piece is here: how many bytes of it are. Raises :class:`FogError`."""
        await self.ready.wait()
        digest = piece.piece.digest
        if self._blobs.size(digest) is not None:
            self.counters.asked["hit"] += 1
            return
        flight = self._flights.get(digest)
        if flight is None:
            self.counters.asked["miss"] += 1
            flight = self._begin(piece)
        else:
            self.counters.asked["joined"] += 1
        while not flight.task.done():
            yield flight.have
            await asyncio.wait((flight.task,), timeout=PROGRESS_S)
        if flight.task.cancelled():
            raise Unavailable("the aggregator stops")
        if (fault := flight.task.result()) is not None:
            # One of its own for each who waits.
            raise Unavailable(fault.message, hint=fault.hint, code=fault.code)

    async def chunks(self, piece: Wanted) -> AsyncGenerator[bytes, None]:
        """The bytes of a piece that is here. Raises :class:`DataLoss` before the last if they are wrong."""
        chunks = self._blobs.read(piece.piece.digest)
        try:
            while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
                self.counters.served_bytes += len(chunk)
                yield chunk
        finally:
            with suppress(ValueError):  # a thread is in it, and is the last
                chunks.close()

    def _begin(self, piece: Wanted) -> _Flight:
        if self._group is None:
            raise Unavailable(self._unusable or "the aggregator stops")
        digest = piece.piece.digest
        task = self._group.create_task(self._fly(piece), name=f"fetch {digest}")
        flight = self._flights[digest] = _Flight(task=task, promised=piece.piece.size)
        task.add_done_callback(lambda _: self._flights.pop(digest, None))
        return flight

    async def _fly(self, piece: Wanted) -> FogError | None:
        """Have a piece; never raises, so that it ends nothing but itself."""
        image = str(piece.reference)
        try:
            async with self._slots:
                await self._make_room(piece)
                await self._fetch(piece)
        except OSError as error:
            self.counters.errors["disk", "disk_full"] += 1
            fault: FogError = NotHad(f"the aggregator cannot keep it: {error.strerror}")
        except FogError as error:
            fault = error
        else:
            self._faults.pop(image, None)
            return None
        if self._faults.get(image) != fault.message:
            _log.warning("image not fetched", image=image, digest=piece.piece.digest, error=fault)
        self._faults[image] = fault.message
        return fault

    async def _make_room(self, piece: Wanted) -> None:
        async with self._making_room:
            coming = {digest: flight.promised for digest, flight in self._flights.items()}
            promised = sum(coming.values()) - piece.piece.size
            try:
                named = await asyncio.to_thread(named_digests, self._desired.state, self._known)
                await asyncio.to_thread(
                    self._room.make, piece.piece.size, promised=promised, named=named, coming=coming
                )
            except FogError:
                self.counters.errors["disk", "cache_full"] += 1
                raise

    async def _fetch(self, piece: Wanted) -> None:
        digest = piece.piece.digest
        partial = await asyncio.to_thread(self._blobs.begin, digest, most=piece.piece.size or MAX_MANIFEST)
        self._flights[digest].partial = partial
        said = []
        try:
            for upstream in self._upstreams:
                words = await self._from(upstream, piece, partial)
                if words is None:
                    await asyncio.to_thread(self._blobs.keep, digest, partial)
                    return
                said.append(words)
        except OSError:
            await asyncio.to_thread(partial.discard)
            raise
        finally:
            partial.stopped = True
            partial.close()
        raise NotHad("; ".join(filter(None, said)))

    async def _from(self, upstream: Upstream, piece: Wanted, partial: Partial) -> str | None:
        """Fill a piece; None once it is complete and right, else why it is not, in words if there are any."""
        name, digest = upstream.name, piece.piece.digest
        for _ in range(2):
            here, before = partial.size, partial.written
            try:
                await upstream.fetch(piece, partial)
            except NoCache:
                return ""
            except Broken as broken:
                _log.warning("piece of an image refused", digest=digest, source=name, error=str(broken))
            except FogError as error:
                self.counters.errors[name, error.code] += 1
                return f"the {name}: {error.message}"
            finally:
                self.counters.fetched_bytes[name] += partial.written - before
            if partial.is_whole(digest):
                return None
            await asyncio.to_thread(partial.begins, 0)
            if not here:
                break  # else what an earlier life left may be what is wrong: once more, from the beginning
        self.counters.errors[name, "bad_digest"] += 1
        return f"the {name} sends what {digest} does not name"

    def _known(self, digest: str) -> Manifest | None:
        """The manifest of a digest, if it is here. Blocks on the disk."""
        size = self._blobs.size(digest)
        if size is None or size > MAX_MANIFEST:
            self._manifests.pop(digest, None)
            return None
        found = self._manifests.get(digest)
        if found is None:
            try:
                found = self._manifests[digest] = parse_manifest(self._blobs.content(digest))
            except (MalformedManifest, DataLoss) as error:
                _log.warning("manifest of an image cannot be read", digest=digest, error=error)
        return found
