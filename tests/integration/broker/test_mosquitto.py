"""Reading from a real mosquitto that is restarted, killed, cut off and full."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from fogline.testing.mosquitto import Mosquitto
from fogline.testing.relay import Relay
from fogline.testing.until import until
from tests.integration.broker.conftest import PATIENCE_S, Read
from tests.integration.listener.certificates import self_signed
from tests.integration.listener.stand_in import HeldJournal

AIR = "site/z1/air"


@asynccontextmanager
async def device(broker: Mosquitto, **given: object) -> AsyncIterator[aiomqtt.Client]:
    arguments = {"hostname": "127.0.0.1", "port": broker.port, "timeout": PATIENCE_S, **given}
    async with aiomqtt.Client(**arguments) as client:  # type: ignore[arg-type]  # the tests' own keywords
        yield client


def quick(folder: Path, *extra: str, **given: tuple[str, ...]) -> Mosquitto:
    """A broker that does not write after every change, for tests in which nothing happens to it."""
    return Mosquitto(folder / "m", "autosave_on_changes false", "autosave_interval 1800", *extra, **given)


def texts(first: int, end: int) -> list[bytes]:
    return [str(number).encode() for number in range(first, end)]


async def publish(client: aiomqtt.Client, payloads: list[bytes], *, topic: str = AIR, qos: int = 1) -> None:
    for payload in payloads:
        await client.publish(topic, payload, qos=qos)


async def saved(broker: Mosquitto, folder: Path) -> None:
    """Wait until the broker has written everything that it knows."""
    before = await asyncio.to_thread(_written_ns, folder)
    # A retained message is one more change; what comes to disk with it holds all before it.
    async with device(broker) as client:
        await client.publish("test/saved", b"now", qos=1, retain=True)
    async with asyncio.timeout(PATIENCE_S):
        while await asyncio.to_thread(_written_ns, folder) <= before:  # noqa: ASYNC110 - another process's file
            await asyncio.sleep(0.01)


def _written_ns(folder: Path) -> int:
    file = folder / "mosquitto.db"
    return file.stat().st_mtime_ns if file.exists() else 0


async def test_every_message_is_journaled_and_acknowledged(tmp_path: Path, read: Read) -> None:
    async with quick(tmp_path) as broker, read(broker.url) as node, device(broker) as client:
        await node.subscribed()
        await publish(client, texts(0, 50))
        await publish(client, texts(50, 60), qos=0)
        await publish(client, [b"wet"], topic="site/z1/soil", qos=2)
        assert await node.journaled(60) == texts(0, 60)
        assert await node.journaled(1, "soil") == [b"wet"]
        # A QoS 2 message comes at the QoS 1 of the subscription.
        assert node.journal.flags("soil") == [1]
        assert node.standing.connected
        assert not node.standing.fault
        assert not node.standing.warnings
        assert node.standing.messages == 61


async def test_what_came_while_the_node_was_away_waits_in_the_session(tmp_path: Path, read: Read) -> None:
    async with quick(tmp_path) as broker, device(broker) as client:
        async with read(broker.url) as node:
            await node.subscribed()
        await publish(client, texts(0, 400))
        async with read(broker.url) as node:
            assert await node.journaled(400) == texts(0, 400)
            assert node.standing.sessions_lost == 0


async def test_unacknowledged_messages_come_again_and_count_once(
    tmp_path: Path, read: Read, journal: HeldJournal
) -> None:
    async with (
        quick(tmp_path) as broker,
        Relay(f"127.0.0.1:{broker.port}") as link,
        read(f"mqtt://{link.address}") as node,
        device(broker) as client,
    ):
        await node.subscribed()
        journal.hold()
        await publish(client, texts(0, 100))
        await journal.reached.wait()
        # On disk, and the acknowledgement lost: the broker must send them again.
        link.up.close()
        journal.let_go()
        first = await node.journaled(1)
        link.cut()
        link.up.open()
        assert await node.journaled(100) == texts(0, 100)
        await until(lambda: journal.redelivered["air"] >= len(first), within=PATIENCE_S)
        await publish(client, [b"after"])
        assert await node.journaled(101) == [*texts(0, 100), b"after"]
        assert node.standing.sessions_lost == 0


async def test_redelivery_to_a_restarted_node_is_recognised_from_its_journal(
    tmp_path: Path, read: Read, journal: HeldJournal
) -> None:
    async with quick(tmp_path) as broker, Relay(f"127.0.0.1:{broker.port}") as link:
        async with read(f"mqtt://{link.address}") as node, device(broker) as client:
            await node.subscribed()
            link.up.close()
            await publish(client, texts(0, 20))
            await node.journaled(20)
            link.cut()
            link.refusing = True
            await node.until(lambda standing: not standing.connected)
        link.refusing = False
        link.up.open()
        # The same address: it is part of what the journal calls the sender.
        async with read(f"mqtt://{link.address}"):
            await until(lambda: journal.redelivered["air"] == 20, within=PATIENCE_S)
            assert journal.payloads() == texts(0, 20)


async def test_nothing_of_a_packet_that_was_cut_in_the_middle_is_journaled(
    tmp_path: Path, read: Read
) -> None:
    large = b"x" * 200_000
    async with (
        quick(tmp_path) as broker,
        Relay(f"127.0.0.1:{broker.port}") as link,
        read(f"mqtt://{link.address}") as node,
        device(broker) as client,
    ):
        await node.subscribed()
        link.cut_after = 100_000
        link.down.close()
        await publish(client, [b"whole", large])
        link.down.open()
        await node.until(lambda standing: standing.ended.get("lost", 0) == 1)
        assert large not in node.journal.payloads()
        assert await node.journaled(2) == [b"whole", large]
        await publish(client, [b"after"])
        assert await node.journaled(3) == [b"whole", large, b"after"]


async def test_messages_that_were_queued_survive_kill_9_of_the_broker(tmp_path: Path, read: Read) -> None:
    async with Mosquitto(tmp_path / "m") as broker:
        async with read(broker.url) as node:
            await node.subscribed()
        async with device(broker) as client:
            await publish(client, texts(0, 200))
        await saved(broker, tmp_path / "m")
        await broker.kill()
        await broker.start()
        async with read(broker.url) as node:
            assert await node.journaled(200) == texts(0, 200)
            assert node.standing.sessions_lost == 0


async def test_a_broker_that_restarts_is_found_again(tmp_path: Path, read: Read) -> None:
    async with quick(tmp_path) as broker, read(broker.url) as node:
        await node.subscribed()
        await broker.stop()
        await node.until(lambda standing: "cannot be reached" in standing.fault)
        assert not node.standing.connected
        await broker.start()
        await node.subscribed()
        async with device(broker) as client:
            await publish(client, [b"1"])
        assert await node.journaled(1) == [b"1"]
        assert node.standing.reconnects == 1
        assert node.standing.sessions_lost == 0
        assert not node.standing.fault


async def test_a_lost_session_is_counted_and_made_again(tmp_path: Path, read: Read) -> None:
    async with Mosquitto(tmp_path / "m", "persistence false") as broker, read(broker.url) as node:
        await node.subscribed()
        await broker.kill()
        await node.until(lambda standing: not standing.connected)
        await broker.start()
        await node.until(lambda standing: standing.sessions_lost == 1)
        await node.subscribed()
        async with device(broker) as client:
            await publish(client, [b"1"])
        assert await node.journaled(1) == [b"1"]


async def test_a_session_lost_while_the_node_was_away_is_counted_too(tmp_path: Path, read: Read) -> None:
    async with Mosquitto(tmp_path / "m", "persistence false") as broker:
        async with read(broker.url) as node:
            await node.subscribed()
        await broker.kill()
        await broker.start()
        async with read(broker.url) as node:
            await node.subscribed()
            assert node.standing.sessions_lost == 1


async def test_retained_messages_are_counted_and_not_journaled(tmp_path: Path, read: Read) -> None:
    async with quick(tmp_path) as broker, device(broker) as client:
        await client.publish(AIR, b"old", qos=1, retain=True)
        async with read(broker.url) as node:
            await until(lambda: node.journal.retained["air"] == 1, within=PATIENCE_S)
            await client.publish(AIR, b"new", qos=1, retain=True)
            assert await node.journaled(1) == [b"new"]
        async with read(broker.url) as node:
            # The subscription is still there: the broker does not repeat them.
            await node.subscribed()
            await publish(client, [b"newer"])
            assert await node.journaled(2) == [b"new", b"newer"]
            assert node.journal.retained["air"] == 1


OVERLAPPING = {"air": "site/{zone}/air", "first": "site/z1/{kind}", "same": "site/{somewhere}/air"}


async def test_overlapping_streams_take_each_message_once(tmp_path: Path, read: Read) -> None:
    async with (
        quick(tmp_path) as broker,
        read(broker.url, routes=OVERLAPPING) as node,
        device(broker) as client,
    ):
        await node.subscribed()
        await publish(client, texts(0, 10))
        await publish(client, [b"soil"], topic="site/z1/soil")
        await publish(client, [b"far"], topic="site/z2/air")
        assert sorted(await node.journaled(11, "air")) == sorted([*texts(0, 10), b"far"])
        assert sorted(await node.journaled(11, "same")) == sorted([*texts(0, 10), b"far"])
        assert sorted(await node.journaled(11, "first")) == sorted([*texts(0, 10), b"soil"])


async def test_subscriptions_follow_the_streams(tmp_path: Path, read: Read) -> None:
    async with quick(tmp_path) as broker, device(broker) as client:
        async with read(broker.url) as node:
            await node.subscribed()
            node.follow({"soil": "site/{zone}/soil", "wind": "site/{zone}/wind"})
            await node.subscribed()
            await until(lambda: len(node.brokers._links[0]._kept.state.subscriptions) == 2, within=PATIENCE_S)
            await publish(client, [b"air"])
            await publish(client, [b"wind"], topic="site/z1/wind")
            assert await node.journaled(1, "wind") == [b"wind"]
            assert node.standing.unrouted == 0
        async with read(broker.url, routes={"wind": "site/{zone}/wind"}) as node:
            # What a former run of the node had asked for is given up.
            await until(lambda: len(node.brokers._links[0]._kept.state.subscriptions) == 1, within=PATIENCE_S)
            await publish(client, [b"mud"], topic="site/z1/soil")
            await publish(client, [b"storm"], topic="site/z1/wind")
            assert await node.journaled(2, "wind") == [b"wind", b"storm"]
            assert node.standing.unrouted == 0
            assert not node.journal.payloads("soil")


async def test_two_nodes_of_a_group_share_the_messages(tmp_path: Path, read: Read) -> None:
    one, two = HeldJournal(), HeldJournal()
    async with (
        quick(tmp_path) as broker,
        read(broker.url, over=one, node="one", share="site") as first,
        read(broker.url, over=two, node="two", share="site") as second,
        device(broker) as client,
    ):
        await first.subscribed()
        await second.subscribed()
        await publish(client, texts(0, 100))
        await until(lambda: len(one.payloads()) + len(two.payloads()) >= 100, within=PATIENCE_S)
        assert sorted(one.payloads() + two.payloads()) == sorted(texts(0, 100))
        assert one.payloads()
        assert two.payloads()


async def test_a_full_journal_that_waits_leaves_the_rest_in_the_broker(
    tmp_path: Path, read: Read, journal: HeldJournal
) -> None:
    async with (
        quick(tmp_path) as broker,
        read(broker.url, receive_max=10) as node,
        device(broker) as client,
    ):
        await node.subscribed()
        journal.hold()
        await publish(client, texts(0, 300))
        await journal.reached.wait()
        assert node.standing.messages <= 10
        journal.let_go()
        assert await node.journaled(300) == texts(0, 300)


async def test_a_full_journal_that_refuses_counts_what_it_refuses(
    tmp_path: Path, read: Read, journal: HeldJournal
) -> None:
    journal.full = ("air",)
    async with quick(tmp_path) as broker, read(broker.url) as node, device(broker) as client:
        await node.subscribed()
        await publish(client, texts(0, 30))
        await publish(client, [b"wet"], topic="site/z1/soil")
        assert await node.journaled(1, "soil") == [b"wet"]
        assert journal.refused["air"] == 30
        # Refused is answered for: the broker does not send it again.
        journal.full = ()
        await publish(client, [b"1"])
        assert await node.journaled(1) == [b"1"]
        assert node.standing.ended == {}


async def test_drops_are_heard_and_kept_over_restarts_of_both(tmp_path: Path, read: Read) -> None:
    lines = ("max_queued_messages 10", "sys_interval 1", "persistence false")
    async with quick(tmp_path, *lines) as broker:
        async with read(broker.url) as node:
            await node.subscribed()
            await node.until(lambda standing: standing.dropped_known)
            assert node.standing.dropped == 0
        async with device(broker) as client:
            await publish(client, texts(0, 50))
        async with read(broker.url, receive_max=10) as node:
            await node.until(lambda standing: standing.dropped > 0)
            before = node.standing.dropped
        await broker.kill()
        await broker.start()
        async with read(broker.url) as node:
            await node.until(lambda standing: standing.dropped_known)
            assert node.standing.dropped == before


async def test_a_user_with_a_password_from_a_file_is_let_in(tmp_path: Path, read: Read) -> None:
    users = tmp_path / "users"
    made = await asyncio.create_subprocess_exec("mosquitto_passwd", "-b", "-c", str(users), "node", "p:w@d/1")
    assert await made.wait() == 0
    users.chmod(0o644)
    secret = tmp_path / "secret"
    secret.write_text("p:w@d/1\n")
    lines = (f"password_file {users}", "allow_anonymous false")
    async with quick(tmp_path, *lines) as broker:
        async with read(broker.url, user="node", password_file=secret) as node:
            await node.subscribed()
            assert "p:w@d" not in str(node.standing)
        async with read(f"mqtt://node:p%3Aw%40d%2F1@127.0.0.1:{broker.port}") as node:
            await node.subscribed()
            assert node.standing.url == broker.url
        async with read(broker.url, user="node", password="wrong") as node:
            await node.until(lambda standing: "refuses the node: not authorized" in standing.fault)
            assert node.standing.ended["refused"] >= 1


async def test_tls_is_checked_against_the_given_authority(tmp_path: Path, read: Read) -> None:
    certificate, key = self_signed(tmp_path)
    tls = (f"cafile {certificate}", f"certfile {certificate}", f"keyfile {key}")
    async with quick(tmp_path, tls=tls) as broker:
        async with (
            read(broker.url, ca=certificate) as node,
            device(broker, tls_params=aiomqtt.TLSParameters(ca_certs=str(certificate))) as client,
        ):
            await node.subscribed()
            await publish(client, texts(0, 20))
            assert await node.journaled(20) == texts(0, 20)
        async with read(broker.url) as node:
            await node.until(lambda standing: "TLS failed" in standing.fault)


async def test_a_client_certificate_is_shown(tmp_path: Path, read: Read) -> None:
    certificate, key = self_signed(tmp_path)
    tls = (f"cafile {certificate}", f"certfile {certificate}", f"keyfile {key}", "require_certificate true")
    async with (
        quick(tmp_path, tls=tls) as broker,
        read(broker.url, ca=certificate, certificate=certificate, key=key) as node,
    ):
        await node.subscribed()


async def test_a_second_client_of_the_same_name_is_told(tmp_path: Path, read: Read) -> None:
    async with quick(tmp_path) as broker, read(broker.url) as node:
        await node.subscribed()
        async with device(broker, identifier="fogline-node", protocol=aiomqtt.ProtocolVersion.V5):
            await node.until(lambda standing: sum(standing.ended.values()) >= 1)
        await node.subscribed()


@pytest.mark.parametrize("cut_after", [0, 1])
async def test_a_link_that_breaks_again_and_again_loses_nothing(
    tmp_path: Path, read: Read, cut_after: int
) -> None:
    async with (
        quick(tmp_path) as broker,
        Relay(f"127.0.0.1:{broker.port}") as link,
        read(f"mqtt://{link.address}") as node,
        device(broker) as client,
    ):
        await node.subscribed()
        for at in range(5):
            await publish(client, texts(at * 40, at * 40 + 40))
            if cut_after:
                await node.journaled(at * 40 + 1)
            link.cut()
        assert sorted(await node.journaled(200), key=int) == texts(0, 200)
        await publish(client, [b"200"])
        assert sorted(await node.journaled(201), key=int) == texts(0, 201)


async def test_a_group_s_subscriptions_are_made_again_when_the_broker_restarts(
    tmp_path: Path, read: Read
) -> None:
    async with quick(tmp_path) as broker, read(broker.url, share="site") as node:
        await node.subscribed()
        await broker.stop()
        await node.until(lambda standing: not standing.connected)
        await broker.start()
        await node.subscribed()
        assert node.standing.sessions_lost == 0
        async with device(broker) as client:
            await publish(client, texts(0, 20))
        assert await node.journaled(20) == texts(0, 20)
