"""Names of containers."""

import re
from typing import Final

from fog_node.runtimes.runtime import Slot

_FOREIGN: Final = re.compile(r"[^a-zA-Z0-9]+")


def container_name(node: str, slot: Slot, nonce: str) -> str:
    """A name that tells people what it is, and by its ``nonce`` no two containers ever share."""
    words = (node[:24], slot.plan[:8], slot.name[:24], str(slot.replica), nonce)
    return "-".join(("fogline", *(_FOREIGN.sub("_", word) for word in words)))
