"""``fogline tap`` and ``fogline infer`` at a real broker, as a person runs them."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from fogline.spec.read import read_spec
from fogline.testing.mosquitto import Mosquitto
from tests.integration.listener.certificates import self_signed

pytestmark = pytest.mark.needs("mosquitto")
NOW_S = 1_769_860_800
SECRET = "geh:im/1"


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with Mosquitto(tmp_path / "m") as broker:
        yield broker


async def fogline(*arguments: str, given: str = "") -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "fogline", *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(100):
        out, err = await process.communicate(given.encode())
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def keep(broker: Mosquitto, said: dict[str, bytes]) -> None:
    """Let the broker retain messages: whoever listens later hears them first."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for topic, payload in said.items():
        client.publish(topic, payload, qos=1, retain=True).wait_for_publish(30)
    client.disconnect()
    client.loop_stop()


def reading(temp: float) -> bytes:
    return json.dumps({"ts": NOW_S, "temp": temp, "lot": "a7"}).encode()


async def test_tap_shows_what_comes(broker: Mosquitto) -> None:
    said = {"air/t1": reading(21.5), "raw/[x]": b"\xff\x00", "word": "ein W\u00f6rt\x07".encode()}
    await asyncio.to_thread(keep, broker, said)

    code, out, err = await fogline("tap", broker.url, "#", "--count", "3", "--json")
    lines = {line["topic"]: line for line in map(json.loads, out.splitlines())}
    assert (code, err) == (0, "")
    assert lines["air/t1"]["payload"] == reading(21.5).decode()
    assert (lines["air/t1"]["retain"], lines["air/t1"]["bytes"]) == (True, len(reading(21.5)))
    assert (lines["raw/[x]"]["payload"], lines["raw/[x]"]["encoding"]) == ("ff00", "hex")

    code, out, _ = await fogline("tap", broker.url, "#", "--count", "3")
    assert code == 0
    assert '{"ts": 1769860800, "temp": 21.5, "lot": "a7"}' in out
    assert "raw/[x] 2 B retained" in out
    assert "ff 00" in out
    assert "ein Wört\N{REPLACEMENT CHARACTER}" in out


async def test_infer_proposes_what_can_be_deployed(broker: Mosquitto, tmp_path: Path) -> None:
    said = {f"house/{room}/t{n}/air": reading(20 + n / 4) for room in ("hall", "attic") for n in range(4)}
    await asyncio.to_thread(keep, broker, {**said, "house/door": b"open"})

    code, out, err = await fogline("infer", broker.url, "house/#", "--for", "1m", "--messages", "9")
    assert code == 0, err
    (stream,) = read_spec(out).streams
    assert (stream.topic, stream.format) == ("house/{level2}/{level3}/air", "json")
    assert "# Not read:\n#   house/door: 1 message" in out

    _, captured, _ = await fogline("tap", broker.url, "house/#", "--count", "9", "--json")
    (tmp_path / "captured.jsonl").write_text(captured)
    code, again, _ = await fogline("infer", "--file", str(tmp_path / "captured.jsonl"))
    assert code == 0
    assert read_spec(again).streams == (stream,)


async def test_who_may_not_listen_is_told(tmp_path: Path) -> None:
    async with Mosquitto(tmp_path / "m", "allow_anonymous false") as broker:
        code, _, err = await fogline("tap", broker.url.replace("//", "//me:secret@"), "#")

    assert code == 1
    assert "Not authorized" in err
    assert "[not_allowed]" in err
    assert "secret" not in err


async def guarded(folder: Path) -> str:
    """Lines for a broker that lets in a user alone."""
    users = folder / "users"
    made = await asyncio.create_subprocess_exec("mosquitto_passwd", "-b", "-c", str(users), "me", SECRET)
    assert await made.wait() == 0
    users.chmod(0o644)
    return f"password_file {users}"


