"""Devices as they are: the usual client libraries against the listener."""

import asyncio
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any

import aiomqtt
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from fog_node.ingest.listener.auth import hash_password
from fogline.testing.until import until
from tests.conftest import absent
from tests.integration.listener.certificates import self_signed
from tests.integration.listener.conftest import Listen
from tests.integration.listener.stand_in import HeldJournal

AIR = "site/z1/air"
COUNT = 50
VERSIONS = pytest.mark.parametrize("version", [4, 5])
LEVELS = pytest.mark.parametrize("qos", [0, 1, 2])
EXPECTED = [b"%d" % n for n in range(COUNT)]


def paho_client(version: int, client_id: str = "paho") -> paho.Client:
    clean = None if version == 5 else False
    return paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=clean,
        protocol=MQTTProtocolVersion(version),
    )


def connected(client: paho.Client, port: int, version: int) -> None:
    """Connect and wait for the CONNACK."""
    codes: list[Any] = []
    answered = threading.Event()

    def note(*arguments: Any) -> None:
        codes.append(arguments[3])
        answered.set()

    client.on_connect = note
    given: dict[str, Any] = {}
    if version == 5:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's types end here
        properties.SessionExpiryInterval = 3600
        given = {"clean_start": False, "properties": properties}
    client.connect("127.0.0.1", port, **given)
    client.loop_start()
    assert answered.wait(10)
    assert not codes[0].is_failure, str(codes[0])


@VERSIONS
@LEVELS
async def test_paho(version: int, qos: int, listen: Listen, journal: HeldJournal) -> None:
    def publish(port: int) -> None:
        client = paho_client(version)
        connected(client, port, version)
        for payload in EXPECTED:
            client.publish(AIR, payload, qos=qos).wait_for_publish(10)
        client.disconnect()
        client.loop_stop()

    async with listen() as listener:
        await asyncio.to_thread(publish, listener.port)
        await until(lambda: len(journal.payloads()) == COUNT)
        await until(lambda: listener.counts().connections == 0)
        assert listener.counts().ended == {}
    assert journal.payloads() == EXPECTED


@VERSIONS
@LEVELS
async def test_aiomqtt(version: int, qos: int, listen: Listen, journal: HeldJournal) -> None:
    async with listen() as listener:
        protocol = aiomqtt.ProtocolVersion.V5 if version == 5 else aiomqtt.ProtocolVersion.V311
        async with aiomqtt.Client("127.0.0.1", listener.port, protocol=protocol) as client:
            for payload in EXPECTED:
                await client.publish(AIR, payload, qos=qos)
        await until(lambda: len(journal.payloads()) == COUNT)
    assert journal.payloads() == EXPECTED


