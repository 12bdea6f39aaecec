"""``fogline up`` as a person runs it: the command line, real processes, a client library that is not ours."""

import asyncio
import json
import os
import re
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from paho.mqtt.client import Client, MQTTMessageInfo, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

import fogline
from tests.faults.site import Site

SPEC = """
name: lab
streams:
  room: {mqtt: "lab/{room}", format: json, time: ts, fields: {temp: {type: float, resolution: 0.01}}}
steps:
  climate:
    sql: |
      SELECT room, count(*) AS n, sum(temp) AS total, min(temp) AS low, max(temp) AS high
      FROM room GROUP BY room, TUMBLE(ts, INTERVAL '10 seconds')
late: {disorder: 1s, wait: 1m, keep: 1d}
"""
ROOMS = ("hall", "attic", "kitchen")


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "lab.yaml"
    file.write_text(SPEC)
    return file


async def run(*arguments: str) -> tuple[int, str, str]:
    process = await start(*arguments)
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def start(*arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fogline", *arguments), stdout=PIPE, stderr=PIPE
    )


def connect(port: int) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"test-{port}-{os.getpid()}", protocol=MQTTv5)
    session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho leaves its constructor untyped
    session.SessionExpiryInterval = 120
    client.reconnect_delay_set(1, 1)
    client.connect("127.0.0.1", port, properties=session)
    client.loop_start()
    return client


def reading(number: int, start_s: int) -> tuple[str, float, float]:
    """Room, event time and temperature of a reading; thirty seconds of them from ``start_s``."""
    return ROOMS[number % 3], start_s + number % 30 + 0.25, round(20 + number % 700 / 100, 2)


def publish(clients: list[Client], numbers: range, start_s: int) -> list[MQTTMessageInfo]:
    sent = []
    for number in numbers:
        room, at, temp = reading(number, start_s)
        payload = json.dumps({"ts": at, "temp": temp})
        one = clients[number % len(clients)].publish(f"lab/{room}", payload, qos=1)
        if one.rc == MQTTErrorCode.MQTT_ERR_NO_CONN:
            # paho keeps it, and sends it when the node is back; to wait for that it wants another word here.
            one.rc = MQTTErrorCode.MQTT_ERR_AGAIN
        sent.append(one)
    return sent


async def acknowledged(sent: list[MQTTMessageInfo]) -> None:
    for one in sent:
        await asyncio.to_thread(one.wait_for_publish, 60)
        assert one.is_published()


def truth(numbers: range, start_s: int) -> dict[tuple[str, str], dict[str, float]]:
    """What every window and room must say, computed without Fogline."""
    windows: dict[tuple[str, str], list[float]] = {}
    for number in numbers:
        room, at, temp = reading(number, start_s)
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at // 10 * 10))
        windows.setdefault((start, room), []).append(temp)
    return {
        place: {"n": len(t), "total": round(sum(t), 2), "low": min(t), "high": max(t)}
        for place, t in windows.items()
    }


async def until_complete(directory: Path, expected: dict[tuple[str, str], dict[str, float]]) -> None:
    """Follow the results until every window is complete and says what it must."""
    follower = await start("results", "lab", "--follow", "--json", "--dir", str(directory))
    assert follower.stdout is not None
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    try:
        async with asyncio.timeout(60):
            while not agree(seen, expected):
                line = json.loads(await follower.stdout.readline())
                seen[line["window_start"], line["key"]["room"]] = line
    except TimeoutError:
        pytest.fail(f"expected {expected}\nfound {seen}")
    finally:
        follower.kill()
        await follower.communicate()


def agree(
    seen: dict[tuple[str, str], dict[str, Any]], expected: dict[tuple[str, str], dict[str, float]]
) -> bool:
    if seen.keys() != expected.keys():
        return False
    return all(
        line["status"] in {"complete", "revised"}
        and {**line["values"], "total": round(line["values"]["total"], 2)} == expected[place]
        for place, line in seen.items()
    )


@asynccontextmanager
async def devices(site: Site) -> AsyncIterator[list[Client]]:
    clients = [connect(port) for _, port in site.listeners]
    try:
        yield clients
    finally:
        for client in clients:
            client.disconnect()
            client.loop_stop()


def recently() -> int:
    """A window's start, long enough ago that all of the readings' time has passed."""
    return int(time.time()) // 10 * 10 - 60


@pytest.mark.timeout(300)
async def test_results_are_right_though_every_tier_is_killed_while_devices_publish(
    tmp_path: Path, spec: Path
) -> None:
    begin, numbers = recently(), range(6_000)
    async with Site(tmp_path / "up", spec) as site, devices(site) as clients:
        sent = []
        for tier, index, part in (
            ("node", 0, numbers[:1500]),
            ("aggregator", 0, numbers[1500:3000]),
            ("cloud", 0, numbers[3000:4500]),
            ("node", 1, numbers[4500:]),
        ):
            sent += publish(clients, part, begin)
            await site.kill(tier, index)
        await acknowledged(sent)

        await until_complete(site.folder, truth(numbers, begin))
        ledger = await settled_ledger(site)

    assert ledger["adds_up"], ledger["differences"]
    assert ledger["committed"] == len(numbers)
    assert ledger["steps"][0]["counted"] == len(numbers)


async def settled_ledger(site: Site) -> dict[str, Any]:
    """The stream's line once nothing is pending."""
    async with asyncio.timeout(60):
        while True:
            (line,) = await site.ledger()
            if line["pending"] == 0 and line["committed"] == line["journaled"]:
                return line
            await asyncio.sleep(0.2)  # a ledger is asked for, it sends no event


