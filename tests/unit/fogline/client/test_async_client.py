"""The client on an event loop, against a scripted cloud."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from fogline.client import AsyncClient, FogError, NotFound, Unreachable
from fogline.v1 import api_pb2
from tests.unit.fogline.client.messages import abort, window
from tests.unit.fogline.scripted_cloud import ScriptedCloud


async def test_results_are_the_same_values(cloud: ScriptedCloud, loop_is_never_blocked: None) -> None:
    cloud.answers["ListResults"] = lambda request, _: api_pb2.ListResultsResponse(
        results=[window(2), window(3)] if request.page_token else [window(1)],
        next_page_token="" if request.page_token else "second",
    )
    async with AsyncClient(cloud.address) as client:
        found = [r async for r in client.results("air")]

    assert [r.change for r in found] == [1, 2, 3]
    assert found[0].key == {"zone": "a", "lot": None}


async def test_a_follower_goes_on_behind_the_last_change_when_the_connection_breaks(
    cloud: ScriptedCloud, loop_is_never_blocked: None
) -> None:
    def answer(request: api_pb2.GetResultsRequest, context: grpc.ServicerContext) -> Iterator[Any]:
        after = int(request.resume_token or 0)
        results = [window(after + 1), window(after + 2)]
        yield api_pb2.GetResultsResponse(results=results, resume_token=str(after + 2))
        context.abort(grpc.StatusCode.UNAVAILABLE, "restarting")

    cloud.answers["GetResults"] = answer
    async with AsyncClient(cloud.address) as client, client.follow("air") as following:
        assert [(await anext(following)).change for _ in range(5)] == [1, 2, 3, 4, 5]
        assert following.resume_token == "4"

    assert [r.resume_token for r in cloud.requests] == ["", "2", "4"]


async def test_a_cancelled_read_loses_nothing(cloud: ScriptedCloud) -> None:
    go_on = threading.Event()

    def answer(request: api_pb2.GetResultsRequest, _context: Any) -> Iterator[Any]:
        if not request.resume_token:
            yield api_pb2.GetResultsResponse(results=[window(1)], resume_token="1")
            go_on.wait(30)
        yield api_pb2.GetResultsResponse(results=[window(2)], resume_token="2")

    cloud.answers["GetResults"] = answer
    async with AsyncClient(cloud.address) as client, client.follow("air") as following:
        assert (await anext(following)).change == 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(following)
        assert (await anext(following)).change == 2
    go_on.set()


async def test_closing_from_another_task_ends_an_iteration(cloud: ScriptedCloud) -> None:
    go_on, reached = threading.Event(), asyncio.Event()

    def answer(_request: Any, _context: Any) -> Iterator[Any]:
        yield api_pb2.GetResultsResponse(results=[window(1)], resume_token="1")
        go_on.wait(30)

    async def read() -> list[int]:
        changes = []
        async for result in following:
            changes.append(result.change)
            reached.set()
        return changes

    cloud.answers["GetResults"] = answer
    async with AsyncClient(cloud.address) as client:
        following = client.follow("air")
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(read())
            await reached.wait()
            await following.aclose()
        assert reader.result() == [1]
    go_on.set()


async def test_closing_the_client_ends_a_reader_with_an_error_that_is_no_cancellation(
    cloud: ScriptedCloud,
) -> None:
    go_on, reached = threading.Event(), asyncio.Event()

    def answer(_request: Any, _context: Any) -> Iterator[Any]:
        yield api_pb2.GetResultsResponse(results=[window(1)], resume_token="1")
        go_on.wait(30)

    async def read() -> None:
        async for _ in client.follow("air"):
            reached.set()

    cloud.answers["GetResults"] = answer
    client = AsyncClient(cloud.address)
    reader = asyncio.create_task(read())
    await reached.wait()
    await client.close()
    with pytest.raises(FogError, match="the client is closed"):
        await reader
    go_on.set()


async def test_errors_are_those_of_the_tree(cloud: ScriptedCloud) -> None:
    cloud.answers["GetStatus"] = abort(NotFound("not there", hint="look elsewhere"))
    async with AsyncClient(cloud.address) as client:
        with pytest.raises(NotFound, match="not there"):
            await client.status()
    async with AsyncClient("127.0.0.1:1", attempts=1) as client:
        with pytest.raises(Unreachable):
            await client.ledger()
