"""``fogline up`` over a broker and a database that were there before, each with a password."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from prometheus_client.parser import text_string_to_metric_families

from fogline.testing.mosquitto import Mosquitto
from tests.faults.site import Site
from tests.postgres import ESCAPED, PASSWORD, PostgresServer
from tests.prometheus import read

SECRET = "geh@im"
WITHIN_S = 60.0
ROOMS, READINGS = 20, 600
SPEC = """
name: lab
streams:
  room: {mqtt: "lab/{room}", format: json, time: ts, fields: {temp: float}}
steps:
  climate: {sql: "SELECT room, count(*) AS n FROM room GROUP BY room, TUMBLE(ts, INTERVAL '10 seconds')"}
late: {disorder: 1s, wait: 1m, keep: 1d}
"""


async def passwords(folder: Path) -> Path:
    file = folder / "passwd"
    process = await asyncio.create_subprocess_exec("mosquitto_passwd", "-b", "-c", str(file), "fog", SECRET)
    assert await process.wait() == 0
    return file


def command_lines() -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # it has just ended
    return found


async def connected(site: Site) -> dict[str, float]:
    """Whether each node is connected to its broker, by the node's own metrics."""
    found = {}
    for name, url in site.ready["metrics"].items():
        if name.startswith("node"):
            text = (await asyncio.to_thread(read, url)).decode()
            for family in text_string_to_metric_families(text):
                if family.name == "fogline_node_broker_connected":
                    found[name] = family.samples[0].value
    return found


async def settled(site: Site) -> dict[str, Any]:
    async with asyncio.timeout(WITHIN_S):
        while True:
            (line,) = await site.ledger()
            if line["committed"] >= READINGS and not line["pending"]:
                return line
            await asyncio.sleep(0.2)  # a ledger is asked for, it sends no event


@pytest.mark.timeout(300)
@pytest.mark.needs("mosquitto", "mosquitto_passwd")
async def test_nodes_share_a_broker_the_cloud_commits_into_a_database_and_nobody_sees_a_password(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    spec = tmp_path / "lab.yaml"
    spec.write_text(SPEC)
    users = (f"password_file {await passwords(tmp_path)}", "allow_anonymous false")
    quick = ("autosave_on_changes false", "autosave_interval 1800")
    async with Mosquitto(tmp_path / "broker", *users, *quick) as broker:
        url = f"mqtt://fog:geh%40im@127.0.0.1:{broker.port}"
        given = ("--broker", url, f"--store={postgres.database()}")
        async with Site(tmp_path / "up", spec, *given) as site:
            assert site.ready["broker"] == broker.url
            async with asyncio.timeout(WITHIN_S):
                while await connected(site) != {"node-1": 1.0, "node-2": 1.0}:  # noqa: ASYNC110 - a scrape
                    await asyncio.sleep(0.1)
            async with aiomqtt.Client(
                "127.0.0.1", broker.port, username="fog", password=SECRET, timeout=WITHIN_S
            ) as client:
                start = int(time.time()) // 10 * 10 - 30
                for number in range(READINGS):
                    payload = f'{{"ts": {start + number % 10}, "temp": {number}}}'
                    await client.publish(f"lab/{number % ROOMS}", payload, qos=1)
            line = await settled(site)
            assert (line["adds_up"], line["committed"]) == (True, READINGS), line

            told = [SECRET, "geh%40im", PASSWORD, ESCAPED]
            lines = await asyncio.to_thread(command_lines)
            assert not [line for line in lines if any(secret in line for secret in told)]
            said = site.logs() + (site.folder / "up.json").read_text()
            assert not any(secret in said for secret in told)
            for file in (site.folder / "settings").iterdir():
                assert file.stat().st_mode & 0o077 == 0, file
            assert not list((site.folder / "cloud").glob("store.sqlite*"))
        assert os.listdir(tmp_path / "up" / "settings")  # noqa: PTH208 - still there for the next run
