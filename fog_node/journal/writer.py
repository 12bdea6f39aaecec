"""The one thread that writes: group commit for all streams.

It takes whatever waits, writes one or more blocks a stream, syncs every file (and every folder with a new
entry), and only then tells the event loop, once for all. It owns the files it writes; everything else it
knows comes in orders, in order.
"""

import errno
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final

from fog_node.journal.files import Files
from fog_node.journal.layout import epoch_folder, note_path
from fog_node.journal.ledger import LedgerFile
from fog_node.journal.notes import remove_segment, write_note
from fog_node.journal.orders import (
    Batch,
    Bounced,
    Committed,
    Died,
    Done,
    Note,
    Order,
    Outcome,
    Resume,
    Roll,
    Save,
    Stop,
)
from fog_node.journal.pace import CommitPace
from fog_node.journal.settings import MIB, JournalSettings
from fog_node.journal.tail import Tail
from fogline.model.clock import SECOND, Clock
from fogline.model.part import Origin
from fogline.service.histogram import Histogram

LARGEST_COMMIT: Final = 16 * MIB
"""More than this is not held back for one sync."""


class Writer:
    """Carries out orders in a thread of its own and publishes what came of them."""

    def __init__(
        self,
        *,
        settings: JournalSettings,
        folder: Path,
        files: Files,
        ledger: LedgerFile,
        origin: Origin,
        sequence: int,
        clock: Clock,
        publish: Callable[[Sequence[Outcome]], None],
    ) -> None:
        self._settings, self._folder, self._clock = settings, folder, clock
        self._files, self._ledger = files, ledger
        self._publish = publish
        self._origin, self._sequence = origin, sequence
        self._orders: SimpleQueue[Order] = SimpleQueue()
        self._tails: dict[str, Tail] = {}
        self._held: dict[str, OSError] = {}
        self._pace = CommitPace(every_s=settings.commit_every_us / SECOND, burst=settings.commit_burst)
        self.durations: Final = Histogram()
        """Of group commits, write and sync, whether or not they worked. Unit: seconds."""
        self._thread = Thread(target=self._run, name="journal writer", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def order(self, order: Order) -> None:
        """Queue an order; never blocks."""
        self._orders.put(order)

    def join(self) -> None:
        """Wait until the thread has ended; blocks."""
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._round():
                pass
        except Exception as error:  # noqa: BLE001 (the thread's outermost edge: else its waiters hang for ever)
            self._publish([Died(error=error)])
        finally:
            for tail in self._tails.values():
                tail.close_segment()

    def _round(self) -> bool:
        """One commit, and then the order that ended its collecting; False when it is over."""
        batches, order = self._collect()
        if batches:
            began = self._clock.monotonic()
            outcomes = self._commit(batches)
            ended = self._clock.monotonic()
            self.durations.observe(ended - began)
            self._publish(outcomes)
            self._pace.committed(ended)
        match order:
            case Stop():
                return False
            case Resume():
                self._held.pop(order.stream, None)
            case Note():
                self._note(order)
            case Save() | Roll():
                self._publish([Done(order=order, error=self._record(order))])
        return True

    def _collect(self) -> tuple[list[Batch], Order | None]:
        """Wait for batches; small ones until a commit is due again."""
        batches: list[Batch] = []
        size = 0
        order = self._take(None)
        while isinstance(order, Batch):
            if not order.waiter.cancelled():
                batches.append(order)
                size += order.weighed.own_bytes
            if size >= LARGEST_COMMIT:
                return batches, None
            due = self._pace.wait_s(self._clock.monotonic())
            order = self._take(due if batches and size < self._settings.minimum_block_bytes else 0.0)
        return batches, order

    def _take(self, timeout: float | None) -> Order | None:
        if timeout is None:
            return self._orders.get()
        with suppress(Empty):
            return self._orders.get(timeout=timeout) if timeout > 0 else self._orders.get_nowait()
        return None

    def _commit(self, batches: Sequence[Batch]) -> list[Outcome]:
        """Write and sync all; a stream that has more than one segment's worth gets several turns."""
        waiting: dict[str, list[Batch]] = {}
        for batch in batches:
            waiting.setdefault(batch.stream, []).append(batch)
        outcomes: list[Outcome] = []
        while waiting:
            written: list[Committed] = []
            for stream in tuple(waiting):
                turn = _turn(waiting[stream])
                waiting[stream] = waiting[stream][len(turn) :]
                if not waiting[stream]:
                    del waiting[stream]
                outcome = self._write(stream, turn)
                if isinstance(outcome, Committed):
                    written.append(outcome)
                else:
                    outcomes.append(outcome)
            outcomes.extend(self._sync(w) for w in written)
        return outcomes

    def _write(self, stream: str, batches: list[Batch]) -> Committed | Bounced:
        tail = self._tail(stream)
        distrusted = False
        try:
            if stream in self._held:
                raise self._held[stream]
            self._leave_reserve(sum(b.size for b in batches))
            blocks = tail.write(batches)
        except OSError as error:
            if stream not in self._held:
                try:
                    tail.undo()
                except OSError:
                    distrusted = True
            return self._hold(stream, batches, error, distrusted=distrusted)
        return Committed(
            stream=stream,
            origin=tail.origin,
            batches=tuple(batches),
            blocks=blocks,
            counters=tail.counters,
        )

    def _sync(self, written: Committed) -> Committed | Bounced:
        try:
            self._tails[written.stream].sync()
        except OSError as error:
            return self._hold(written.stream, written.batches, error, distrusted=True)
        return written

    def _hold(self, stream: str, batches: Sequence[Batch], error: OSError, *, distrusted: bool) -> Bounced:
        self._held.setdefault(stream, error)
        return Bounced(stream=stream, batches=tuple(batches), error=error, distrusted=distrusted)

    def _leave_reserve(self, size: int) -> None:
        if self._files.free_bytes(self._folder) - size < self._settings.reserve_bytes:
            raise OSError(errno.ENOSPC, "only the reserve for small facts is left")

    def _tail(self, stream: str) -> Tail:
        tail = self._tails.get(stream)
        if tail is None:
            origin = Origin(
                tenant=self._origin.tenant, node=self._origin.node, stream=stream, epoch=self._origin.epoch
            )
            folder = epoch_folder(self._folder, origin, self._sequence)
            tail = Tail(self._files, folder, origin, block_bytes=self._settings.block_bytes)
            self._tails[stream] = tail
        return tail

    def _note(self, note: Note) -> None:
        try:
            self._leave_reserve(len(note.content))
            write_note(self._files, note)
        except OSError:
            # It is only a copy, and a torn one is not believed.
            with suppress(OSError):
                self._files.remove(note_path(note.path))

    def _record(self, order: Save | Roll) -> OSError | None:
        try:
            self._ledger.save(order.document)
            if isinstance(order, Save):
                self._remove(order)
        except OSError as error:
            return error
        if isinstance(order, Roll):
            for tail in self._tails.values():
                tail.close_segment()
            self._tails.clear()
            self._origin = Origin(
                tenant=self._origin.tenant, node=self._origin.node, stream="", epoch=order.epoch
            )
            self._sequence = order.sequence
        return None

    def _remove(self, order: Save) -> None:
        gone = set(order.remove)
        for tail in self._tails.values():
            if tail.path in gone:
                tail.close_segment()
        for path in order.remove:
            remove_segment(self._files, path)
        for folder in order.remove_folders:
            if self._files.remove_folder(folder):
                # The next ledger does not know this epoch any more: it must not come back.
                self._files.sync_folder(folder.parent)


def _turn(batches: list[Batch]) -> list[Batch]:
    """The first batches, about one segment's worth: disk is freed by whole segments."""
    size = 0
    for number, batch in enumerate(batches):
        if number and size + batch.size > batch.segment_bytes:
            return batches[:number]
        size += batch.size
    return batches
