"""What the reconciler knows: what shall be, what was seen, what was tried, what went wrong."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from fog_node.reconcile.decide import ALIVE, Actual, ImageKey, ImageState, Seen, Tries
from fog_node.reconcile.desired import Desired, Wanted
from fog_node.reconcile.excess import Excesses
from fog_node.reconcile.lives import Lives
from fog_node.reconcile.standing import FINAL, Standing
from fog_node.runtimes.runtime import Container, ContainerFault, Slot, Usage

NOT_YET: Final = "it was not looked at yet"


class Book:
    """Knowledge of one node's containers. Belongs to the event loop."""

    def __init__(self, runtimes: tuple[str, ...]) -> None:
        self.desired = Desired()
        self.seen: Final[dict[str, tuple[Container, ...]]] = {}
        """Containers by runtime, as they were seen last."""
        self.away: Final[dict[str, str]] = dict.fromkeys(runtimes, NOT_YET)
        """Runtimes that do not answer, and why."""
        self.images: Final[dict[ImageKey, ImageState]] = {}
        self.slots: Final[dict[Slot, Tries]] = {}
        self.condemned: Final[dict[str, tuple[str, str]]] = {}
        """Containers that must be started anew: event and words."""
        self.ending: Final[set[str]] = set()
        """Containers that are being stopped."""
        self.faults: Final[dict[Slot | ImageKey, ContainerFault]] = {}
        """What went wrong last."""
        self.progress: Final[dict[ImageKey, str]] = {}
        """Pulls that are under way."""
        self.starts: Final[Counter[Slot]] = Counter()
        self.excesses: Final = Excesses()
        self.usage: Final[dict[str, Usage]] = {}
        """By container, as it was measured last."""

    def replace(self, desired: Desired) -> None:
        """This shall run. What is new or changed has not failed yet; what is not wanted any more is let go of."""
        before, self.desired = self.desired, desired
        keys = {(wanted.runtime, wanted.spec.image) for wanted in desired.wanted.values()}
        for key, state in tuple(self.images.items()):
            if key not in keys and not state.tries.busy:
                del self.images[key]
                self.faults.pop(key, None)
        for slot, tries in tuple(self.slots.items()):
            if desired.wanted.get(slot) == before.wanted.get(slot):
                continue
            if slot in desired.wanted:
                self.slots[slot] = Tries(busy=tries.busy)
            elif not tries.busy:
                self.forget(slot)

    def forget(self, slot: Slot) -> None:
        """Nothing shall be in this slot."""
        self.slots.pop(slot, None)
        self.starts.pop(slot, None)
        self.faults.pop(slot, None)

    def actual(self, lives: Lives) -> Actual:
        """What is, as a value."""
        seen = tuple(
            Seen(
                runtime=name,
                container=container,
                condemned=container.id in self.condemned,
                ready=lives.is_ready(container.id),
            )
            for name, containers in self.seen.items()
            for container in containers
        )
        return Actual(
            containers=seen, away=frozenset(self.away), images=self.images.copy(), slots=self.slots.copy()
        )

    def tries(self, slot: Slot) -> Tries:
        """What was tried in a slot."""
        return self.slots.get(slot, Tries())

    def image(self, key: ImageKey) -> ImageState:
        """What is known about an image."""
        return self.images.get(key, ImageState())

    def busy(self, slot: Slot) -> None:
        """Something is being done about a slot."""
        self.slots[slot] = replace(self.tries(slot), busy=True)

    def alive(self, slot: Slot) -> tuple[str, Container] | None:
        """The runtime and the container that runs in a slot."""
        for name, containers in self.seen.items():
            for container in containers:
                if container.spec.slot == slot and container.condition in ALIVE:
                    return name, container
        return None

    def standings(self, lives: Lives, now_us: int) -> Iterator[Standing]:
        """How every container stands that shall run or does."""
        for wanted in self.desired.wanted.values():
            yield self._standing(wanted, lives, now_us)
        for refusal in self.desired.refusals:
            yield Standing(
                slot=refusal.slot,
                runtime=refusal.runtime,
                image=refusal.image,
                state="failed",
                fault=refusal.fault,
            )
        refused = {refusal.slot for refusal in self.desired.refusals}
        for name, containers in self.seen.items():
            for one in containers:
                slot = one.spec.slot
                if slot not in self.desired.wanted and slot not in refused and one.condition in ALIVE:
                    yield Standing(
                        slot=slot,
                        runtime=name,
                        image=one.spec.image,
                        state="running",
                        fault="it is not wanted any more and ends",
                        container=one.id,
                        since_us=one.since_us,
                    )

    def _standing(self, wanted: Wanted, lives: Lives, now_us: int) -> Standing:
        slot, key = wanted.spec.slot, (wanted.runtime, wanted.spec.image)
        found = self.alive(slot)
        ready = found is not None and lives.is_ready(found[1].id)
        state, fault = self._state(wanted, runs=found is not None, ready=ready)
        if found is not None and state in {"starting", "running"} and not fault:
            fault = self.excesses.words(found[1], now_us)
        return Standing(
            slot=slot,
            runtime=wanted.runtime,
            image=key[1],
            state=state,
            fault=fault,
            container=found[1].id if found else "",
            restarts=max(0, self.starts[slot] - 1),
            since_us=found[1].since_us if found else 0,
            usage=self.usage.get(found[1].id) if found else None,
        )

    def _state(self, wanted: Wanted, *, runs: bool, ready: bool) -> tuple[str, str]:
        slot, key = wanted.spec.slot, (wanted.runtime, wanted.spec.image)
        away = self.away.get(wanted.runtime, "")
        fault = self.faults.get(slot) or self.faults.get(key)
        words = fault.words if fault else ""
        if away:
            # It may well run on: nobody knows.
            return ("running" if ready else "waiting"), f"{wanted.runtime} is away: {away}"
        if ready:
            return "running", ""
        if runs:
            return "starting", words
        if key in self.progress:
            return "pulling", self.progress[key]
        if fault is not None:
            return ("failed" if fault.reason in FINAL else "backing_off"), words
        return ("starting" if self.tries(slot).busy else "waiting"), ""
