"""What manifests say, and what is no manifest."""

import json
from typing import Any

import pytest

from fogline.registry.manifest import (
    MOST_PIECES,
    MalformedManifest,
    is_digest_of,
    parse_layers,
    parse_manifest,
)
from tests.images import digest

DIGESTS = [f"sha256:{number:064x}" for number in range(4)]


def piece(number: int, **more: Any) -> dict[str, Any]:
    return {"digest": DIGESTS[number], "size": number, "mediaType": "m", **more}


def test_a_manifest_names_its_configuration_and_layers() -> None:
    content = json.dumps({"schemaVersion": 2, "config": piece(0), "layers": [piece(1), piece(2)]}).encode()
    found = parse_manifest(content)
    assert [one.digest for one in found.all] == DIGESTS[:3]
    assert [one.size for one in found.pieces] == [1, 2]
    assert found.config is not None
    assert not any(one.is_manifest for one in found.all)
    assert is_digest_of(digest(content), content)
    assert not is_digest_of(digest(content), content + b" ")


def test_a_list_has_one_for_each_architecture() -> None:
    manifests = [
        piece(0, platform={"os": "unknown", "architecture": "unknown"}),
        piece(1, platform={"os": "windows", "architecture": "amd64"}),
        piece(2, platform={"os": "linux", "architecture": "arm64", "variant": "v8"}),
        piece(3, platform={"os": "linux", "architecture": "amd64"}),
    ]
    found = parse_manifest(json.dumps({"manifests": manifests}).encode())
    assert found.config is None
    assert all(one.is_manifest for one in found.all)
    for asked, number in ((("amd64",), 3), (("arm64", "amd64"), 2), (("arm", "amd64"), 3)):
        chosen = found.for_architecture(*asked)
        assert chosen is not None
        assert chosen.digest == DIGESTS[number]
    assert found.for_architecture("s390x") is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"schemaVersion": 1, "fsLayers": []}',
        b'{"config": {}, "layers": []}',
        json.dumps({"config": piece(0), "layers": [piece(1) | {"digest": "sha256:../../x"}]}).encode(),
        json.dumps({"config": piece(0), "layers": [piece(1) | {"size": -1}]}).encode(),
        json.dumps({"config": piece(0), "layers": [piece(1)] * (MOST_PIECES + 1)}).encode(),
    ],
)
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedManifest):
        parse_manifest(content)


def test_a_configuration_names_layers_as_they_are_unpacked() -> None:
    assert parse_layers(json.dumps({"rootfs": {"diff_ids": DIGESTS}}).encode()) == tuple(DIGESTS)
    with pytest.raises(MalformedManifest):
        parse_layers(b"{}")
