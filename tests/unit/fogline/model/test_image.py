"""References to images, as Docker writes them."""

import pytest

from fogline.model.image import ImageReference, MalformedImage, parse_image

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("python", ("", "python", "", "")),
        ("python:3.11-slim", ("", "python", "3.11-slim", "")),
        ("acme/denoise", ("", "acme/denoise", "", "")),
        ("registry.example/acme/denoise:1.4", ("registry.example", "acme/denoise", "1.4", "")),
        ("127.0.0.1:5000/denoise", ("127.0.0.1:5000", "denoise", "", "")),
        ("[::1]:5000/denoise:a", ("[::1]:5000", "denoise", "a", "")),
        ("localhost/denoise:1", ("localhost", "denoise", "1", "")),
        (f"denoise@{DIGEST}", ("", "denoise", "", DIGEST)),
        (f"a.b:1/c/d_e--f:1@{DIGEST}", ("a.b:1", "c/d_e--f", "1", DIGEST)),
    ],
)
def test_a_reference_is_taken_apart_and_put_together(text: str, parts: tuple[str, str, str, str]) -> None:
    found = parse_image(text)
    assert (found.host, found.repository, found.tag, found.digest) == parts
    assert str(found) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not the name"),
        ("Python", "not the name"),
        ("a//b", "not the name"),
        ("a/b/", "not the name"),
        ("a b", "not the name"),
        ("a:", "not a tag"),
        ("a:b c", "not a tag"),
        (":a", "not the name"),
        ("a@sha256:12", "not a digest"),
        ("a@md5:" + "0" * 64, "not a digest"),
        ("a@" + DIGEST.upper(), "not a digest"),
        ("http://a/b", "is no registry"),
        ("a.b:x/c", "is no registry"),
        ("a" * 600, "too long"),
        ("process:clean", "names no bundle"),
        (f"process@{DIGEST}", "names no bundle"),
    ],
)
def test_what_names_no_image_is_refused(text: str, message: str) -> None:
    with pytest.raises(MalformedImage, match=message):
        parse_image(text)


def test_a_bundle_is_no_image() -> None:
    assert parse_image(f"process:clean@{DIGEST}").is_bundle
    assert not parse_image(f"acme/process:clean@{DIGEST}").is_bundle


def test_a_digest_is_put_behind_a_name() -> None:
    assert str(parse_image("a/b:1").at(DIGEST)) == f"a/b:1@{DIGEST}"
    assert parse_image("a/b:1").name == "a/b"
    assert ImageReference(host="h:1", repository="r").name == "h:1/r"
