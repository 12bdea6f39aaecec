"""When a new plan takes over its pipeline's name, and when the old one may go: decided without I/O."""

from collections.abc import Mapping
from dataclasses import dataclass

from fogline.model.clock import NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a plan has from one node: every window from ``from_us`` up to ``upto_us``, event time."""

    from_us: int
    upto_us: int


def switch_from(old: Mapping[str, int], new: Mapping[str, Reach], width_us: int) -> int | None:
    """The start of the first window that the new plan has from every node that the old one has in it; None:
    not yet.

    ``old`` says up to where the old plan has each node. From that window on the new plan must lack nothing
    that is shown now, so that a public result never disappears; a node that is away blocks nothing, because
    later windows do not have it. ``width_us`` is that of the widest window: boundaries are its multiples.
    """
    shown = {node: upto // width_us * width_us for node, upto in old.items() if upto != NEVER}
    if not shown:
        return NEVER
    start = NEVER
    for node, upto in shown.items():
        reach = new.get(node, Reach(from_us=NEVER, upto_us=NEVER))
        if reach.upto_us == NEVER or reach.upto_us // width_us * width_us < upto:
            # The new plan lacks windows that the old one shows from this node: begin behind them.
            start = max(start, upto)
        elif reach.from_us != NEVER:
            start = max(start, min(upto, -(-reach.from_us // width_us) * width_us))
    return start if start < max(shown.values()) else None
