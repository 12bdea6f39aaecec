"""When a call is tried again, and what ends it for good; for both clients."""

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from fogline.client import AsyncClient, Client, FogError, InvalidInput, TooSlow, Unavailable
from fogline.model.errors import ResumeTokenExpired
from fogline.v1 import api_pb2
from tests.unit.fogline.client.messages import abort
from tests.unit.fogline.scripted_cloud import ScriptedCloud


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between two tries."""
    monkeypatch.setattr("fogline.client.link._FIRST_WAIT", 0.0)
    monkeypatch.setattr("fogline.client.link._LONGEST_WAIT", 0.0)


def failing(times: int, answer: Any, kind: type[FogError] = Unavailable) -> Callable[..., Any]:
    left = [times]

    def answering(request: Any, context: grpc.ServicerContext) -> Any:
        if left[0]:
            left[0] -= 1
            abort(kind("not now"))(request, context)
        return answer

    return answering


def test_what_may_be_gone_is_tried_again(cloud: ScriptedCloud) -> None:
    cloud.answers["GetStatus"] = failing(3, api_pb2.GetStatusResponse(version="9"))
    with Client(cloud.address) as client:
        assert client.status().version == "9"
    assert len(cloud.requests) == 4


def test_nothing_is_printed_about_it(cloud: ScriptedCloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.answers["GetStatus"] = failing(3, api_pb2.GetStatusResponse())
    with Client(cloud.address) as client:
        client.status()
    assert capsys.readouterr().out == ""


async def test_what_may_be_gone_is_tried_again_on_a_loop(cloud: ScriptedCloud) -> None:
    cloud.answers["GetStatus"] = failing(3, api_pb2.GetStatusResponse(version="9"))
    async with AsyncClient(cloud.address) as client:
        assert (await client.status()).version == "9"
    assert len(cloud.requests) == 4


def test_a_deployment_is_safe_to_repeat(cloud: ScriptedCloud) -> None:
    cloud.answers["Deploy"] = failing(1, api_pb2.DeployResponse(plan="ab"))
    with Client(cloud.address) as client:
        assert client.deploy("name: x").plan == "ab"


@pytest.mark.parametrize("kind", [InvalidInput, FogError])
def test_what_stays_wrong_is_said_at_once(cloud: ScriptedCloud, kind: type[FogError]) -> None:
    cloud.answers["GetStatus"] = failing(1, api_pb2.GetStatusResponse(), kind)
    with Client(cloud.address) as client, pytest.raises(FogError, match="not now"):
        client.status()
    assert len(cloud.requests) == 1


def test_the_tries_are_counted(cloud: ScriptedCloud) -> None:
    cloud.answers["GetStatus"] = failing(9, None)
    with Client(cloud.address, attempts=2) as client, pytest.raises(Unavailable, match="not now"):
        client.status()
    assert len(cloud.requests) == 2


def test_retiring_a_node_is_never_repeated(cloud: ScriptedCloud) -> None:
    cloud.answers["RetireNode"] = failing(1, api_pb2.RetireNodeResponse())
    with Client(cloud.address) as client:
        with pytest.raises(Unavailable):
            client.retire_node("node-1")
        client.retire_node("node-1")
    assert [r.name for r in cloud.requests] == ["node-1"] * 2


def test_all_tries_share_one_deadline(cloud: ScriptedCloud) -> None:
    spent, left = threading.Event(), []

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        left.append(context.time_remaining())
        if len(left) == 1:
            spent.wait(1.0)
            abort(Unavailable("not now"))(request, context)
        return api_pb2.GetStatusResponse()

    cloud.answers["GetStatus"] = answer
    with Client(cloud.address, timeout=30.0) as client:
        client.status()
    assert left[1] < 29.5  # gRPC rounds what it sends


async def test_a_silent_server_meets_the_deadline_on_a_loop(cloud: ScriptedCloud) -> None:
    released = threading.Event()

    def answer(_request: Any, _context: Any) -> Any:
        released.wait(30)
        return api_pb2.GetStatusResponse()

    cloud.answers["GetStatus"] = answer
    async with AsyncClient(cloud.address, timeout=0.05) as client:
        with pytest.raises(TooSlow):
            await client.status()
    released.set()


def test_a_follower_hears_at_once_what_stays_wrong(cloud: ScriptedCloud) -> None:
    cloud.answers["GetResults"] = abort(ResumeTokenExpired("no such token"))
    with Client(cloud.address) as client, pytest.raises(ResumeTokenExpired, match="no such token"):
        next(client.follow("air", resume_token="old"))
    assert cloud.requests[0].resume_token == "old"


def test_a_server_that_ends_every_stream_is_not_followed_for_ever(cloud: ScriptedCloud) -> None:
    cloud.answers["GetResults"] = lambda *_: []
    with Client(cloud.address, timeout=0.0) as client, pytest.raises(Unavailable, match="at once"):
        next(client.follow("air"))


def test_a_closed_client_says_so(cloud: ScriptedCloud) -> None:
    cloud.answers["GetStatus"] = lambda *_: api_pb2.GetStatusResponse()
    client = Client(cloud.address)
    client.status()
    following = client.follow("air")
    client.close()
    for call in (client.status, lambda: next(following)):
        with pytest.raises(FogError, match="the client is closed"):
            call()


async def test_a_closed_client_says_so_on_a_loop(cloud: ScriptedCloud) -> None:
    client = AsyncClient(cloud.address)
    following = client.follow("air")
    await client.close()
    with pytest.raises(FogError, match="the client is closed"):
        await client.status()
    with pytest.raises(FogError, match="the client is closed"):
        await anext(following)


def test_a_forked_process_is_told_to_make_its_own_client(
    cloud: ScriptedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.answers["GetStatus"] = lambda *_: api_pb2.GetStatusResponse()
    with Client(cloud.address) as client:
        client.status()
        here = os.getpid()
        monkeypatch.setattr(os, "getpid", lambda: here + 1)
        with pytest.raises(FogError, match="belongs to another process"):
            client.status()
        monkeypatch.undo()


async def test_another_event_loop_is_told_to_make_its_own_client(cloud: ScriptedCloud) -> None:
    cloud.answers["GetStatus"] = lambda *_: api_pb2.GetStatusResponse()

    def elsewhere() -> None:
        with pytest.raises(FogError, match="belongs to another event loop"):
            asyncio.run(client.status())

    async with AsyncClient(cloud.address) as client:
        await client.status()
        await asyncio.to_thread(elsewhere)
