"""The aggregator's end of ``ImageService``."""
# ruff: noqa: N802 - methods are named by the contract

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Final

import grpc

from aggregator.images.cache import ImageCache
from fogline.model.caller import Caller, Right
from fogline.model.errors import Unavailable
from fogline.service.callers import caller_of, require
from fogline.service.server import Server
from fogline.v1 import images_pb2, images_pb2_grpc

MOST_AT_ONCE: Final = 32
"""Pieces that one child may ask for at the same time: as many images as a node pulls at once."""


class TooManyPieces(Unavailable):
    """One child asks for more than its share."""


class ImageServicer(images_pb2_grpc.ImageServiceServicer):
    """Serves the children."""

    def __init__(self, cache: ImageCache) -> None:
        self._cache: Final = cache
        self._asking: Final[Counter[tuple[str, str]]] = Counter()
        """Pieces on their way to each child."""

    async def Fetch(
        self, request: images_pb2.FetchRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[images_pb2.FetchResponse]:
        """Send one piece of an image, as soon as it is here."""
        caller = caller_of(context)
        require(caller, Right.ATTACH)
        child = (caller.role, caller.name)
        if caller.name and self._asking[child] >= MOST_AT_ONCE:
            raise TooManyPieces(f"{caller.role} {caller.name} asks for {MOST_AT_ONCE} pieces already")
        self._asking[child] += 1
        try:
            async with aclosing(self._answered(request, caller)) as answers:
                async for response in answers:
                    yield response
        finally:
            self._asking[child] -= 1
            if not self._asking[child]:
                del self._asking[child]

    async def _answered(
        self, request: images_pb2.FetchRequest, caller: Caller
    ) -> AsyncGenerator[images_pb2.FetchResponse, None]:
        piece = await self._cache.find(request.image, request.digest, caller)
        size = piece.piece.size
        async with aclosing(self._cache.fetched(piece)) as coming:
            async for have in coming:
                yield images_pb2.FetchResponse(have=have, size=size)
        async with aclosing(self._cache.chunks(piece)) as chunks:
            async for chunk in chunks:
                yield images_pb2.FetchResponse(data=chunk, size=size)


def add_images(server: Server, cache: ImageCache) -> None:
    """Serve images on a server."""
    servicer = ImageServicer(cache)
    server.add(
        "fogline.v1.ImageService",
        lambda grpc_server: images_pb2_grpc.add_ImageServiceServicer_to_server(servicer, grpc_server),
    )
