"""What a container does too much of while it goes on running: it is held to its limits, and people are told. Pure."""

from dataclasses import dataclass
from typing import Final

from fog_node.runtimes.runtime import Container, Usage
from fogline.model.clock import MINUTE, SECOND

SAID_FOR_US: Final = MINUTE
"""How long it is said after it was last seen."""
FLOOD_BYTES_PER_S: Final = 256 * 1024
"""Output that nobody can read, of which only the end is kept."""
LOOKS: Final = 3
"""So many more looks must have found a flood than found none: a start may write much at once, and of a fast writer's
output not all is seen at every look.
"""


@dataclass(slots=True)
class _Known:
    usage: Usage
    at_us: int
    floods: int = 0
    refused_us: int = -SAID_FOR_US
    flooded_us: int = -SAID_FOR_US


class Excesses:
    """Compares what was measured with what was measured before."""

    def __init__(self) -> None:
        self._known: Final[dict[str, _Known]] = {}

    def measured(self, container: Container, usage: Usage, now_us: int) -> list[tuple[str, str]]:
        """Take in a measurement; events that are new, with their words."""
        known = self._known.get(container.id)
        if known is None:
            # Those that were refused before the first look are not lost.
            before = Usage(cpu_us=0, memory_bytes=0, throttled_us=0, output_bytes=usage.output_bytes)
            known = self._known[container.id] = _Known(before, now_us)
        events = []
        if usage.forks_refused > known.usage.forks_refused:
            if not _said(known.refused_us, now_us):
                events.append(("too_many_processes", _forks(container, usage)))
            known.refused_us = now_us
        most = FLOOD_BYTES_PER_S * (now_us - known.at_us) // SECOND
        over = usage.output_bytes - known.usage.output_bytes > most
        known.floods = min(known.floods + 1, LOOKS) if over else max(known.floods - 1, 0)
        if over and known.floods == LOOKS:
            if not _said(known.flooded_us, now_us):
                events.append(("floods_output", FLOOD))
            known.flooded_us = now_us
        known.usage, known.at_us = usage, now_us
        return events

    def words(self, container: Container, now_us: int) -> str:
        """What is said of it now; empty: nothing."""
        known = self._known.get(container.id)
        if known is None:
            return ""
        forks = _forks(container, known.usage) if _said(known.refused_us, now_us) else ""
        return "; ".join(filter(None, (forks, FLOOD if _said(known.flooded_us, now_us) else "")))

    def forget_others(self, alive: set[str]) -> None:
        """Keep what is known of these alone."""
        for gone in self._known.keys() - alive:
            del self._known[gone]


FLOOD: Final = (
    f"it floods its output with more than {FLOOD_BYTES_PER_S // 1024} KiB a second; only the newest 1 to 2 MiB are kept"
    " (let it write less: the rest costs the machine's CPU and wears its disk)"
)


def _forks(container: Container, usage: Usage) -> str:
    return (
        f"it wants more than its {container.spec.limits.pids} processes and threads: {usage.forks_refused:,} were"
        " refused since its start (give it more `pids:`, or let it start fewer)"
    )


def _said(since_us: int, now_us: int) -> bool:
    return now_us - since_us < SAID_FOR_US
