"""No file is touched on the event loop, and no thread outlives the journal."""

import asyncio
import threading
from pathlib import Path
from random import Random
from typing import Any

from blockbuster import blockbuster_ctx

from fog_node.journal import Journal, JournalSettings
from fog_node.journal.files import DiskFiles, DiskOutput
from fog_node.journal.settings import KIB
from fogline.model.clock import SystemClock


def elsewhere(method: Any) -> Any:
    def checked(*arguments: Any) -> Any:
        assert threading.current_thread() is not threading.main_thread(), method.__name__
        return method(*arguments)

    return checked


def watched(kind: type) -> type:
    methods = {name: elsewhere(m) for name, m in vars(kind).items() if callable(m) and name[0] != "_"}
    return type(f"Watched{kind.__name__}", (kind,), methods)


WatchedOutput = watched(DiskOutput)


class WatchedFiles(watched(DiskFiles)):  # type: ignore[misc]
    def create(self, path: Path) -> Any:
        output = super().create(path)
        output.__class__ = WatchedOutput
        return output


async def test_files_are_touched_in_threads_only(tmp_path: Path, kit: Any) -> None:
    before = set(threading.enumerate())
    settings = JournalSettings(
        commit_every_us=0, quota_bytes=32 * KIB, memory_bytes=0, keep_us=0, segment_bytes=8 * KIB
    )
    for _ in range(2):
        journal = Journal(
            settings,
            folder=tmp_path / "j",
            node="n",
            clock=SystemClock(),
            entropy=Random().randbytes,
            files=WatchedFiles(),
        )
        with blockbuster_ctx(["fog_node.journal"]):
            async with journal:
                journal.declare("air")
                origin = journal.origins("air")[-1].origin
                await journal.plan_started("p", origin)
                await asyncio.gather(
                    *(journal.append("air", kit.messages(b"%d" % n + b"." * 700)) for n in range(90))
                )
                assert (await kit.read_all(journal))[0]
                await journal.pending(origin, 0, 2**62)
                await journal.roll()
                await journal.detach("p")
                journal.progress("p", origin, 90)
                await journal.tidy()
                await journal.forget("p")
    left = {t for t in threading.enumerate() if t.is_alive() and "journal" in t.name} - before
    for thread in left:
        thread.join(5)
        assert not thread.is_alive()
