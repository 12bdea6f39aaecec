"""The aggregator's end of ``ImageService``."""
# ruff: noqa: N802 - methods are named by the contract

from collections.abc import AsyncIterator
from typing import Any, Final

import grpc

from aggregator.images.cache import ImageCache
from fogline.model.caller import Right
from fogline.service.callers import caller_of, require
from fogline.service.server import Server
from fogline.v1 import images_pb2, images_pb2_grpc


class ImageServicer(images_pb2_grpc.ImageServiceServicer):
    """Serves the children."""

    def __init__(self, cache: ImageCache) -> None:
        self._cache: Final = cache

    async def Fetch(
        self, request: images_pb2.FetchRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[images_pb2.FetchResponse]:
        """Send one piece of an image, as soon as it is here."""
        caller = caller_of(context)
        require(caller, Right.ATTACH)
        piece = await self._cache.find(request.image, request.digest, caller)
        size = piece.piece.size
        async for have in self._cache.fetched(piece):
            yield images_pb2.FetchResponse(have=have, size=size)
        async for chunk in self._cache.chunks(piece):
            yield images_pb2.FetchResponse(data=chunk, size=size)


def add_images(server: Server, cache: ImageCache) -> None:
    """Serve images on a server."""
    servicer = ImageServicer(cache)
    server.add(
        "fogline.v1.ImageService",
        lambda grpc_server: images_pb2_grpc.add_ImageServiceServicer_to_server(servicer, grpc_server),
    )
