"""An aggregator enrols and verifies its children, also while the cloud is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import grpc
import pytest

from aggregator.main import Aggregator
from aggregator.settings import AggregatorSettings
from fogline.identity.folder import write_identity
from fogline.identity.holder import Holder
from fogline.identity.identity import Identity
from fogline.identity.joining import Keys, renew
from fogline.identity.keys import new_key
from fogline.identity.renewal import Renewing, asking
from fogline.model.clock import DAY, HOUR
from fogline.model.errors import FogError, Unavailable
from fogline.model.protocol import PROTOCOL
from fogline.testing.until import until
from fogline.uplink.backoff import Backoff
from fogline.uplink.settings import LinkSettings
from fogline.v1 import control_pb2, control_pb2_grpc, enrol_pb2, enrol_pb2_grpc
from tests.integration.identity.calls import attached, pushed
from tests.integration.identity.conftest import Installation, SetClock

WITHIN = 60.0
Start = Callable[..., AbstractAsyncContextManager[Aggregator]]


@pytest.fixture
async def identity(installation: Installation) -> Identity:
    return (await installation.joined("hall", role="aggregator")).identity


@pytest.fixture
def start(installation: Installation, identity: Identity, tmp_path: Path, clock: SetClock) -> Start:
    folder = tmp_path / "hall"
    folder.mkdir()
    write_identity(folder, identity)

    @asynccontextmanager
    async def started(*, parent: str = installation.children) -> AsyncIterator[Aggregator]:
        settings = AggregatorSettings(
            name="hall",
            listen="127.0.0.1:0",
            enrol="127.0.0.1:0",
            parents=(parent,),
            folder=folder,
            link=LinkSettings(backoff=Backoff(base=0.01, cap=0.05)),
        )
        aggregator = Aggregator(settings, clock=clock, rng=Random(3), holder=Holder(identity))
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(aggregator.run(stopping))
            await aggregator.server.started.wait()
            yield aggregator
            stopping.set()

    return started


def enrol_of(aggregator: Aggregator) -> str:
    assert aggregator.gate is not None
    return aggregator.gate.enrol.address


async def listed(aggregator: Aggregator, *names: str) -> None:
    """Wait until the cloud's list has reached it with these open tokens."""
    gate = aggregator.gate
    assert gate is not None
    await until(lambda: {t.name for t in gate.book.list.content.tokens} == set(names), within=WITHIN)


async def test_a_node_joins_through_its_aggregator(installation: Installation, start: Start) -> None:
    async with start() as aggregator:
        joined = await installation.joined("n1", at=enrol_of(aggregator))
        assert joined.parents == (aggregator.server.address,)
        assert await pushed(aggregator.server.address, joined.identity) == "hall"
        assert await attached(aggregator.server.address, joined.identity) == ""
        # One chain for all: it may also go to the cloud directly.
        assert await pushed(installation.children, joined.identity) == "cloud"


async def test_a_node_joins_while_the_cloud_is_away_and_the_cloud_hears_of_it(
    installation: Installation, start: Start, clock: SetClock
) -> None:
    token, other = await installation.token("n1"), await installation.token("n2")
    async with start() as aggregator:
        await listed(aggregator, "n1", "n2")
    async with start(parent="127.0.0.1:1") as alone:
        keys = Keys(own=new_key())
        node = (await installation.use(token, keys=keys, at=enrol_of(alone))).identity
        assert node.subject.name == "n1"
        again = (await installation.use(token, keys=keys, at=enrol_of(alone))).identity
        assert again.key == node.key
        assert await pushed(alone.server.address, node) == "hall"
        with pytest.raises(FogError, match="by another machine"):
            await installation.use(token, at=enrol_of(alone))
        with pytest.raises(FogError, match="nobody here knows this token"):
            await installation.use(await installation.token("n3"), at=enrol_of(alone))
        with pytest.raises(Unavailable, match="only the cloud enrols aggregators"):
            await installation.use(other, role="aggregator", at=enrol_of(alone))
        fresh = await renew(
            node, parents=(alone.server.address,), dial=Holder(node).dial, now_us=clock.now_us()
        )
        assert (fresh.key, fresh.serial != node.serial) == (node.key, True)
        renewed = await renew(node, parents=(), dial=Holder(node).dial, now_us=clock.now_us())
        assert renewed.key == node.key
    async with start() as aggregator:
        await listed(aggregator, "n2", "n3")
        assert aggregator.gate is not None
        book = aggregator.gate.book
        await until(lambda: not book.unheard, within=WITHIN)
        tokens = await installation.store.admissions.tokens("main")
        [used] = [row for row in tokens if row.known.subject.name == "n1"]
        assert (used.used_at, used.known.used_key) == ("hall", node.key)
        assert await pushed(installation.children, fresh) == "cloud"


async def test_of_two_who_used_a_token_the_later_one_is_taken_back(
    installation: Installation, start: Start
) -> None:
    token = await installation.token("n1")
    async with start() as aggregator:
        await listed(aggregator, "n1")
    async with start(parent="127.0.0.1:1") as alone:
        at_the_hall = (await installation.use(token, at=enrol_of(alone))).identity
    at_the_cloud = (await installation.use(token)).identity
    async with start() as aggregator:
        gate = aggregator.gate
        assert gate is not None
        await until(lambda: gate.book.list.revoked(at_the_hall.key), within=WITHIN)
        assert "was revoked" in await pushed(aggregator.server.address, at_the_hall)
        assert await pushed(aggregator.server.address, at_the_cloud) == "hall"


