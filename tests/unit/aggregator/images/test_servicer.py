"""Who may ask for pieces of images, and for how many."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aggregator.images.servicer import MOST_AT_ONCE, ImageServicer, TooManyPieces
from fogline.model.errors import NotAllowed
from fogline.service.callers import note_caller
from fogline.testing.until import until
from fogline.v1 import images_pb2
from tests.images import ImageFile, digest, layer, make_image
from tests.unit.aggregator.images.group import NODE, Staged, desiring, running_cache

HANG_S = 60.0
CONTEXT: Any = None
"""Nothing of it is looked at: the caller was noted before."""


@pytest.fixture
def image() -> ImageFile:
    return make_image((layer({"/a": b"a"}),), entrypoint=("/a",))


async def first_of(answers: AsyncIterator[images_pb2.FetchResponse]) -> images_pb2.FetchResponse:
    return await anext(answers)


async def test_one_child_has_no_more_than_its_share(tmp_path: Path, image: ImageFile) -> None:
    upstream = Staged(held=asyncio.Event())
    named = upstream.has(image)
    request = images_pb2.FetchRequest(image=named, digest=digest(image.manifest))
    async with running_cache(tmp_path, desiring(named), upstream) as cache:
        servicer = ImageServicer(cache)
        note_caller(NODE)
        open_ones = [servicer.Fetch(request, CONTEXT) for _ in range(MOST_AT_ONCE)]
        for one in open_ones:
            assert (await first_of(one)).data == b""
        async with aclosing(servicer.Fetch(request, CONTEXT)) as more:  # type: ignore[type-var]  # it is a generator
            with pytest.raises(TooManyPieces, match="node n1 asks for"):
                await first_of(more)
        note_caller(replace(NODE, name="n2"))
        async with aclosing(servicer.Fetch(request, CONTEXT)) as other:  # type: ignore[type-var]  # it is a generator
            assert (await first_of(other)).data == b""
        note_caller(NODE)
        for one in open_ones:
            await one.aclose()  # type: ignore[attr-defined]  # it is a generator
        assert upstream.held is not None
        upstream.held.set()
        await until(lambda: cache.held_bytes > 0, within=HANG_S)
        assert [said.data async for said in servicer.Fetch(request, CONTEXT)] == [image.manifest]


async def test_who_may_not_attach_gets_nothing(tmp_path: Path, image: ImageFile) -> None:
    upstream = Staged()
    named = upstream.has(image)
    async with running_cache(tmp_path, desiring(named), upstream) as cache:
        note_caller(replace(NODE, rights=frozenset()))
        request = images_pb2.FetchRequest(image=named, digest=digest(image.manifest))
        async with aclosing(ImageServicer(cache).Fetch(request, CONTEXT)) as answers:  # type: ignore[type-var]  # so
            with pytest.raises(NotAllowed):
                await first_of(answers)
    assert upstream.asked == []
