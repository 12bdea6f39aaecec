"""The archive that an Engine loads, and how a thread sends it."""

import asyncio
import hashlib
import io
import json
import tarfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from fog_node.runtimes.docker.archive import Loading, archive
from fog_node.runtimes.docker.feeding import Ended, Feeding
from fog_node.runtimes.docker.manifests import Manifests
from fog_node.runtimes.runtime import ContainerFault
from fogline.model.errors import Unavailable
from fogline.registry.manifest import Piece, parse_manifest
from tests.images import ImageFile, digest, layer, make_image

IMAGE = make_image((layer({"/a": b"a" * 700}), layer({"/b": b"b"})), entrypoint=("/a",))
NAME = "r.example/acme/clean:sha256-1"


def loading(image: ImageFile) -> Loading:
    return Loading(
        name=NAME,
        digest=digest(image.manifest),
        content=image.manifest,
        manifest=parse_manifest(image.manifest),
        config=image.config,
    )


async def written(image: ImageFile, *, here: int = 0, change: bytes = b"") -> bytes:
    layers = {digest(one): one for one in image.layers}

    async def read(piece: Piece) -> AsyncGenerator[bytes, None]:
        content = layers[piece.digest]
        yield content[:600]
        yield content[600:] if not change else content[600:-1] + change

    return b"".join([chunk async for chunk in archive(loading(image), here, read)])


def files(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        return {one.name: found.read() for one in opened if (found := opened.extractfile(one)) is not None}


async def test_both_kinds_of_engines_find_what_they_read() -> None:
    found = files(await written(IMAGE))
    [own] = json.loads(found["manifest.json"])
    assert own["RepoTags"] == [NAME]
    assert [found[name] for name in own["Layers"]] == list(IMAGE.layers)
    assert found[own["Config"]] == IMAGE.config
    [only] = json.loads(found["index.json"])["manifests"]
    assert only["digest"] == digest(IMAGE.manifest)
    assert only["annotations"]["io.containerd.image.name"] == NAME
    for name, content in found.items():
        if name.startswith("blobs/sha256/"):
            assert hashlib.sha256(content).hexdigest() == name.removeprefix("blobs/sha256/")
    assert json.loads(found["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}


async def test_layers_that_are_here_are_named_and_left_out() -> None:
    found = files(await written(IMAGE, here=1))
    [own] = json.loads(found["manifest.json"])
    assert [name in found for name in own["Layers"]] == [False, True]


@pytest.mark.parametrize("change", [b"x", b"", b"xy"])
async def test_a_wrong_layer_breaks_it_off(change: bytes) -> None:
    image = make_image((layer({"/a": b"a" * 700}),), entrypoint=("/a",))
    if change:
        with pytest.raises(ContainerFault, match="not what") as wrong:
            await written(image, change=change)
        assert wrong.value.reason == "bad_digest"
    else:
        assert await written(image)


async def test_a_thread_gets_what_comes_and_what_goes_wrong() -> None:
    async def some() -> AsyncGenerator[bytes, None]:
        yield b"a"
        yield b"b"

    async def broken() -> AsyncGenerator[bytes, None]:
        yield b"a"
        raise Unavailable("the line broke")

    feeding = Feeding(some())
    assert await asyncio.to_thread(list, feeding) == [b"a", b"b"]
    await feeding.end()
    feeding = Feeding(broken())
    with pytest.raises(Unavailable, match="the line broke"):
        await asyncio.to_thread(list, feeding)
    await feeding.end()


async def test_when_nobody_wants_it_any_more_half_is_never_taken_for_the_whole() -> None:
    closed, reached = asyncio.Event(), asyncio.Event()

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            yield b"a"
            reached.set()
            await asyncio.get_running_loop().create_future()
        finally:
            closed.set()

    feeding = Feeding(endless())
    taking = asyncio.ensure_future(asyncio.to_thread(_take_all, feeding))
    await reached.wait()
    await feeding.end()
    assert closed.is_set()
    assert await taking == ([b"a"], True)
    with pytest.raises(Ended):
        next(feeding)


def _take_all(feeding: Feeding) -> tuple[list[bytes], bool]:
    """What came, and whether it broke off."""
    taken = []
    try:
        for chunk in feeding:
            taken.append(chunk)  # noqa: PERF402 - what came before the end counts
    except BaseException:  # noqa: BLE001 - whatever the thread sees is not the end
        return taken, True
    return taken, False


def test_a_manifest_leads_to_what_engines_call_the_image(tmp_path: Path) -> None:
    manifests, signed = Manifests(tmp_path / "manifests"), digest(IMAGE.manifest)
    assert list(manifests.ids(signed)) == []
    manifests.keep(signed, IMAGE.manifest)
    assert list(manifests.ids(signed)) == [IMAGE.id, signed]
    listed = json.dumps({"manifests": [{"digest": signed, "size": len(IMAGE.manifest)}]}).encode()
    manifests.keep(digest(listed), listed)
    assert list(manifests.ids(digest(listed))) == [IMAGE.id, signed]
    # A manifest under the name of another one leads nowhere.
    manifests.keep(digest(listed), IMAGE.manifest)
    assert list(manifests.ids(digest(listed))) == []
    manifests.forget(signed)
    manifests.forget(signed)
    assert list(manifests.ids(signed)) == []
