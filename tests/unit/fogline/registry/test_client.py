"""Which digest a tag stands for, asked of registries of every temper."""

import base64
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from fogline.model.image import parse_image
from fogline.registry.client import MANIFESTS, Registries
from fogline.registry.errors import NoSuchImage, RegistryAway
from fogline.registry.hosts import Place, PlainHosts
from fogline.registry.resolve import resolve
from tests.unit.fogline.registry.servers import serving

MANIFEST = b'{"schemaVersion": 2}'
DIGEST = "sha256:" + hashlib.sha256(MANIFEST).hexdigest()


@pytest.fixture
def registries() -> Iterator[Registries]:
    with Registries(PlainHosts(), {}) as made:
        yield made


def says_digest(_: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Docker-Content-Digest": DIGEST}, MANIFEST


def test_a_registry_is_asked_for_lists_of_architectures_first(registries: Registries) -> None:
    asked = []

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        asked.append((request.command, request.path, request.headers["Accept"]))
        return says_digest(request)

    with serving(answer) as host:
        assert registries.digest_of(parse_image(f"{host}/acme/clean:1")) == DIGEST
        assert registries.digest_of(parse_image(f"{host}/clean")) == DIGEST
    assert asked == [
        ("HEAD", "/v2/acme/clean/manifests/1", MANIFESTS),
        ("HEAD", "/v2/clean/manifests/latest", MANIFESTS),
    ]


def test_a_registry_that_says_no_digest_is_asked_for_the_manifest(registries: Registries) -> None:
    with serving(lambda _: (200, {"Docker-Content-Digest": "nonsense"}, MANIFEST)) as host:
        assert registries.digest_of(parse_image(f"{host}/clean:1")) == DIGEST


def needs_token(request: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
    host = request.headers["Host"]
    if request.path.startswith("/token"):
        assert "scope=repository%3Aclean%3Apull" in request.path
        return 200, {}, b'{"token": "abc"}'
    if request.headers["Authorization"] == "Bearer abc":
        return says_digest(request)
    return 401, {"WWW-Authenticate": f'Bearer realm="http://{host}/token",service="s"'}, b""


def test_a_token_that_anybody_gets_is_fetched(registries: Registries) -> None:
    with serving(needs_token) as host:
        assert registries.digest_of(parse_image(f"{host}/clean:1")) == DIGEST


def needs_login(request: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
    if request.headers["Authorization"] == "Basic " + base64.b64encode(b"me:secret").decode():
        return says_digest(request)
    return 401, {"WWW-Authenticate": 'Basic realm="images"'}, b""


def test_a_private_registry_is_shown_our_login() -> None:
    with serving(needs_login) as host:
        for login, known in (("secret", True), ("wrong", False)):
            with Registries(PlainHosts(), {host: ("me", login)}) as registries:
                if known:
                    assert registries.digest_of(parse_image(f"{host}/clean:1")) == DIGEST
                else:
                    with pytest.raises(NoSuchImage, match="does not show"):
                        registries.digest_of(parse_image(f"{host}/clean:1"))


@pytest.mark.parametrize(
    ("status", "headers", "error", "message"),
    [
        (404, {}, NoSuchImage, "has no image .*/clean:1"),
        (403, {}, NoSuchImage, "does not show this image"),
        (401, {}, NoSuchImage, "does not show this image"),
        (401, {"WWW-Authenticate": "Bearer"}, NoSuchImage, "does not show this image"),
        (401, {"WWW-Authenticate": 'Bearer realm="file:///etc/passwd"'}, NoSuchImage, "does not show"),
        (429, {}, RegistryAway, "no more questions"),
        (500, {}, RegistryAway, "answers with 500"),
        (302, {"Location": "/v2/clean/manifests/1"}, RegistryAway, "redirects"),
        (200, {}, RegistryAway, "does not answer as a registry"),
    ],
)
def test_a_refusal_says_what_it_means(
    registries: Registries, status: int, headers: dict[str, str], error: type[Exception], message: str
) -> None:
    with serving(lambda _: (status, headers, b"")) as host, pytest.raises(error, match=message):
        registries.digest_of(parse_image(f"{host}/clean:1"))


def test_a_manifest_without_an_end_is_not_read_to_it(registries: Registries) -> None:
    with (
        serving(lambda _: (200, {}, bytes(5 * 1024**2))) as host,
        pytest.raises(RegistryAway, match="more than a manifest"),
    ):
        registries.digest_of(parse_image(f"{host}/clean:1"))


def test_a_registry_that_hangs_is_given_up() -> None:
    held = threading.Event()

    def hang(_: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        held.wait(30)
        return 200, {}, b""

    with serving(hang) as host, Registries(PlainHosts(), {}, read_s=0.05) as registries:
        with pytest.raises(RegistryAway, match="in time"):
            registries.digest_of(parse_image(f"{host}/clean:1"))
        held.set()


def test_a_registry_without_tls_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fogline.registry.hosts.LOOPBACK", ())
    with (
        serving(says_digest) as host,
        Registries(PlainHosts()) as registries,
        pytest.raises(RegistryAway, match="does not speak TLS") as raised,
    ):
        registries.digest_of(parse_image(f"{host}/clean:1"))
    assert "insecure_registries" in raised.value.hint


def test_nobody_at_the_address_is_said(registries: Registries) -> None:
    with pytest.raises(RegistryAway, match="cannot be reached"):
        registries.digest_of(parse_image("127.0.0.1:1/clean:1"))


def test_a_registry_that_is_away_is_asked_once_and_others_go_on(registries: Registries) -> None:
    asked = []

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        asked.append(request.path)
        return (503, {}, b"")

    with serving(answer) as away, serving(says_digest) as there:
        done = f"{there}/c:1@{DIGEST}"
        images = [f"{away}/a:1", f"{away}/b:1", f"{there}/a:1", done]
        resolved = resolve(images, registries)
    assert resolved.images == {f"{there}/a:1": f"{there}/a:1@{DIGEST}"}
    assert set(resolved.faults) == {f"{away}/a:1", f"{away}/b:1"}
    assert len(asked) == 1


@pytest.mark.parametrize("how", ["redirect", "token"])
def test_a_registry_with_tls_sends_nobody_on_to_where_there_is_none(
    registries: Registries, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    asked: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        asked.append(request.path)
        elsewhere = f"http://{request.headers['Host']}/elsewhere"
        if how == "redirect":
            return 307, {"Location": elsewhere}, b""
        return 401, {"WWW-Authenticate": f'Bearer realm="{elsewhere}"'}, b""

    with serving(answer) as host:
        # Behind TLS, as far as the client knows; the hook lets the first request of each stay what it is.
        place = Place(f"http://{host}", "clean", host)
        monkeypatch.setattr("fogline.registry.client.place_of", lambda *_: place)
        monkeypatch.setattr(Place, "is_plain", property(lambda _: not asked))
        with pytest.raises(RegistryAway, match="without TLS"):
            registries.digest_of(parse_image(f"{host}/clean:1"))
    assert asked == ["/v2/clean/manifests/1"]