async def run(*command: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


@pytest.mark.needs("mosquitto_pub")
@VERSIONS
@LEVELS
async def test_mosquitto_pub(version: int, qos: int, listen: Listen, journal: HeldJournal) -> None:
    name = "mqttv5" if version == 5 else "mqttv311"
    async with listen() as listener:
        address = ("-h", "127.0.0.1", "-p", str(listener.port), "-V", name, "-q", str(qos), "-t", AIR)
        for payload in EXPECTED[:5]:
            assert await run("mosquitto_pub", *address, "-m", payload.decode()) == (0, "")
        await until(lambda: len(journal.payloads()) == 5)
    assert journal.payloads() == EXPECTED[:5]


@pytest.mark.needs("mosquitto_pub")
@VERSIONS
async def test_mosquitto_pub_may_ask_for_retained_messages(
    version: int, listen: Listen, journal: HeldJournal
) -> None:
    name = "mqttv5" if version == 5 else "mqttv311"
    async with listen() as listener:
        address = ("-h", "127.0.0.1", "-p", str(listener.port), "-q", "1", "-t", AIR, "-m", "x", "-r")
        assert await run("mosquitto_pub", *address, "-V", name) == (0, "")
    assert journal.payloads() == [b"x"]
    # In 5 the client was told that retained messages are not available, and leaves the flag away.
    assert journal.retained["air"] == (0 if version == 5 else 1)


@pytest.mark.needs("mosquitto_sub")
@pytest.mark.parametrize("name", ["mqttv5", "mqttv311"])
async def test_mosquitto_sub_hears_that_there_is_nothing_to_subscribe_to(name: str, listen: Listen) -> None:
    async with listen() as listener:
        address = ("-h", "127.0.0.1", "-p", str(listener.port), "-V", name, "-W", "10")
        _, said = await run("mosquitto_sub", *address, "-t", "a")
        assert "denied" in said


@pytest.fixture(scope="session")
def mqtt_js() -> Path:
    """The folder of mqtt.js; installed beside the tests when it is not there."""
    folder = Path(__file__).parent / "node_modules" / "mqtt"
    if not folder.exists():
        command = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--silent", "mqtt@5"]
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
        if done.returncode or not folder.exists():
            absent(f"needs the npm package mqtt, which cannot be installed: {done.stderr[-200:]}")
    return folder


@pytest.mark.needs("node", "npm")
@VERSIONS
@LEVELS
async def test_mqtt_js(version: int, qos: int, mqtt_js: Path, listen: Listen, journal: HeldJournal) -> None:
    script = """
        const [folder, port, version, qos, count, topic] = process.argv.slice(1)
        const mqtt = require(folder)
        const options = {protocolVersion: +version, clientId: 'js', clean: false, reconnectPeriod: 0}
        const client = mqtt.connect('mqtt://127.0.0.1:' + port, options)
        client.on('error', (fault) => { console.log(String(fault)); process.exit(1) })
        client.on('connect', async () => {
            const sent = []
            for (let n = 0; n < +count; n++) sent.push(client.publishAsync(topic, String(n), {qos: +qos}))
            await Promise.all(sent)
            await client.endAsync()
            process.exit(0)
        })
    """
    async with listen() as listener:
        given = (str(mqtt_js), str(listener.port), str(version), str(qos), str(COUNT), AIR)
        assert await run("node", "-e", script, *given) == (0, "")
        await until(lambda: len(journal.payloads()) == COUNT)
    assert journal.payloads() == EXPECTED


@VERSIONS
@pytest.mark.parametrize("qos", [1, 2])
async def test_paho_repeats_what_the_listener_had_in_hand_when_it_died(
    version: int, qos: int, listen: Listen, journal: HeldJournal
) -> None:
    client = paho_client(version)
    client.reconnect_delay_set(1, 1)
    client.max_inflight_messages_set(COUNT)
    async with listen() as listener:
        port = listener.port
        await asyncio.to_thread(connected, client, port, version)
        journal.hold()
        sent = [client.publish(AIR, payload, qos=qos) for payload in EXPECTED]
        await journal.reached.wait()
        # The disk has them, the device never hears of it.
        for connection in listener._connections:
            assert connection._transport is not None
            connection._transport.abort()
        journal.let_go()
    first = len(journal.payloads())
    assert first > 0
    async with listen(port=port) as listener:
        for message in sent:
            await asyncio.to_thread(message.wait_for_publish, 30)
        assert all(message.is_published() for message in sent)
        client.disconnect()
        client.loop_stop()
        await until(lambda: listener.counts().connections == 0)
    assert sorted(journal.payloads(), key=int) == EXPECTED
    assert journal.redelivered["air"] == first


@VERSIONS
async def test_passwords(version: int, tmp_path: Path, listen: Listen) -> None:
    users = tmp_path / "users"
    users.write_text("# devices\n" + hash_password("device", b"right", bytes) + "\n")

    def attempt(port: int, user: str | None, password: str | None) -> bool:
        client = paho_client(version)
        if user is not None:
            client.username_pw_set(user, password)
        try:
            connected(client, port, version)
        except AssertionError:
            return False
        else:
            return True
        finally:
            client.disconnect()
            client.loop_stop()

    async with listen(users=users) as listener:
        given = [("device", "right"), ("device", "wrong"), ("stranger", "right"), (None, None)]
        tries = [await asyncio.to_thread(attempt, listener.port, *pair) for pair in given]
        assert tries == [True, False, False, False]
        assert listener.counts().refused == {"bad_user_or_password": 3}


@VERSIONS
async def test_tls(version: int, tmp_path: Path, listen: Listen, journal: HeldJournal) -> None:
    certificate, key = self_signed(tmp_path)
    big = bytes(600_000)

    def publish(port: int) -> None:
        client = paho_client(version)
        client.tls_set(str(certificate), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        connected(client, port, version)
        for payload in [*EXPECTED, big]:
            client.publish(AIR, payload, qos=1).wait_for_publish(10)
        client.disconnect()
        client.loop_stop()

    async with listen(certificate=certificate, key=key) as listener:
        await asyncio.to_thread(publish, listener.port)
        await until(lambda: listener.counts().connections == 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00")
        await reader.read()
        writer.close()
        await until(lambda: listener.counts().refused == {"handshake_failed": 1})
    assert journal.payloads() == [*EXPECTED, big]
