"""Which images the group may ask for, and which pieces these have: from signed desired state. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from fogline.control.grants import is_eligible
from fogline.identity.names import NODE
from fogline.model.caller import Caller
from fogline.model.errors import FogError, NotAllowed
from fogline.model.image import ImageReference, parse_image
from fogline.registry.manifest import Manifest, Piece
from fogline.v1 import control_pb2

Known = Callable[[str], Manifest | None]
"""The manifest of a digest, if it is here."""

DEEPEST: Final = 3
"""Lists of lists do not go further down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One piece that a child may have."""

    reference: ImageReference
    piece: Piece


def images_of(state: control_pb2.DesiredState | None) -> Iterator[tuple[str, control_pb2.Grant]]:
    """Every image that desired state names, with the grant that does; bundles are none."""
    for grant in () if state is None else state.grants:
        for image in (*(one.image for one in grant.operators), *(one.image for one in grant.services)):
            if _reference(image) is not None:
                yield image, grant


def wanted(
    state: control_pb2.DesiredState | None, image: str, digest: str, caller: Caller, known: Known
) -> Wanted:
    """The piece that a caller asks for. Raises :class:`NotAllowed` for what is not part of an image it may run."""
    for named, grant in images_of(state):
        if named == image and (caller.role != NODE or is_eligible(grant, caller.name)):
            break
    else:
        raise NotAllowed(f"no desired state of this group names {image} for {caller.role} {caller.name}")
    reference = parse_image(image)
    for piece in pieces_of(reference, known):
        if piece.digest == digest:
            return Wanted(reference=reference, piece=piece)
    raise NotAllowed(
        f"{digest} is no part of {image}", hint="ask for the manifest that names it before, from the top"
    )


def pieces_of(reference: ImageReference, known: Known) -> Iterator[Piece]:
    """What an image consists of, as far as its manifests are here, itself first."""
    top = Piece(digest=reference.digest, size=0, is_manifest=True)
    yield top
    below = [top]
    for _ in range(DEEPEST):
        found = [manifest for piece in below if (manifest := known(piece.digest)) is not None]
        pieces = [piece for manifest in found for piece in manifest.all]
        yield from pieces
        below = [piece for piece in pieces if piece.is_manifest]


def named_digests(state: control_pb2.DesiredState | None, known: Known) -> Mapping[str, str]:
    """Every piece of every image that desired state names, with an image that it is of: these stay."""
    digests: dict[str, str] = {}
    for image, _ in images_of(state):
        for piece in pieces_of(parse_image(image), known):
            digests.setdefault(piece.digest, image)
    return digests


def _reference(image: str) -> ImageReference | None:
    try:
        reference = parse_image(image)
    except FogError:
        return None
    return reference if reference.digest and not reference.is_bundle else None
