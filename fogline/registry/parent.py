"""Pieces of images from the present parent: the asking side of ``ImageService``."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import TYPE_CHECKING, Final, cast

import grpc

from fogline.model.errors import Unavailable
from fogline.uplink.dial import Dial

if TYPE_CHECKING:
    from fogline.v1 import images_pb2

SILENCE_S: Final = 20.0
"""A parent says at least once a second how far it is; one that says nothing for so long is hung."""

Progress = Callable[[int, int], None]
"""Takes the bytes that the parent has of a piece, and the piece's size or 0."""


class NoCache(Unavailable):
    """There is no parent now, or it offers no images."""


class ParentCache:
    """What the present parent caches. Whether bytes are what a digest names is for the caller to check."""

    def __init__(self, parent: Callable[[], str], *, dial: Dial) -> None:
        """``parent``: where the parent is that answers now, host:port; empty: none does."""
        self._parent: Final = parent
        self._dial: Final = dial

    @property
    def parent(self) -> str:
        """Where the present parent is; empty: there is none."""
        return self._parent()

    async def read(
        self, image: str, digest: str, progress: Progress | None = None
    ) -> AsyncGenerator[bytes, None]:
        """One piece of an image. Raises :class:`NoCache`, and what the parent refuses with."""
        address = self._parent()
        if not address:
            raise NoCache("no parent is attached")
        # Imported here: a node that pulls nothing shall not pay for it.
        from fogline.client.errors import translated  # noqa: PLC0415
        from fogline.v1 import images_pb2, images_pb2_grpc  # noqa: PLC0415

        async with self._dial(address) as channel:
            request = images_pb2.FetchRequest(image=image, digest=digest)
            with translated(address):
                call = images_pb2_grpc.ImageServiceStub(channel).Fetch(request)
                try:
                    async for told in _each(call):
                        if told.data:
                            yield told.data
                        elif progress is not None:
                            progress(int(told.have), int(told.size))
                except grpc.aio.AioRpcError as error:
                    if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                        raise NoCache(f"the parent at {address} keeps no images") from None
                    raise
                finally:
                    call.cancel()


async def _each(
    call: "grpc.aio.UnaryStreamCall[images_pb2.FetchRequest, images_pb2.FetchResponse]",
) -> "AsyncIterator[images_pb2.FetchResponse]":
    while True:
        try:
            async with asyncio.timeout(SILENCE_S):
                told = await call.read()
        except TimeoutError:
            raise Unavailable(f"the parent has said nothing for {SILENCE_S:g} s") from None
        if told is grpc.aio.EOF:
            return
        yield cast("images_pb2.FetchResponse", told)  # the stubs do not know that EOF is out
