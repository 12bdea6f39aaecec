"""References to images: which registry, which repository, which tag, which digest."""

import re
from dataclasses import dataclass, replace
from typing import Final

from fogline.model.errors import InvalidInput
from fogline.model.faults import shown

BUNDLE: Final = "process"
"""Repository of a reference that names an operator bundle, which the process runtime runs, and no image."""

MAX_CHARACTERS: Final = 512
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)

_HOST: Final = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?", re.ASCII
)
_WORD: Final = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REPOSITORY: Final = re.compile(rf"{_WORD}(?:/{_WORD})*", re.ASCII)
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)


class MalformedImage(InvalidInput):
    """A text that names no image."""

    code = "malformed_image"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    """``host/repository:tag@sha256:...``; only the repository is always there."""

    host: str = ""
    """With its port; empty: the public hub's."""
    repository: str
    tag: str = ""
    digest: str = ""
    """``sha256:`` and 64 hexadecimal digits; empty: whatever the tag stands for now."""

    @property
    def name(self) -> str:
        """Host and repository."""
        return f"{self.host}/{self.repository}" if self.host else self.repository

    @property
    def is_bundle(self) -> bool:
        """Whether it names an operator bundle of the process runtime: ``process:NAME@sha256:...``."""
        return not self.host and self.repository == BUNDLE

    def at(self, digest: str) -> "ImageReference":
        """The same name with this digest."""
        return replace(self, digest=digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


def parse_image(text: str) -> ImageReference:
    """The reference that a text is. Raises :class:`MalformedImage`."""
    form = "write name:tag or name:tag@sha256:..., for example registry.example/acme/denoise:1.4"
    if len(text) > MAX_CHARACTERS:
        raise MalformedImage("the image's name is too long", hint=f"at most {MAX_CHARACTERS} characters")
    named, at, digest = text.partition("@")
    if at and not DIGEST.fullmatch(digest):
        raise MalformedImage(
            f"{shown(digest)} is not a digest", hint="a digest is sha256: and 64 hexadecimal digits"
        )
    name, tag = _without_tag(named)
    host, repository = _without_host(name)
    if tag is not None and not _TAG.fullmatch(tag):
        raise MalformedImage(f"{shown(tag)} is not a tag", hint="letters, digits, _, . and -, at most 128")
    if host and not _HOST.fullmatch(host):
        raise MalformedImage(f"{shown(host)} is no registry", hint=form)
    if not _REPOSITORY.fullmatch(repository):
        upper = repository != repository.lower()
        hint = "names of images are written in lower case" if upper else form
        raise MalformedImage(f"{shown(name)} is not the name of an image", hint=hint)
    found = ImageReference(host=host, repository=repository, tag=tag or "", digest=digest)
    if found.is_bundle and not (found.tag and found.digest):
        raise MalformedImage(
            f"{shown(text)} names no bundle",
            hint="take what `fogline operator build NAME --process` prints: process:NAME@sha256:...",
        )
    return found


def _without_tag(named: str) -> tuple[str, str | None]:
    """A colon behind the last slash begins the tag; one before it a port."""
    name, colon, tag = named.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (named, None)


def _without_host(name: str) -> tuple[str, str]:
    """What stands before the first slash is a host if it could be no repository's name, or is localhost."""
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first, rest
    return "", name
