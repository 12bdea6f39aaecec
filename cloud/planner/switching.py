"""When a new plan takes over its pipeline's name, and when the old one may go: decided without I/O."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from fogline.model.clock import NEVER
from fogline.model.part import Origin

Place = TypeVar("Place", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a plan has from one place: every window from ``from_us`` up to ``upto_us``, event time."""

    from_us: int
    upto_us: int


FOREVER: Final = 2**63 - 1
NOTHING: Final = Reach(from_us=NEVER, upto_us=NEVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two plans, as far as the store knows it."""

    passed: Mapping[str, Mapping[str, int]]
    """Of every stream of its results: up to where each node has sent everything, event time."""
    starts: Mapping[Origin, int]
    """Where it began on each origin."""

    @property
    def marks(self) -> dict[tuple[str, str], int]:
        """How far each stream is of each node."""
        return {(stream, node): at for stream, nodes in self.passed.items() for node, at in nodes.items()}

    @property
    def begun(self) -> dict[tuple[str, str], dict[Origin, int]]:
        """Where it began, by stream and node."""
        found: dict[tuple[str, str], dict[Origin, int]] = {}
        for origin, at in self.starts.items():
            found.setdefault((origin.stream, origin.node), {})[origin] = at
        return found

    def reaches(self, old: "Side", deployed_us: int) -> dict[tuple[str, str], Reach]:
        """What this plan, deployed then, has instead of everything that the old one has.

        A plan starts over what a node still keeps: it has all that the old one has where it began no later on every
        origin, and else what came since it was deployed. Instead of a stream that it does not read it has what it has
        of all its own; one without results has nothing to wait for.
        """
        found, begun = {}, old.begun
        for stream, node in old.marks:
            before = begun.get((stream, node), {})
            whole = all(self.starts.get(origin, at + 1) <= at for origin, at in before.items())
            streams = [self.passed[stream]] if stream in self.passed else self.passed.values()
            upto_us = min(
                (nodes[node] for nodes in streams if node in nodes),
                default=NEVER if self.passed else FOREVER,
            )
            found[stream, node] = Reach(from_us=NEVER if whole else deployed_us, upto_us=upto_us)
        return found


def switch_from(old: Mapping[Place, int], new: Mapping[Place, Reach], width_us: int) -> int | None:
    """The start of the first window that the new plan has from every place, a stream of a node, from which the old
    one has it; None: not yet.

    ``old`` says up to where the old plan has each place. From that window on the new plan must lack nothing
    that is shown now, so that a public result never disappears; a node that is away blocks nothing, because
    later windows do not have it. ``width_us`` is that of the widest window: boundaries are its multiples.
    """
    shown = {place: upto // width_us * width_us for place, upto in old.items() if upto != NEVER}
    if not shown:
        return NEVER
    start = NEVER
    for place, upto in shown.items():
        reach = new.get(place, NOTHING)
        if reach.upto_us == NEVER or reach.upto_us // width_us * width_us < upto:
            # The new plan lacks windows that the old one shows from there: begin behind them.
            start = max(start, upto)
        elif reach.from_us != NEVER:
            start = max(start, min(upto, -(-reach.from_us // width_us) * width_us))
    return start if start < max(shown.values()) else None
