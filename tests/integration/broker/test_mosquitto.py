"""Reading from a real mosquitto that is restarted, killed, cut off and full."""

import asyncio
from pathlib import Path

import aiomqtt
import pytest

from fogline.testing.mosquitto import Mosquitto
from fogline.testing.relay import Relay
from fogline.testing.until import until
from tests.integration.broker.conftest import PATIENCE_S, Read
from tests.integration.broker.devices import device, publish, quick, texts
from tests.integration.listener.certificates import self_signed
from tests.integration.listener.stand_in import HeldJournal


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
