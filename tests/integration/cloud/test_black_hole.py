"""A follower and the cloud behind a link that swallows everything, so that neither hears that it broke."""

import asyncio

import pytest

from fogline.client import AsyncClient, link
from fogline.service import server
from fogline.testing.relay import Relay
from fogline.testing.until import until
from tests.contract.installation import Reading, spec
from tests.integration.cloud.child import child_of
from tests.integration.cloud.conftest import Running
from tests.integration.cloud.test_cloud import part

HANG_S = 60.0
QUICK_MS = {
    "grpc.keepalive_time_ms": 500,
    "grpc.http2.min_ping_interval_without_data_ms": 10,
}
"""Otherwise the ends ask each other every 20 seconds: long for a test. How long they wait for an answer stays."""


@pytest.fixture
def quick_keepalive(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((link, "OPTIONS"), (server, "SERVER_OPTIONS")):
        options = dict(getattr(module, name))
        monkeypatch.setattr(module, name, tuple({**options, **QUICK_MS}.items()))


@pytest.fixture
def quickly_running(quick_keepalive: None, running: Running) -> Running:
    return running


@pytest.mark.timeout(180)
async def test_a_follower_in_a_black_hole_is_let_go_of_and_goes_on_behind_what_it_heard(
    quickly_running: Running,
) -> None:
    cloud = quickly_running.cloud
    followers = cloud.services.results.followers
    async with (
        Relay(quickly_running.address) as hole,
        AsyncClient(quickly_running.address, timeout=HANG_S) as direct,
        AsyncClient(hole.address, timeout=HANG_S) as client,
        asyncio.timeout(2 * HANG_S),
    ):
        deployed = await direct.deploy(spec())
        async with (
            child_of(quickly_running.address, deployed.plan) as child,
            client.follow("greenhouse") as following,
        ):
            await child.push(part([Reading(1, "north", 20.0)], 0))
            heard = [await anext(following)]
            hole.up.close()
            hole.down.close()
            await until(lambda: followers.now == 0, within=HANG_S)
            await child.push(part([Reading(2, "south", 19.0)], 1))
            after = asyncio.ensure_future(anext(following))
            # Its own end gave up, too, and dials again, into the hole at first.
            await until(lambda: hole.connections > 1, within=HANG_S)
            hole.up.open()
            hole.down.open()
            heard.append(await after)
        assert [result.key["zone"] for result in heard] == ["north", "south"]
