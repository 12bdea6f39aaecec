"""Segment files and ledgers: ``python -m tests.fuzz.fuzz_journal -max_total_time=60``. Needs atheris."""

import sys
import zlib
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["fog_node"]):
    from fog_node.journal.block import decode
    from fog_node.journal.errors import JournalUnreadable
    from fog_node.journal.header import HEADER, MAGIC, VERSION, parse_header
    from fog_node.journal.ledger import decode as decode_ledger
    from fog_node.journal.scan import load_run, scan
    from fogline.model.errors import DataLoss
    from fogline.model.part import Origin
    from fogline.testing.disk import ForgetfulDisk

ORIGIN = Origin(tenant="main", node="n", stream="air", epoch=bytes(16))
PATH = Path("/j/0.blocks")


def signed(data: bytes) -> bytes:
    """The same with a right magic, epoch, body length and checksums, so that what stands behind them is
    reached.
    """
    if len(data) < HEADER.size:
        return data
    fields = list(HEADER.unpack_from(data))
    body = data[HEADER.size :]
    meta = min(fields[7] % 512, len(body))
    columns = min(fields[8] % 512, len(body) - meta)
    fields[:3], fields[4] = (MAGIC, VERSION, HEADER.size), ORIGIN.epoch
    fields[7:10] = meta, columns, len(body) - meta - columns
    fields[15:17] = 1 + fields[15] % 2, 1 + fields[16] % 2
    fields[18:] = zlib.crc32(body), 0
    packed = HEADER.pack(*fields)[:-4]
    return packed + zlib.crc32(packed).to_bytes(4, "little") + body


def one(data: bytes) -> None:
    """Read it as a ledger, as a segment, and as a segment whose checksums were made right."""
    with suppress(DataLoss, JournalUnreadable):
        decode_ledger(data)
    for content in (data, signed(data)):
        disk = ForgetfulDisk()
        disk.put(PATH, content)
        for bodies in (False, True):
            index = scan(disk, PATH, ORIGIN.epoch, first=0, bodies=bodies).index
            for number in range(len(index)):
                try:
                    (block,) = load_run(disk, PATH, [index.place(number)], ORIGIN)
                except DataLoss:
                    continue
                assert len(block.payloads) == len(block) == len(block.flags) == len(block.arrival_us)
        with suppress(DataLoss):
            decode(ORIGIN, parse_header(content), content[HEADER.size :])


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
