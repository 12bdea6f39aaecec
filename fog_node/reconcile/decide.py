"""What to do next, from what shall be and what is. Pure: no I/O, no clock of its own, the same for the same values.

Each slot is decided by itself: a container that fails, an image that is stuck, a runtime that is away change nothing
for any other slot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from fog_node.reconcile.desired import Desired, Wanted
from fog_node.runtimes.runtime import Condition, Container, ContainerSpec, Limits, Slot
from fogline.model.clock import SECOND

ALIVE: Final = frozenset({Condition.RUNNING, Condition.PAUSED})
START_US: Final = 10 * SECOND
"""How long a container that is not ready keeps what it has for its start."""


class Presence(StrEnum):
    """Whether an image is on the node."""

    UNKNOWN = "unknown"
    PRESENT = "present"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """How often something failed in a row, and when it may be tried again."""

    failures: int = 0
    not_before_us: int = 0
    busy: bool = False
    """Something is being done about it now: decide nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageState:
    """What is known about one image on one runtime."""

    presence: Presence = Presence.UNKNOWN
    tries: Tries = Tries()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A container that there is."""

    runtime: str
    container: Container
    condemned: bool = False
    """Somebody found that it must be started anew."""
    ready: bool = False
    """It offers its socket."""


ImageKey = tuple[str, str]
"""Runtime and image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actual:
    """What is."""

    containers: tuple[Seen, ...] = ()
    away: frozenset[str] = frozenset()
    """Runtimes that do not answer: what they have is not known."""
    images: Mapping[ImageKey, ImageState] = field(default_factory=dict)
    slots: Mapping[Slot, Tries] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Find out whether an image is here."""

    key: ImageKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """Fetch an image."""

    key: ImageKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Make a container and start it."""

    runtime: str
    spec: ContainerSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """End a container and remove it."""

    runtime: str
    container: Container
    at_once: bool
    """True: it has ended, or does not deserve to be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Change the limits of a container that runs."""

    runtime: str
    container: Container
    limits: Limits


Action = Look | Pull | Start | Stop | Update


def decide(desired: Desired, actual: Actual, now_us: int) -> tuple[Action, ...]:
    """The next action for every slot and every image that needs one; nothing, once all is as it shall be."""
    by_slot: dict[Slot, list[Seen]] = {}
    for seen in actual.containers:
        by_slot.setdefault(seen.container.spec.slot, []).append(seen)
    actions: dict[Action, None] = {}
    for slot in sorted(by_slot.keys() | desired.wanted.keys()):
        if actual.slots.get(slot, Tries()).busy:
            continue
        action = _for_slot(slot, desired.wanted.get(slot), by_slot.get(slot, ()), actual, now_us)
        if action is not None:
            actions[action] = None  # two slots may need the same image: once
    return tuple(actions)


def _for_slot(
    slot: Slot, wanted: Wanted | None, there: Sequence[Seen], actual: Actual, now_us: int
) -> Action | None:
    if now_us < actual.slots.get(slot, Tries()).not_before_us:
        return None
    known = [seen for seen in there if seen.runtime not in actual.away]
    if len(known) < len(there):
        return None  # what else runs is not known: a second one must not be started
    kept = _kept(wanted, known)
    # What has ended or is condemned goes first, then whatever there is too much of.
    for seen in sorted(known, key=lambda seen: (_alive(seen), seen.container.id)):
        if seen is not kept and (not _alive(seen) or kept is not None or wanted is None):
            return Stop(runtime=seen.runtime, container=seen.container, at_once=not _alive(seen))
    if wanted is None or wanted.runtime in actual.away:
        return None
    if kept is not None:
        return _adjusted(kept, wanted, now_us)
    return _begun(wanted, known, actual, now_us)


def _begun(wanted: Wanted, others: list[Seen], actual: Actual, now_us: int) -> Action | None:
    """Start what does not run; ``others`` are what runs in its place: it goes on until its successor can start."""
    key = (wanted.runtime, wanted.spec.image)
    image = actual.images.get(key, ImageState())
    if image.presence is not Presence.PRESENT:
        if image.tries.busy or now_us < image.tries.not_before_us:
            return None
        return Look(key=key) if image.presence is Presence.UNKNOWN else Pull(key=key)
    if others:
        first = min(others, key=lambda seen: seen.container.id)
        return Stop(runtime=first.runtime, container=first.container, at_once=False)
    return Start(runtime=wanted.runtime, spec=replace(wanted.spec, limits=_starting(wanted)))


def _starting(wanted: Wanted) -> Limits:
    """The limits that a container begins with: imports are most of a start, and need a core."""
    limits = wanted.spec.limits
    return replace(limits, cpu_millis=max(limits.cpu_millis, wanted.start_millis))


def _adjusted(kept: Seen, wanted: Wanted, now_us: int) -> Action | None:
    has, limits = kept.container.spec.limits, wanted.spec.limits
    starts = not kept.ready and 0 <= now_us - kept.container.since_us < START_US
    if has == limits or (starts and has == _starting(wanted)):
        return None
    return Update(runtime=kept.runtime, container=kept.container, limits=limits)


def _kept(wanted: Wanted | None, there: list[Seen]) -> Seen | None:
    """The container that goes on: the one that has run longest of those that are what is wanted."""
    if wanted is None:
        return None
    fit = [seen for seen in there if _alive(seen) and seen.runtime == wanted.runtime and _same(seen, wanted)]
    return min(fit, key=lambda seen: (seen.container.since_us, seen.container.id), default=None)


def _same(seen: Seen, wanted: Wanted) -> bool:
    """Whether a container is what is wanted, or can become it while it runs."""
    has = seen.container.spec
    limits = replace(wanted.spec.limits, tmp_bytes=has.limits.tmp_bytes)
    return has.limits.tmp_bytes == wanted.spec.limits.tmp_bytes and replace(has, limits=limits) == wanted.spec


def _alive(seen: Seen) -> bool:
    return seen.container.condition in ALIVE and not seen.condemned


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait between tries. Unit: microseconds."""

    base_us: int = SECOND
    cap_us: int = 60 * SECOND
    healthy_us: int = 60 * SECOND


def failed(tries: Tries, now_us: int, patience: Patience, *, ran_us: int = 0, jitter: float = 0.0) -> Tries:
    """After a failure: the first is tried again at once, then each wait is twice the one before, up to the cap.

    ``ran_us``: how long it had run; after long enough it counts as the first. ``jitter`` in [0, 1) adds up to half.
    """
    failures = 1 if ran_us >= patience.healthy_us else tries.failures + 1
    wait_us = 0 if failures == 1 else min(patience.cap_us, patience.base_us << min(failures - 2, 30))
    return Tries(failures=failures, not_before_us=now_us + round(wait_us * (1 + jitter / 2)), busy=False)