async def test_a_revocation_reaches_the_aggregator_and_holds_without_the_cloud(
    installation: Installation, start: Start
) -> None:
    async with start() as aggregator:
        node = (await installation.joined("n1", at=enrol_of(aggregator))).identity
        async with Holder(node).dial(aggregator.server.address) as channel:
            call = control_pb2_grpc.ControlServiceStub(channel).Attach()
            report = control_pb2.NodeReport(node="n1", at_us=1)
            await call.write(
                control_pb2.AttachRequest(protocol=PROTOCOL, child="n1", role="node", nodes=[report])
            )
            assert aggregator.gate is not None
            await installation.revoke("n1")
            async with asyncio.timeout(WITHIN):
                with suppress(grpc.aio.AioRpcError):
                    while await call.read() is not grpc.aio.EOF:
                        pass
                assert "the identity of n1 was revoked" in await call.details()
    async with start(parent="127.0.0.1:1") as alone:
        assert "was revoked" in await pushed(alone.server.address, node)


async def test_an_aggregator_that_is_taken_back_takes_with_it_what_it_signed(
    installation: Installation, start: Start
) -> None:
    token = await installation.token("n1")
    async with start() as aggregator:
        await listed(aggregator, "n1")
    async with start(parent="127.0.0.1:1") as alone:
        node = (await installation.use(token, at=enrol_of(alone))).identity
    assert await pushed(installation.children, node) == "cloud"
    await installation.revoke("hall", role="aggregator")
    await until(lambda: len(installation.admittance.board.list.keys) == 2, within=WITHIN)
    assert "the aggregator that signed the certificate of node n1 was revoked" in await pushed(
        installation.children, node
    )


async def test_a_list_that_the_ca_did_not_sign_is_not_believed(
    installation: Installation, start: Start, tmp_path: Path
) -> None:
    await installation.token("n1", expires_us=HOUR)
    async with start() as aggregator:
        await listed(aggregator, "n1")
        assert aggregator.gate is not None
        book = aggregator.gate.book
        content = enrol_pb2.Admission(version=2**62).SerializeToString()
        await book.accept(enrol_pb2.SignedAdmission(content=content, signature=b"none"))
        await listed(aggregator, "n1")
    (tmp_path / "hall" / "admission").write_bytes(b"\xff")
    async with start(parent="127.0.0.1:1") as alone:
        await listed(alone)


async def test_nodes_are_not_told_who_may_join(installation: Installation) -> None:
    node = (await installation.joined("n1")).identity
    async with Holder(node).dial(installation.children) as channel:
        call = enrol_pb2_grpc.AdmissionFeedServiceStub(channel).Follow(timeout=WITHIN)
        assert "only aggregators" in (await call.details() or "")


async def test_an_aggregator_that_could_not_renew_for_months_goes_on_and_renews_when_the_cloud_is_back(
    installation: Installation, tmp_path: Path, clock: SetClock
) -> None:
    # TLS goes by the machine's clock: so what is now was issued long ago.
    clock.ahead_us = -200 * DAY
    hall = (await installation.joined("hall", role="aggregator")).identity
    clock.ahead_us = 0
    write_identity(tmp_path / "hall", hall)
    settings = AggregatorSettings(
        name="hall",
        listen="127.0.0.1:0",
        enrol="127.0.0.1:0",
        parents=("127.0.0.1:1",),
        folder=tmp_path / "hall",
        link=LinkSettings(backoff=Backoff(base=0.01, cap=0.05)),
    )
    alone = replace(hall, enrol=("127.0.0.1:1",))
    holder = Holder(alone)
    aggregator = Aggregator(settings, clock=clock, rng=Random(3), holder=holder)
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(aggregator.run(stopping))
        await aggregator.server.started.wait()
        assert aggregator.gate is not None
        await until(lambda: bool(aggregator.gate and aggregator.gate.renewing.fault), within=60)
        assert "could not be renewed" in aggregator.gate.renewing.fault
        joined = (await installation.joined("n2")).identity
        assert await pushed(aggregator.server.address, joined) == "hall", "its children believe it still"
        fresh = await renew(
            joined, parents=(aggregator.server.address,), dial=Holder(joined).dial, now_us=clock.now_us()
        )
        assert await pushed(aggregator.server.address, fresh) == "hall", "and it renews theirs"
        stopping.set()
    # The cloud is back: also where it joined, and by then both of its certificates have ended.
    clock.ahead_us = -400 * DAY
    ended = (await installation.joined("hall", role="aggregator")).identity
    clock.ahead_us = 0
    installation.admittance.renew_own()
    holder = Holder(ended)
    ask = asking(holder, (installation.children,), clock)
    renewing = Renewing(holder, tmp_path / "hall", ask=ask, clock=clock, rng=Random(5))
    task = asyncio.ensure_future(renewing.run())
    try:
        await until(lambda: holder.identity.serial != ended.serial, within=60)
    finally:
        task.cancel()
    assert holder.identity.until_us > clock.now_us() + 300 * DAY
    assert await attached(installation.children, holder.identity) == ""