@pytest.mark.needs("mosquitto_passwd")
async def test_a_password_is_in_no_list_of_processes(tmp_path: Path) -> None:
    lines = ("allow_anonymous false", await guarded(tmp_path))
    async with Mosquitto(tmp_path / "m", *lines) as broker:
        whole = broker.url.replace("//", f"//me:{quote(SECRET, safe='')}@")
        rows = tmp_path / "rows.csv"
        rows.write_text("a\n1\n")
        code, out, err = await fogline("replay", str(rows), "--to", whole, "--topic", "air", "--json")
        assert (code, "geh" in out + err) == (0, False), err
        tap = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "fogline", "tap", whole, "$SYS/broker/version", "--json"), stdout=PIPE
        )
        try:
            assert tap.stdout is not None
            async with asyncio.timeout(100):
                assert json.loads(await tap.stdout.readline())["topic"] == "$SYS/broker/version"
            line = await asyncio.to_thread(Path(f"/proc/{tap.pid}/cmdline").read_bytes)
        finally:
            tap.kill()
            await tap.wait()
    said = line.split(b"\0")
    assert broker.url.replace("//", "//me@").encode() in said
    assert not [word for word in said if b"geh" in word]


@pytest.mark.needs("mosquitto_passwd")
async def test_a_password_may_come_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n")
    async with Mosquitto(tmp_path / "m", "allow_anonymous false", await guarded(tmp_path)) as broker:
        tap = ("tap", broker.url.replace("//", "//me@"), "$SYS/broker/version", "--count", "1")
        assert (await fogline(*tap))[0] == 1
        assert (await fogline(*tap, "--password-file", str(secret)))[0] == 0
        monkeypatch.setenv("FOGLINE_MQTT_PASSWORD", SECRET)
        assert (await fogline(*tap))[0] == 0
        code, _, err = await fogline(*tap, "--password-file", str(tmp_path / "none"))
        assert (code, "--password-file" in err) == (1, True)


async def test_a_brokers_certificate_is_checked_against_the_given_authority(tmp_path: Path) -> None:
    certificate, key = map(str, self_signed(tmp_path))
    rows = tmp_path / "rows.csv"
    rows.write_text("a\n1\n")
    tls = (f"certfile {certificate}", f"keyfile {key}", f"cafile {certificate}", "require_certificate true")
    async with Mosquitto(tmp_path / "m", tls=tls) as broker:
        shown = ("--ca", certificate, "--certificate", certificate, "--key", key)
        code, _, err = await fogline("tap", broker.url, "$SYS/broker/version", "--count", "1", *shown)
        assert code == 0, err
        code, _, err = await fogline("replay", str(rows), "--to", broker.url, "--topic", "air", *shown)
        assert code == 0, err

        code, _, err = await fogline("tap", broker.url, "#")
        assert (code, "TLS failed" in err) == (3, True), err
        code, _, err = await fogline("tap", broker.url, "#", "--ca", str(rows))
        assert (code, "cannot be used" in err) == (1, True), err
        code, _, err = await fogline("tap", broker.url, "#", "--ca", certificate, "--key", key)
        assert (code, "--certificate is not" in err) == (1, True), err
    assert (await fogline("tap", "mqtt://127.0.0.1:1", "#", "--ca", certificate))[0] == 1


async def test_nobody_at_the_address_and_nothing_to_hear_are_said(broker: Mosquitto) -> None:
    code, _, err = await fogline("tap", "mqtt://127.0.0.1:1", "#")
    assert (code, "nobody answers there" in err) == (3, True)
    code, _, err = await fogline("infer", broker.url, "nothing/#", "--for", "0.2")
    assert (code, "no message on 'nothing/#' within 0.2 s" in err) == (1, True)
    assert (await fogline("tap", "http://127.0.0.1:1", "#"))[0] == 1
    assert (await fogline("infer"))[0] == 2
    assert (await fogline("infer", broker.url, "--file", "x"))[0] == 2
    assert (await fogline("infer", "--file", "none.jsonl"))[0] == 1