@pytest.mark.timeout(300)
async def test_the_next_up_goes_on_after_a_stop_and_after_the_supervisor_was_killed(
    tmp_path: Path, spec: Path
) -> None:
    begin, folder = recently(), tmp_path / "up"
    async with Site(folder, spec) as site:
        first = site.ready
        async with devices(site) as clients:
            await acknowledged(publish(clients, range(300), begin))
    assert not (folder / "up.json").exists()

    async with Site(folder, spec) as site:
        second = site.ready
        async with devices(site) as clients:
            await acknowledged(publish(clients, range(300, 600), begin))
        watched = [os.pidfd_open(pid) for pids in site.pids().values() for pid in pids]
        os.kill(second["pids"]["supervisor"], signal.SIGKILL)
        await asyncio.gather(*(gone(descriptor) for descriptor in watched))

    async with Site(folder, spec) as site:
        await until_complete(folder, truth(range(600), begin))
        assert all(site.ready[name] == second[name] == first[name] for name in ("mqtt", "grpc", "dashboard"))


async def gone(descriptor: int) -> None:
    """Wait until the process of a pidfd has ended."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    try:
        async with asyncio.timeout(60):
            await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


@pytest.mark.timeout(300)
async def test_a_spec_whose_stream_has_another_name_hides_nothing_that_was_shown(
    tmp_path: Path, spec: Path
) -> None:
    begin, folder, renamed = recently(), tmp_path / "up", tmp_path / "renamed.yaml"
    renamed.write_text(SPEC.replace("  room:", "  indoors:").replace("FROM room", "FROM indoors"))
    before = truth(range(300), begin - 30)
    async with Site(folder, spec) as site, devices(site) as clients:
        await acknowledged(publish(clients, range(300), begin - 30))
        await until_complete(folder, before)
    async with Site(folder, renamed) as site, devices(site) as clients:
        await acknowledged(publish(clients, range(300), begin))
        await until_complete(folder, before | truth(range(300), begin))


async def test_one_line_says_where_everything_is_and_a_second_up_is_refused(
    tmp_path: Path, spec: Path
) -> None:
    async with Site(tmp_path / "up", spec, nodes=1) as site:
        ready = site.ready
        assert list(ready) == [
            *("mqtt", "broker", "grpc", "token", "ca", "enrol", "rest", "dashboard", "metrics", "pids")
        ]
        assert re.fullmatch(r"mqtt://127\.0\.0\.1:\d+", ready["mqtt"][0])
        assert ready["broker"] is None
        assert re.fullmatch(r"127\.0\.0\.1:\d+", ready["grpc"])
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", ready["dashboard"])
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", ready["rest"])
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(f"{ready['rest']}/healthz")).json() == {"status": "serving"}
            asked = {"Authorization": f"Bearer {Path(ready['token']).read_text().strip()}"}  # noqa: ASYNC240
            assert (await http.get(f"{ready['rest']}/status", headers=asked)).is_success
            assert (await http.get(f"{ready['rest']}/status")).status_code == 401
            assert "token_missing" in (await http.get(f"{ready['rest']}/status")).text
        assert list(ready["metrics"]) == ["cloud", "aggregator", "dashboard", "node-1"]
        assert {name: len(pids) for name, pids in ready["pids"].items() if name != "supervisor"} == {
            "cloud": 1,
            "aggregator": 1,
            "node": 1,
            "dashboard": 1,
        }
        assert json.loads((site.folder / "up.json").read_text()) == ready

        code, out, err = await run("up", "--dir", str(site.folder), "--json", "--no-sensors")
        assert (code, out) == (1, "")
        assert f"already (process {ready['pids']['supervisor']})" in err

        # The commands find the server by the folder, and by its address.
        code, out, _ = await run("status", "--json", "--server", ready["grpc"])
        status = json.loads(out)
        assert [(n["name"], n["alive"]) for n in status["nodes"]] == [("node-1", True)]
        assert [p["name"] for p in status["pipelines"]] == ["lab"]


async def test_a_mistake_in_the_spec_ends_up_with_its_place(tmp_path: Path) -> None:
    spec = tmp_path / "wrong.yaml"
    spec.write_text(SPEC.replace("sum(temp)", "sum(tmp)"))

    code, out, err = await run(
        "up", "--dir", str(tmp_path / "up"), "--json", "--no-sensors", "--pipeline", str(spec)
    )
    assert (code, out) == (2, "")
    assert re.search(rf"^{re.escape(str(spec))}:8:\d+: ", err, re.MULTILINE), err


async def test_a_replay_goes_on_over_a_nodes_death_and_every_row_counts_once(
    tmp_path: Path, spec: Path
) -> None:
    begin, numbers = recently(), range(20_000)
    csv = tmp_path / "rows.csv"
    with csv.open("w") as file:
        file.write("ts,room,temp\n")
        file.writelines(f"{at},{room},{temp}\n" for room, at, temp in (reading(n, begin) for n in numbers))
    async with Site(tmp_path / "up", spec) as site:
        to = [part for url in site.ready["mqtt"] for part in ("--to", url)]
        replay = await start("replay", str(csv), *to, "--split", "room", "--topic", "lab/{room}", "--json")
        with fogline.Client(directory=site.folder) as client:
            while not all(n.journaled for n in client.status().nodes):  # noqa: ASYNC110 -- a status sends no event
                await asyncio.sleep(0.02)
        await site.kill("node", 0)
        await site.kill("node", 1)
        out, err = await replay.communicate()

        assert replay.returncode == 0, err.decode()
        assert json.loads(out)["acknowledged"] == len(numbers)
        await until_complete(site.folder, truth(numbers, begin))
