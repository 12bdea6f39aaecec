"""Journals of earlier releases are opened by this one, with every message that was acknowledged."""

import shutil
from pathlib import Path

import pytest

from fog_node.messages import Block
from tests.contract.formats.record_journal import PLAN, STREAM, batch, open_journal, payload

FOLDERS = sorted(Path(__file__).parent.glob("journal-*"))


@pytest.mark.parametrize("recorded", FOLDERS, ids=lambda folder: folder.name)
async def test_a_recorded_journal_opens_with_everything_and_goes_on(recorded: Path, tmp_path: Path) -> None:
    folder = tmp_path / recorded.name
    shutil.copytree(recorded, folder)
    async with open_journal(folder, 2) as journal:
        journal.declare(STREAM)
        assert journal.findings == ()
        await journal.append(STREAM, batch(2, range(20)))
        states = journal.origins(STREAM)
        read: list[list[bytes]] = []
        for state in states:
            payloads: list[bytes] = []
            offset = state.base
            while isinstance(block := await journal.read(state.origin, offset), Block):
                assert block.first == offset
                payloads += block.payloads
                offset = block.end
            read.append(payloads)
        assert read == [
            [payload(run, number) for number in range(count)] for run, count in enumerate((100, 100, 20))
        ]
        assert await journal.plan_started(PLAN, states[0].origin) == 0
        assert journal.counters(STREAM).received == 220


def test_there_is_a_recording_of_the_first_release() -> None:
    assert FOLDERS[0].name == "journal-0.1.0"
