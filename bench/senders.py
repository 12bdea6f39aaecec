"""Many children of one aggregator in one process: each has a connection of its own and sends a part every so often.

    python -m bench.senders --port 7072 --senders 500 --first 0 --seconds 20

Each sends states of ``--keys`` keys (count, sum, min, max, p99; 40 readings a key) for the second that has just
passed, with its watermark, spread evenly over the second. The output is a line ``connected`` and then one JSON
object: parts sent and acknowledged, the time from a part's sending to its ack, and CPU.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
import numpy as np

from bench.engine import NUMBERS, P99, table_of
from fogline.v1 import types_pb2, uplink_pb2, uplink_pb2_grpc
from fogline.wire.state import table_to_wire

READINGS_A_KEY: Final = 40
SECOND_US: Final = 1_000_000
PLAN: Final = "bench"

Call = grpc.aio.StreamStreamCall[uplink_pb2.PushRequest, uplink_pb2.PushResponse]


@dataclass(slots=True)
class Seen:
    """What all senders of this process saw."""

    sent: int = 0
    acknowledged: int = 0
    ack_s: list[float] = field(default_factory=list)


class Sender:
    """One child with one lane and one origin."""

    def __init__(
        self, number: int, settings: argparse.Namespace, table: types_pb2.StateTable, seen: Seen
    ) -> None:
        self._name: Final = f"sender-{number:04d}"
        self._phase: Final = (number * 0.618033988749895) % 1.0
        self._settings: Final = settings
        self._table: Final = table
        self._readings: Final = settings.keys * READINGS_A_KEY
        self._seen: Final = seen
        self._end = 0
        self._sent_at: dict[int, float] = {}
        self._probed: Final = asyncio.Event()

    async def run(self, connected: asyncio.Barrier, stop_at: asyncio.Future[float]) -> None:
        """Connect, wait for the others, send until it is time."""
        options = (("grpc.use_local_subchannel_pool", 1),)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self._settings.port}", options=options) as channel:
            call: Call = uplink_pb2_grpc.UplinkServiceStub(channel).Push()
            await call.write(uplink_pb2.PushRequest(hello=uplink_pb2.Hello(protocol=1, child=self._name)))
            await call.read()
            await self._open(call)
            async with asyncio.TaskGroup() as group:
                reader = group.create_task(self._read(call))
                await self._probed.wait()
                await connected.wait()
                await self._send_each_second(call, await stop_at)
                await call.done_writing()
                await asyncio.wait((reader,), timeout=5)
                reader.cancel()

    async def _open(self, call: Call) -> None:
        origin = types_pb2.Origin(tenant="main", node=self._name, stream="air", epoch=bytes(16))
        for request in (
            uplink_pb2.PushRequest(lane_opened=uplink_pb2.LaneOpened(lane=0, plan=PLAN, round=0)),
            uplink_pb2.PushRequest(origin_name=uplink_pb2.OriginName(number=0, origin=origin)),
            uplink_pb2.PushRequest(part=self._part(0, NEVER_US, probe=True)),
        ):
            await call.write(request)

    def _part(self, messages: int, watermark_us: int, *, probe: bool = False) -> uplink_pb2.Part:
        contribution = types_pb2.Contribution(
            origin=0, start=0, first=self._end, end=self._end + messages, watermark_us=watermark_us
        )
        self._end += messages
        if probe:
            return uplink_pb2.Part(lane=0, round=0, contributions=[contribution])
        counts = [
            types_pb2.ReadingCount(stream="air", term=types_pb2.ReadingCount.TERM_DECODED, readings=messages),
            types_pb2.ReadingCount(
                stream="air", step="s", term=types_pb2.ReadingCount.TERM_COUNTED, readings=messages
            ),
        ]
        return uplink_pb2.Part(
            lane=0, round=0, contributions=[contribution], tables=[self._table], counts=counts
        )

    async def _send_each_second(self, call: Call, stop_at: float) -> None:
        every = self._settings.every
        due = time.time() // 1 + 1 + self._phase * every
        while due < stop_at:
            await asyncio.sleep(max(due - time.time(), 0.0))
            pane_us = int(due - 1) * SECOND_US
            starts = np.full(self._table.rows, pane_us, "<i8")
            self._table.pane_start_us = starts.tobytes()
            part = self._part(self._readings, pane_us + SECOND_US)
            self._sent_at[self._end] = time.monotonic()
            await call.write(uplink_pb2.PushRequest(part=part))
            self._seen.sent += 1
            due += every

    async def _read(self, call: Call) -> None:
        while (response := await call.read()) is not grpc.aio.EOF:
            assert isinstance(response, uplink_pb2.PushResponse)
            match response.WhichOneof("kind"):
                case "ack":
                    self._probed.set()
                    for told in response.ack.offsets:
                        self._told(told.offset)
                case "refusal" | "lane_failed":
                    raise RuntimeError(f"{self._name} was not taken: {response}")

    def _told(self, offset: int) -> None:
        now = time.monotonic()
        for end in [end for end in self._sent_at if end <= offset]:
            self._seen.ack_s.append(now - self._sent_at.pop(end))
            self._seen.acknowledged += 1


NEVER_US: Final = -(2**63)


async def run(settings: argparse.Namespace) -> dict[str, Any]:
    """Run the senders; their report."""
    seen = Seen()
    stop_at: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    connected = asyncio.Barrier(settings.senders + 1)
    table = table_to_wire(table_of(settings.keys, 0, (*NUMBERS, P99)))
    async with asyncio.TaskGroup() as group:
        for number in range(settings.first, settings.first + settings.senders):
            sender = Sender(
                number, settings, types_pb2.StateTable.FromString(table.SerializeToString()), seen
            )
            group.create_task(sender.run(connected, stop_at), name=f"sender {number}")
            if number % 20 == 19:
                await asyncio.sleep(0.05)  # a herd of handshakes would only measure the handshakes
        await connected.wait()
        cpu = time.process_time()
        print("connected", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        stop_at.set_result(time.time() + settings.seconds)
    latencies = np.array(seen.ack_s or [0.0]) * 1000
    p50, p99 = np.percentile(latencies, [50, 99])
    return {
        "senders": settings.senders,
        "keys": settings.keys,
        "sent": seen.sent,
        "acknowledged": seen.acknowledged,
        "ack_p50_ms": round(float(p50), 1),
        "ack_p99_ms": round(float(p99), 1),
        "part_bytes": table.ByteSize(),
        "cpu_s": round(time.process_time() - cpu, 2),
    }


def main() -> None:
    """Parse flags, run, print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--senders", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="number of the first of them")
    parser.add_argument("--keys", type=int, default=10)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two parts of a sender")
    parser.add_argument("--seconds", type=float, default=20.0)
    print(json.dumps(asyncio.run(run(parser.parse_args()))))


if __name__ == "__main__":
    main()
