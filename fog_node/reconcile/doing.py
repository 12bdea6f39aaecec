"""Doing what was decided. Each action ends with knowledge: it worked, or what went wrong and when to try again."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Final, assert_never

import structlog

from fog_node.reconcile.book import Book
from fog_node.reconcile.decide import (
    Action,
    ImageKey,
    ImageState,
    Look,
    Patience,
    Presence,
    Pull,
    Start,
    Stop,
    Update,
    failed,
)
from fog_node.reconcile.housekeeping import ImageKeeper
from fog_node.reconcile.lives import Lives
from fog_node.reconcile.standing import Events
from fog_node.runtimes.runtime import Condition, Container, ContainerFault, Runtime, RuntimeAway, Slot
from fogline.model.clock import Clock

LAST_LINES: Final = 5
LAST_WORDS_S: Final = 3.0
END_NOTICED_S: Final = 2.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Doer:
    """Performs actions; what fails, fails for itself."""

    def __init__(
        self,
        book: Book,
        lives: Lives,
        events: Events,
        keeper: ImageKeeper,
        *,
        patience: Patience,
        grace_s: float,
        look: Callable[[str], Awaitable[None]],
        clock: Clock,
        rng: Random,
    ) -> None:
        """``look`` renews what is known about a runtime's containers."""
        self._book: Final = book
        self._lives: Final = lives
        self._events: Final = events
        self._keeper: Final = keeper
        self._patience: Final = patience
        self._grace_s: Final = grace_s
        self._look: Final = look
        self._clock: Final = clock
        self._rng: Final = rng

    def begin(self, action: Action) -> None:
        """What it is about is busy from now on."""
        match action:
            case Look() | Pull():
                state = self._book.image(action.key)
                self._book.images[action.key] = replace(state, tries=replace(state.tries, busy=True))
                if isinstance(action, Pull):
                    self._book.progress[action.key] = "asking the registry"
            case Start():
                self._book.busy(action.spec.slot)
            case Stop():
                self._book.busy(action.container.spec.slot)
                self._book.ending.add(action.container.id)
            case Update():
                self._book.busy(action.container.spec.slot)
            case _:
                assert_never(action)

    async def do(self, action: Action, runtime: Runtime) -> None:
        """Perform it; never raises :class:`ContainerFault`."""
        match action:
            case Look():
                await self._look_for(action.key, runtime)
            case Pull():
                await self._pull(action.key, runtime)
            case Start():
                await self._start(action, runtime)
            case Stop():
                await self._stop(action, runtime)
            case Update():
                await self._update(action, runtime)
            case _:
                assert_never(action)

    async def _look_for(self, key: ImageKey, runtime: Runtime) -> None:
        tries = self._book.image(key).tries
        try:
            here = await runtime.present(key[1])
        except ContainerFault as fault:
            self._image_failed(key, fault)
            return
        presence = Presence.PRESENT if here else Presence.ABSENT
        if here:
            self._book.faults.pop(key, None)
        self._book.images[key] = ImageState(presence=presence, tries=replace(tries, busy=False))

    async def _pull(self, key: ImageKey, runtime: Runtime) -> None:
        image = key[1]

        def progress(words: str) -> None:
            # From whatever thread: one assignment.
            self._book.progress[key] = words

        try:
            if runtime.name != "process":
                await self._keeper.make_room(runtime, image, lambda: self._book.desired.images)
            await runtime.pull(image, progress)
        except ContainerFault as fault:
            await self._keeper.settled(runtime, image)
            self._image_failed(key, fault)
        else:
            await self._keeper.settled(runtime, image)
            self._book.faults.pop(key, None)
            self._book.images[key] = ImageState(presence=Presence.PRESENT)
            _log.info("image pulled", image=image)
        finally:
            self._book.progress.pop(key, None)

    def _image_failed(self, key: ImageKey, fault: ContainerFault) -> None:
        now_us = self._clock.now_us()
        tries = failed(self._book.image(key).tries, now_us, self._patience, jitter=self._rng.random())
        # Unknown: it may have been loaded by hand meanwhile.
        self._book.images[key] = ImageState(tries=tries)
        if self._told(key, fault):
            for slot, wanted in self._book.desired.wanted.items():
                if (wanted.runtime, wanted.spec.image) == key:
                    self._events.note(slot, fault.reason, fault.message, now_us)

    async def _start(self, action: Start, runtime: Runtime) -> None:
        slot = action.spec.slot
        try:
            container = await runtime.start(action.spec)
        except ContainerFault as fault:
            if fault.reason == "image_missing":
                self._book.images.pop((action.runtime, action.spec.image), None)
            await self._slot_failed(slot, runtime, fault)
        else:
            self._book.starts[slot] += 1
            self._events.note(slot, "started", container, self._clock.now_us())
            await self._settled(slot, runtime)

    async def _stop(self, action: Stop, runtime: Runtime) -> None:
        container, slot = action.container, action.container.spec.slot
        self._lives.end(container.id)
        ready_us = self._lives.was_ready_us(container.id)
        event = self._book.condemned.get(container.id)
        try:
            end = await self._end_of(container, runtime, event) if action.at_once else None
            await runtime.stop(container.id, 0 if action.at_once else self._grace_s)
        except ContainerFault as fault:
            await self._slot_failed(slot, runtime, fault)
            return
        finally:
            self._book.ending.discard(container.id)
        self._book.condemned.pop(container.id, None)
        if end is None or slot not in self._book.desired.wanted:
            self._events.note(slot, "stopped", container.id, self._clock.now_us())
            await self._settled(slot, runtime)
            return
        ended_us = container.since_us if container.condition is Condition.EXITED else self._clock.now_us()
        await self._slot_failed(slot, runtime, end, ran_us=ended_us - ready_us if ready_us else 0)

    async def _end_of(
        self, container: Container, runtime: Runtime, condemned: tuple[str, str] | None
    ) -> ContainerFault | None:
        """Why a container ended; None for one that never ran: its maker was interrupted."""
        if container.condition is Condition.CREATED:
            return None
        if condemned is not None and condemned[0] == "exited":
            # Its stream broke before the runtime knew of its end: that knows more.
            container = await _after_its_end(container, runtime)
        if condemned is not None and container.condition is not Condition.EXITED:
            return ContainerFault(condemned[1], reason=condemned[0])
        if container.out_of_memory:
            limit = container.spec.limits.memory_bytes // 1024**2
            words = container.detail or f"it wanted more than its {limit} MiB of memory"
            return ContainerFault(words, reason="out_of_memory", hint="give it more `memory:`")
        words = " ".join(filter(None, (_code(container.exit_code), container.detail)))
        last = await last_words(runtime, container.id)
        return ContainerFault(f"{words}; its last words: {last}" if last else words, reason="exited")

    async def _update(self, action: Update, runtime: Runtime) -> None:
        slot = action.container.spec.slot
        try:
            await runtime.update(action.container.id, action.limits)
        except ContainerFault as fault:
            await self._slot_failed(slot, runtime, fault)
        else:
            await self._settled(slot, runtime)

    async def _slot_failed(
        self, slot: Slot, runtime: Runtime, fault: ContainerFault, *, ran_us: int = 0
    ) -> None:
        if isinstance(fault, RuntimeAway):
            await self._look(runtime.name)
            if runtime.name in self._book.away:
                await self._settled(slot, runtime)  # not this container's failure
                return
        now_us = self._clock.now_us()
        tries = failed(
            self._book.tries(slot), now_us, self._patience, ran_us=ran_us, jitter=self._rng.random()
        )
        self._told(slot, fault)
        self._events.note(slot, fault.reason, fault.message, now_us)
        self._book.slots[slot] = replace(tries, busy=True)
        await self._settled(slot, runtime)

    async def _settled(self, slot: Slot, runtime: Runtime) -> None:
        """Look again, and only then let the slot be decided about."""
        await self._look(runtime.name)
        self._book.slots[slot] = replace(self._book.tries(slot), busy=False)
        if slot not in self._book.desired.wanted:
            self._book.forget(slot)

    def _told(self, what: Slot | ImageKey, fault: ContainerFault) -> bool:
        """Remember a fault; whether it says something new."""
        before = self._book.faults.get(what)
        self._book.faults[what] = fault
        fresh = before is None or before.message != fault.message
        if fresh:
            _log.warning("container fails", what=str(what), reason=fault.reason, error=fault)
        return fresh


async def _after_its_end(container: Container, runtime: Runtime) -> Container:
    """The same container once its runtime has noticed its end, as far as that is soon."""
    with suppress(ContainerFault, TimeoutError):
        async with asyncio.timeout(END_NOTICED_S):
            while True:
                seen = next((one for one in await runtime.list() if one.id == container.id), container)
                if seen.condition is Condition.EXITED:
                    return seen
                await asyncio.sleep(0.05)
    return container


async def last_words(runtime: Runtime, container: str) -> str:
    """The last lines that a container wrote, as far as they can be had soon."""
    heard = b""
    with suppress(ContainerFault, TimeoutError):
        async with asyncio.timeout(LAST_WORDS_S):
            async for output in runtime.logs(container, tail=LAST_LINES, follow=False):
                heard = (heard + output.data)[-2000:]
    return heard.decode(errors="replace").strip()


def _code(code: int | None) -> str:
    if code is None:
        return "it ended"
    if code > 128 and code - 128 in signal.valid_signals():
        return f"it was ended by {signal.Signals(code - 128).name}"
    return f"it ended with code {code}"
