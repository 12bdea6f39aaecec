"""Followers over both doors: what they hear, slow ones, vanished ones, and too many."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import grpc
import pytest

from cloud.api.followers import Followers
from cloud.store.results import ResultQuery
from fogline.client.errors import translated
from fogline.model.errors import StoreBusy, TooManyFollowers
from fogline.testing.until import until
from fogline.uplink.dial import channel_to
from fogline.v1 import api_pb2, api_pb2_grpc
from tests.contract.installation import Reading
from tests.integration.rest.conftest import House

FOLLOW = "/v1/pipelines/greenhouse/results/follow"
WITHIN = 60.0


@asynccontextmanager
async def following(house: House, *, accept: str = "", **query: str) -> AsyncIterator[AsyncIterator[str]]:
    """Lines of a follower."""
    headers = {"Accept": accept} if accept else {}
    async with house.http.stream("GET", FOLLOW, params=query, headers=headers) as answer:
        assert answer.status_code == 200
        yield aiter(answer.aiter_lines())


async def heard(lines: AsyncIterator[str]) -> dict[str, Any]:
    """The next line that has results."""
    async with asyncio.timeout(WITHIN):
        async for line in lines:
            said: dict[str, Any] = json.loads(line)
            if said.get("results") or "problem" in said:
                return said
    raise AssertionError("the stream ended")


async def until_south(lines: AsyncIterator[str]) -> list[dict[str, Any]]:
    """Results up to those that have the southern zone: what was said before may be revised meanwhile."""
    results: list[dict[str, Any]] = []
    while not any(result["key"]["zone"] == "south" for result in results):
        results += (await heard(lines))["results"]
    return results


def behind(said: dict[str, Any], results: list[dict[str, Any]]) -> bool:
    """Whether every one of these is a later change, in the order of changes."""
    changes = [result["change"] for result in results]
    return changes == sorted(changes) and changes[0] > max(result["change"] for result in said["results"])


async def test_a_follower_hears_what_is_there_and_each_change(house: House) -> None:
    await house.deploy()
    async with following(house) as lines:
        first = json.loads(await anext(lines))
        assert (first["results"], first["resume_token"] != "") == ([], True)
        await house.push([Reading(1, "north", 20.0)])
        said = await heard(lines)
        assert [r["key"]["zone"] for r in said["results"]] == ["north"]
        await house.push([Reading(2, "south", 20.0)])
        assert behind(said, await until_south(lines))
    async with following(house, resume_token=said["resume_token"]) as lines:
        assert behind(said, await until_south(lines))


async def test_a_token_holds_for_its_question_only(house: House) -> None:
    await house.deploy()
    async with following(house) as lines:
        token = json.loads(await anext(lines))["resume_token"]
    answer = await house.http.get(FOLLOW, params={"resume_token": token, "step": "by_zone"})
    assert (answer.status_code, answer.json()["code"]) == (410, "resume_token_expired")


async def test_browsers_get_events_and_come_back_with_the_newest_id(house: House) -> None:
    await house.deploy()
    await house.push([Reading(1, "north", 20.0)])
    async with following(house, accept="text/event-stream") as lines:
        async with asyncio.timeout(WITHIN):
            told = [await anext(lines), await anext(lines)]
            while not told[-1].startswith("data:"):
                told.append(await anext(lines))
        assert told[-2] == "event: results"
        assert told[-3].startswith("id: ")
        first = json.loads(told[-1].removeprefix("data: "))
        assert first["results"][0]["key"] == {"zone": "north"}
    await house.push([Reading(2, "south", 20.0)])
    newest = {"Last-Event-ID": told[-3].removeprefix("id: ")}
    async with house.http.stream("GET", FOLLOW, headers=newest) as answer:
        assert behind(first, await until_south(aiter(answer.aiter_lines())))


async def test_an_error_that_comes_later_is_the_last_line(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.deploy()

    async def busy(*_: object) -> None:
        raise StoreBusy("the store went away")

    async with following(house) as lines:
        await anext(lines)
        monkeypatch.setattr(type(house.cloud._store), "changes", busy)
        house.cloud.services.results._changes.tell("main", "greenhouse")
        assert (await heard(lines))["problem"]["code"] == "store_busy"
        with pytest.raises(StopAsyncIteration):
            await anext(lines)


async def test_a_follower_that_vanished_is_let_go_of_on_either_door(house: House) -> None:
    await house.deploy()
    followers = house.cloud.services.results.followers
    async with following(house) as lines:
        await anext(lines)
        assert followers.now == 1
    await until(lambda: followers.now == 0, within=WITHIN)

    async with channel_to(house.cloud.server.address) as channel:
        call = api_pb2_grpc.ResultServiceStub(channel).GetResults(
            api_pb2.GetResultsRequest(pipeline="greenhouse", follow=True)
        )
        await until(lambda: followers.now == 1, within=WITHIN)
    del call
    await until(lambda: followers.now == 0, within=WITHIN)


async def test_as_many_follow_as_may(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.deploy()
    monkeypatch.setattr(house.cloud.services.results.followers, "_most", 1)
    async with following(house) as lines:
        await anext(lines)
        refused = await house.http.get(FOLLOW)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_followers")
        assert refused.headers["retry-after"] == "5"
        request = api_pb2.GetResultsRequest(pipeline="greenhouse", follow=True)
        async with channel_to(house.cloud.server.address) as channel:
            call = api_pb2_grpc.ResultServiceStub(channel).GetResults(request)
            with pytest.raises(TooManyFollowers), translated("the cloud"):
                await call.read()
            assert await call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_place_is_given_back_whatever_happens() -> None:
    followers = Followers(1)
    with suppress(ZeroDivisionError), followers.place():
        assert followers.now == 1
        raise ZeroDivisionError
    assert followers.now == 0


class Flood:
    """Takes the place of the store's changes: always more, as fast as they are asked for."""

    def __init__(self, results: tuple[Any, ...]) -> None:
        self._results = results
        self.asked = 0

    async def __call__(self, *_: object) -> tuple[Any, ...]:
        self.asked += 1
        # As the store's thread does, this lets others run: else nobody would hear that the follower was dropped.
        await asyncio.sleep(0)
        return self._results * (500 // len(self._results))


async def stands_still(flood: Flood) -> int:
    """Wait until nobody asks for more: a turn of a second in which nothing was asked."""
    async with asyncio.timeout(WITHIN):
        before = -1
        while before != flood.asked or not flood.asked:
            before = flood.asked
            await asyncio.sleep(1.0)
    return flood.asked


async def test_a_follower_that_does_not_read_is_paced_and_then_dropped(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.deploy()
    await house.push([Reading(1, "north", 20.0)])
    await house.finished(1)
    followers = house.cloud.services.results.followers
    flood = Flood(
        tuple((await house.cloud._store.results(ResultQuery(tenant="main", pipeline="greenhouse"))).results)
    )
    monkeypatch.setattr(house.cloud._store, "changes", flood, raising=False)
    # Connections inherit it; the server's own 30 seconds are too long for a test.
    house.rest._server._bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1_000)
    host, _, port = house.rest.address.rpartition(":")
    with socket.socket() as unread:
        unread.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        unread.setblocking(False)
        await asyncio.get_running_loop().sock_connect(unread, (host, int(port)))
        request = f"GET {FOLLOW} HTTP/1.1\r\nHost: {host}\r\n\r\n"
        await asyncio.get_running_loop().sock_sendall(unread, request.encode())
        await until(lambda: flood.asked > 0, within=WITHIN)
        # Half a million results a second would be there to send: what is held is what the buffers take.
        await until(lambda: followers.now == 0, within=WITHIN)
    assert flood.asked < 200


async def test_a_grpc_follower_that_does_not_read_is_paced(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.deploy()
    await house.push([Reading(1, "north", 20.0)])
    await house.finished(1)
    flood = Flood(
        tuple((await house.cloud._store.results(ResultQuery(tenant="main", pipeline="greenhouse"))).results)
    )
    monkeypatch.setattr(house.cloud._store, "changes", flood, raising=False)
    async with channel_to(house.cloud.server.address) as channel:
        call = api_pb2_grpc.ResultServiceStub(channel).GetResults(
            api_pb2.GetResultsRequest(pipeline="greenhouse", follow=True)
        )
        first = await call.read()
        assert isinstance(first, api_pb2.GetResultsResponse)
        assert await stands_still(flood) < 200
        # It goes on where it stood as soon as it reads.
        for _ in range(5):
            assert await call.read()
        # It goes while the server writes to it, which is nobody's fault.
        call.cancel()
    await until(lambda: house.cloud.services.results.followers.now == 0, within=WITHIN)
    assert house.cloud.server.edge.failed == 0


async def test_followers_are_sent_away_when_the_server_stops(house: House) -> None:
    await house.deploy()
    async with following(house) as lines:
        await anext(lines)
        house.rest._stopping.set()
        async with asyncio.timeout(WITHIN):
            assert [line async for line in lines if json.loads(line)["results"]] == []
    assert house.cloud.services.results.followers.now == 0
