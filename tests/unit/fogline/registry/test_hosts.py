"""Where a registry is, and when TLS may be left out."""

import base64
import json
from pathlib import Path

import pytest

from fogline.model.errors import InvalidInput
from fogline.model.image import parse_image
from fogline.registry.errors import NoSuchImage
from fogline.registry.hosts import PlainHosts, place_of
from fogline.registry.logins import read_logins


@pytest.mark.parametrize(
    ("image", "url", "repository"),
    [
        ("registry.example/clean:1", "https://registry.example", "clean"),
        ("registry.example:5000/a/b", "https://registry.example:5000", "a/b"),
        ("127.0.0.1:5000/clean", "http://127.0.0.1:5000", "clean"),
        ("127.9.9.9/clean", "http://127.9.9.9", "clean"),
        ("[::1]:5000/clean", "http://[::1]:5000", "clean"),
        ("localhost/clean", "http://localhost", "clean"),
        ("10.1.2.3:5000/clean", "http://10.1.2.3:5000", "clean"),
        ("10.2.2.3:5000/clean", "https://10.2.2.3:5000", "clean"),
        ("plain.example/clean", "http://plain.example", "clean"),
        ("plain.example:81/clean", "http://plain.example:81", "clean"),
        ("some.example:81/clean", "http://some.example:81", "clean"),
        ("some.example:82/clean", "https://some.example:82", "clean"),
    ],
)
def test_an_image_has_a_place(image: str, url: str, repository: str) -> None:
    plain = PlainHosts(("10.1.0.0/16", "plain.example", "some.example:81"))
    place = place_of(parse_image(image), plain)
    assert (place.url, place.repository) == (url, repository)


@pytest.mark.parametrize("image", ["clean", "clean:1", "acme/clean:1"])
def test_no_registry_is_asked_by_default(image: str) -> None:
    with pytest.raises(NoSuchImage, match="names no registry"):
        place_of(parse_image(image), PlainHosts())


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no network"):
        PlainHosts(("10.0.0.0/99",))


def test_logins_are_read_as_docker_writes_them(tmp_path: Path) -> None:
    login = base64.b64encode(b"me:secret:with colon").decode()
    file = tmp_path / "config.json"
    auths = {
        "https://registry.example/v1/": {"auth": login},
        "registry.example:5000": {"auth": login},
        "https://index.docker.io/v1/": {"auth": login},
        "x": {},
    }
    file.write_text(json.dumps({"auths": auths, "credsStore": "none"}))
    assert read_logins(file) == dict.fromkeys(
        ("registry.example", "registry.example:5000", "docker.io"), ("me", "secret:with colon")
    )


@pytest.mark.parametrize(
    "text", ["", "[]", '{"auths": 1}', '{"auths": {"a": {"auth": "?"}}}', '{"auths": {"a": 7}}']
)
def test_a_file_without_logins_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InvalidInput, match="holds no logins"):
        read_logins(tmp_path / "config.json")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_logins(tmp_path / "other.json")


def test_the_hub_is_asked_where_it_answers() -> None:
    place = place_of(parse_image("docker.io/library/redis:7"), PlainHosts())
    assert place.url == "https://registry-1.docker.io"
    assert (place.repository, place.host) == ("library/redis", "docker.io")
