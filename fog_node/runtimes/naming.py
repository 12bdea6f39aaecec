"""Names of containers."""

import re
from typing import Final

from fog_node.runtimes.runtime import Slot

_FOREIGN: Final = re.compile(r"[^a-zA-Z0-9]+")


def container_name(node: str, slot: Slot, nonce: str) -> str:
    """A name that tells people what it is, and by its ``nonce`` no two containers ever share."""
    words = (node[:24], slot.plan[:8], slot.name[:24], str(slot.replica), nonce)
    return "-".join(("fogline", *(_FOREIGN.sub("_", word) for word in words)))


def without_tag(image: str) -> str:
    """``name@sha256:...`` of a reference with a tag: the name of an image that an Engine has pulled."""
    name, at, digest = image.partition("@")
    return f"{_untagged(name)}{at}{digest}"


def kept_as(image: str) -> str:
    """``name:sha256-...``: the name of an image that the node has loaded, which has no digest of a registry."""
    name, _, digest = image.partition("@")
    return f"{_untagged(name)}:{digest.replace(':', '-')}"


def _untagged(name: str) -> str:
    before, colon, tag = name.rpartition(":")
    return before if colon and "/" not in tag else name
