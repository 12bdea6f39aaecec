"""What a digest names, fetched from registries of every temper."""

import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from fogline.model.image import parse_image
from fogline.registry.client import Registries
from fogline.registry.errors import NoSuchImage, RegistryAway
from fogline.registry.hosts import PlainHosts
from tests.unit.fogline.registry.servers import serving

BLOB = b"0123456789"
DIGEST = "sha256:" + hashlib.sha256(BLOB).hexdigest()


@pytest.fixture
def registries() -> Iterator[Registries]:
    with Registries(PlainHosts(), {}, tier="aggregator") as made:
        yield made


def taken(registries: Registries, host: str, *, offset: int = 0) -> tuple[int, int | None, bytes]:
    with registries.opened(parse_image(f"{host}/clean:1"), "blobs", DIGEST, offset=offset) as opened:
        return opened.begins, opened.size, b"".join(opened.chunks)


def in_parts(request: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
    assert request.path == f"/v2/clean/blobs/{DIGEST}"
    begin = int((request.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
    content = BLOB[begin:]
    return 206 if begin else 200, {"Content-Length": str(len(content))}, content


def test_a_blob_comes_whole_or_from_where_it_broke_off(registries: Registries) -> None:
    with serving(in_parts) as host:
        assert taken(registries, host) == (0, 10, BLOB)
        assert taken(registries, host, offset=4) == (4, 10, BLOB[4:])


def test_a_registry_that_knows_no_ranges_begins_anew(registries: Registries) -> None:
    with serving(lambda _: (200, {"Content-Length": "10"}, BLOB)) as host:
        assert taken(registries, host, offset=4) == (0, 10, BLOB)


def test_a_token_is_fetched_for_a_blob_too(registries: Registries) -> None:
    def needs_token(request: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        if request.path.startswith("/token"):
            return 200, {}, b'{"token": "abc"}'
        if request.headers["Authorization"] == "Bearer abc":
            return in_parts(request)
        return 401, {"WWW-Authenticate": f'Bearer realm="http://{request.headers["Host"]}/token"'}, b""

    with serving(needs_token) as host:
        assert taken(registries, host) == (0, 10, BLOB)


def test_a_refusal_names_the_settings_of_who_asks(registries: Registries) -> None:
    with (
        serving(lambda _: (403, {}, b"")) as host,
        pytest.raises(NoSuchImage, match="to the aggregator") as refused,
    ):
        taken(registries, host)
    assert "aggregator's setting registry_logins" in refused.value.hint


def test_a_blob_that_breaks_off_is_said(registries: Registries) -> None:
    with (
        serving(lambda _: (200, {"Content-Length": "20"}, BLOB)) as host,
        pytest.raises(RegistryAway, match="does not answer as one does"),
    ):
        taken(registries, host)
