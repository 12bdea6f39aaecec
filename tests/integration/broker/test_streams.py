"""Which of a real mosquitto's messages a node takes, and what it counts of the others."""

from pathlib import Path

from fogline.testing.until import until
from tests.integration.broker.conftest import PATIENCE_S, Read
from tests.integration.broker.devices import AIR, device, publish, quick, texts
from tests.integration.listener.stand_in import HeldJournal


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
