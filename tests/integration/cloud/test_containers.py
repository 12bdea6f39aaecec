"""Containers through the cloud's API and both clients: a node behind an aggregator, reached by its own stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from fog_node.runtimes.runtime import Output, Slot
from fogline.client import AsyncClient, Client
from fogline.control.switchboard import Switchboard
from fogline.model.errors import FogError, InvalidInput, NotAllowed, NotFound, Unavailable
from fogline.testing.until import until
from fogline.v1 import containers_pb2, containers_pb2_grpc
from tests.guests import CLEAN, MemoryGuests
from tests.integration.cloud.conftest import Running
from tests.integration.control.test_attaching import aggregating
from tests.integration.control.test_sessions import node_below

HANG_S = 60.0
SPEC = """
name: greenhouse
streams:
  air: {mqtt: "house/{room}", format: json, time: ts, fields: {temp: float}}
steps:
  all: {sql: "SELECT count(*) AS n FROM air GROUP BY TUMBLE(ts, INTERVAL '10 seconds')"}
"""


@asynccontextmanager
async def house(
    folder: Path, running: Running, *, allowed: bool = True
) -> AsyncIterator[tuple[AsyncClient, MemoryGuests, Slot]]:
    """A pipeline with one container, c1, on node n1 below an aggregator."""
    async with AsyncClient(running.address) as client:
        slot = replace(CLEAN, plan=(await client.deploy(SPEC)).plan)
        async with (
            aggregating(folder / "group", running.address) as aggregator,
            node_below(
                folder, Switchboard(), aggregator.server.address, allowed=allowed, slot=slot
            ) as asking,
        ):
            await seen(client)
            yield client, asking.guests, slot


async def seen(client: AsyncClient) -> None:
    """Wait until the cloud knows of the container."""
    async with asyncio.timeout(HANG_S):
        while not [one async for one in client.containers()]:  # noqa: ASYNC110 - another process is asked
            await asyncio.sleep(0.05)


async def test_containers_are_listed(running: Running, tmp_path: Path) -> None:
    async with house(tmp_path, running) as (client, _, slot):
        (one,) = [one async for one in client.containers(pipeline="greenhouse", node="n1")]
        assert (one.node, one.pipeline, one.plan) == ("n1", "greenhouse", slot.plan)
        assert (one.kind, one.name, one.replica, one.state) == ("operator", "clean", 0, "running")
        assert one.node_alive
        with pytest.raises(NotFound):
            [one async for one in client.containers(pipeline="nothing")]
        with pytest.raises(NotFound):
            [one async for one in client.containers(node="nowhere")]


async def test_events_are_listed_in_pages(running: Running, tmp_path: Path) -> None:
    async with house(tmp_path, running) as (client, _, slot):
        happened = [one async for one in client.events(pipeline="greenhouse", node="n1")]
        assert [(one.name, one.plan, one.event) for one in happened] == [
            ("clean", slot.plan, "started"),
            ("clean", slot.plan, "exited"),
        ]
        with pytest.raises(NotFound):
            [one async for one in client.events(pipeline="nothing")]
        first = containers_pb2.ListEventsRequest(page_size=1)
        async with grpc.aio.insecure_channel(running.address) as channel:
            stub = containers_pb2_grpc.ContainerServiceStub(channel)
            page = await stub.ListEvents(first)
            rest = await stub.ListEvents(
                containers_pb2.ListEventsRequest(page_size=1, page_token=page.next_page_token)
            )
        assert [one.event.event for one in (*page.events, *rest.events)] == ["started", "exited"]
        assert not rest.next_page_token


async def test_logs_are_read_and_followed(running: Running, tmp_path: Path) -> None:
    async with house(tmp_path, running) as (client, guests, _):
        guests.runtime.write("c1", Output(1, b"one\n"), Output(2, b"two\n"))
        async with client.logs("greenhouse", "clean", tail=5) as logs:
            chunks = [chunk async for chunk in logs]
        assert [(c.channel, c.data) for c in chunks] == [("stdout", b"one\n"), ("stderr", b"two\n")]
        assert {(c.node, c.kind, c.name, c.replica) for c in chunks} == {("n1", "operator", "clean", 0)}
        async with client.logs("greenhouse", follow=True, tail=1) as logs:
            assert (await anext(logs)).data == b"two\n"
            guests.runtime.write("c1", Output(1, b"three\n"))
            assert (await anext(logs)).data == b"three\n"
            assert guests.runtime.readers == 1
        # Who asked is gone: so is the node's reader.
        await until(lambda: guests.runtime.readers == 0, within=HANG_S)


async def test_a_command_is_fed_and_ends_with_its_code(running: Running, tmp_path: Path) -> None:
    async with house(tmp_path, running) as (client, _, _):
        given = b"0123456789" * 50_000
        execution = client.exec("n1", "clean", ["cat"], stdin=[given])
        assert b"".join([chunk.data async for chunk in execution]) == given
        assert execution.exit_code == 0
        execution = client.exec("n1", "clean", ["nonsense"], pipeline="greenhouse", replica=0)
        assert [(c.channel, c.data) async for c in execution] == [("stderr", b"not found\n")]
        assert execution.exit_code == 127
        assert '"command":["nonsense"]' in (tmp_path / "exec.jsonl").read_text()


async def test_the_blocking_client_does_the_same(running: Running, tmp_path: Path) -> None:
    def ask() -> None:
        with Client(running.address) as client:
            assert [one.name for one in client.containers()] == ["clean"]
            with client.logs("greenhouse") as logs:
                assert b"".join(chunk.data for chunk in logs) == b"one\n"
            with client.exec("n1", "clean", ["cat"], stdin=[b"x" * 200_000]) as execution:
                assert len(b"".join(chunk.data for chunk in execution)) == 200_000
                assert execution.exit_code == 0
            with client.usage("n1") as usages:
                ((usage,),) = list(usages)
            assert [one.memory_bytes for one in usage.containers] == [1 << 20]
            with client.logs("greenhouse", follow=True) as logs:
                next(logs)
                logs.close()
                assert list(logs) == []

    async with house(tmp_path, running) as (_, guests, _):
        guests.runtime.write("c1", Output(1, b"one\n"))
        await asyncio.to_thread(ask)


async def test_usage_is_of_one_node_measured_and_of_all_reported(running: Running, tmp_path: Path) -> None:
    async with house(tmp_path, running) as (client, _, _):
        async with client.usage("n1", follow=True) as usages:
            (first,), (second,) = await anext(usages), await anext(usages)
        assert second.at > first.at
        assert (first.node, first.cpu_millis) == ("n1", 4000)
        assert [(one.pipeline, one.cpu_seconds) for one in first.containers] == [("greenhouse", 0.005)]
        (sample,) = [sample async for sample in client.usage()]
        assert [(one.node, [c.name for c in one.containers]) for one in sample] == [("n1", ["clean"])]


async def test_what_cannot_be_is_said_with_what_to_do(running: Running, tmp_path: Path) -> None:
    async with house(tmp_path, running, allowed=False) as (client, guests, slot):

        async def told(code: str, kind: type[FogError], what: object) -> FogError:
            with pytest.raises(kind) as raised:
                [one async for one in what]  # type: ignore[attr-defined]  # any answer
            assert raised.value.code == code
            return raised.value

        refused = await told("exec_not_allowed", NotAllowed, client.exec("n1", "clean", ["cat"]))
        assert "allow_exec" in refused.hint
        absent = await told("no_such_container", NotFound, client.logs("greenhouse", "dirty"))
        assert "there are: clean" in absent.hint
        await told("not_found", NotFound, client.logs("nothing"))
        await told("not_found", NotFound, client.exec("nowhere", "clean", ["cat"]))
        await told("invalid_input", InvalidInput, client.exec("n1", "clean", []))
        await told("invalid_input", InvalidInput, client.logs("greenhouse", tail=1_000_000))
        guests.end(slot)
        dead = await told("no_such_container", NotFound, client.logs("greenhouse", "clean"))
        assert "it exited with code 3" in str(dead)


async def test_a_node_that_goes_is_said_to_have_gone(running: Running, tmp_path: Path) -> None:
    async with AsyncClient(running.address) as client:
        async with house(tmp_path, running) as (_, guests, _):
            guests.runtime.write("c1", Output(1, b"one\n"))
            logs = client.logs("greenhouse", follow=True)
            await anext(logs)
        with pytest.raises(Unavailable) as raised:
            await anext(logs)
        assert raised.value.code == "node_away"
        with pytest.raises(Unavailable) as raised:
            [one async for one in client.exec("n1", "clean", ["cat"])]
        assert raised.value.code == "node_away"


async def test_a_cloud_that_stops_lets_go_of_everybody(running: Running, tmp_path: Path) -> None:
    async with house(tmp_path, running) as (client, guests, _):
        guests.runtime.write("c1", Output(1, b"one\n"))
        async with client.logs("greenhouse", follow=True) as logs:
            await anext(logs)
            running.cloud.services.containers.end_streams()
            with pytest.raises(Unavailable):
                await anext(logs)
        await until(lambda: guests.runtime.readers == 0, within=HANG_S)
