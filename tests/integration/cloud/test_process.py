"""``python -m cloud`` as a process that is killed."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc

from fogline.uplink.dial import channel_to
from fogline.v1 import api_pb2, api_pb2_grpc
from tests.contract.installation import Reading, spec
from tests.integration.cloud.child import child_of, heard
from tests.integration.cloud.test_cloud import part


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@asynccontextmanager
async def cloud(folder: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "cloud", "--plaintext", "--anonymous", "--folder", folder, "--listen", f"127.0.0.1:{port}"),
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def serving(channel: grpc.aio.Channel) -> api_pb2.GetStatusResponse:
    stub = api_pb2_grpc.StatusServiceStub(channel)
    return await stub.GetStatus(api_pb2.GetStatusRequest(), wait_for_ready=True, timeout=30)


async def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    port = free_port()
    address = f"127.0.0.1:{port}"
    async with cloud(tmp_path, port) as process, channel_to(address) as channel:
        before = await serving(channel)
        plan = (
            await api_pb2_grpc.PipelineServiceStub(channel).Deploy(api_pb2.DeployRequest(spec=spec()))
        ).plan
        async with child_of(address, plan) as child:
            for at in range(20):
                kind, _, _ = await child.push(part([Reading(at, "north", 1.0)], at))
                assert kind == "ack"
        process.kill()
    async with cloud(tmp_path, port) as process, channel_to(address) as channel:
        after = await serving(channel)
        assert after.incarnation == before.incarnation
        assert after.readings == 20
        async with child_of(address, plan) as child:
            assert (await child.push(part([Reading(19, "north", 1.0)], 19)))[1] == {"n1": 20}
        results = api_pb2_grpc.ResultServiceStub(channel)
        call = results.GetResults(api_pb2.GetResultsRequest(pipeline="greenhouse", follow=True))
        # The kill may have come between a commit and the results that follow from it.
        newest: dict[int, int] = {}
        async with asyncio.timeout(60):
            while sum(newest.values()) != 20:
                newest |= {r.window_start_us: r.readings for r in (await heard(call)).results}
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with cloud(tmp_path, taken.getsockname()[1]) as process:
            assert process.stderr is not None
            said = (await process.stderr.read()).decode()
            assert await process.wait() == 2
    assert "cannot listen on 127.0.0.1" in said
    assert "Traceback" not in said
