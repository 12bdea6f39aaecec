"""Whether the nodes run a generation of desired state."""

from fogline.client.errors import TooSlow
from fogline.client.installation import Status
from fogline.model.errors import FogError
from fogline.model.words import CLOCK


def who_is_behind(status: Status, generation: int, *, nodes: int) -> str:
    """Say who does not run this generation yet; empty: every living node does, and ``nodes`` are alive.

    Raises :class:`FogError` if a node could not apply it.
    """
    alive = [n for n in status.nodes if n.alive]
    if faults := [f"{n.name}: {fault}" for n in alive for fault in n.faults if not fault.startswith(CLOCK)]:
        raise FogError("; ".join(faults), hint="the nodes go on with what they ran before")
    if behind := [n.name for n in alive if n.generation < generation]:
        return ", ".join(behind)
    return "" if len(alive) >= nodes else f"{len(alive)} of {nodes} nodes are attached"


def not_applied(within: float, who: str) -> TooSlow:
    """Make the error of a wait that was not long enough."""
    return TooSlow(f"not applied within {within:g} s: {who}", hint="it will be applied when they come back")
