"""A real Prometheus with the shipped configuration and rules over a real `fogline up`, asked what the board asks."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from tests.faults.house import free_port
from tests.faults.site import Site
from tests.prometheus import SILENT, Prometheus, panels, read, shows_something

ROOT = Path(__file__).parents[2]
WITHIN_S = 60.0
SPEC = """
name: lab
streams:
  room: {mqtt: "lab/{room}", format: json, time: ts, fields: {temp: {type: float, resolution: 0.01}}}
steps:
  climate: {sql: "SELECT room, count(*) AS n FROM room GROUP BY room, TUMBLE(ts, INTERVAL '1 second')"}
late: {disorder: 100ms, wait: 1m, keep: 1d}
"""


@asynccontextmanager
async def prometheus(folder: Path, metrics: dict[str, str]) -> AsyncIterator[Prometheus]:
    """The shipped folder with quick scrapes and these targets."""
    shutil.copytree(ROOT / "deploy" / "prometheus", folder)
    config = folder / "prometheus.yml"
    config.write_text(config.read_text().replace(": 15s", ": 500ms"))
    targets = [
        {"targets": [urllib.parse.urlsplit(url).netloc], "labels": {"tier": name.partition("-")[0]}}
        for name, url in metrics.items()
    ]
    (folder / "targets" / "site.yml").write_text(json.dumps(targets))
    port = free_port()
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            stdout=log,
            stderr=log,
        )
    try:
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 30)
        except TimeoutError:
            process.kill()
            await process.wait()


def publish(client: Client) -> None:
    for number in range(20):
        client.publish(f"lab/{number}", json.dumps({"ts": time.time(), "temp": 20.5}), qos=1)


@pytest.mark.timeout(300)
@pytest.mark.needs("prometheus", "promtool")
async def test_every_panel_of_the_board_shows_something_and_every_rule_can_be_evaluated(
    tmp_path: Path,
) -> None:
    spec = tmp_path / "lab.yaml"
    spec.write_text(SPEC)
    async with (
        Site(tmp_path / "up", spec, nodes=1) as site,
        prometheus(tmp_path / "prometheus", site.ready["metrics"]) as server,
    ):
        ((host, port),) = site.listeners
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"test-{os.getpid()}", protocol=MQTTv5)
        client.connect(host, port)
        client.loop_start()
        try:
            waiting, give_up = dict(panels()), time.monotonic() + WITHIN_S
            while waiting.keys() - SILENT and time.monotonic() < give_up:
                publish(client)
                waiting = {t: q for t, q in waiting.items() if not await shows_something(server, q)}
                await asyncio.sleep(0.2)
        finally:
            client.disconnect()
            client.loop_stop()
        assert waiting.keys() <= SILENT
        for _, expressions in panels():
            for expression in expressions:
                await server.vector(expression)

        targets = (await server.get("/api/v1/targets"))["activeTargets"]
        assert {t["health"] for t in targets} == {"up"}, targets
        assert len(targets) == len(site.ready["metrics"])
        groups = (await server.get("/api/v1/rules"))["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        assert len(rules) > 20
        assert {rule["health"] for rule in rules} <= {"ok", "unknown"}, rules
        alerts = (await server.get("/api/v1/alerts"))["alerts"]
        firing = {a["labels"]["alertname"] for a in alerts if a["state"] == "firing"}
        assert not firing, alerts

        for url in site.ready["metrics"].values():
            text = await asyncio.to_thread(read, url)
            done = await asyncio.to_thread(
                subprocess.run, ["promtool", "check", "metrics"], input=text, capture_output=True, check=False
            )
            assert (done.returncode, done.stderr) == (0, b""), done
