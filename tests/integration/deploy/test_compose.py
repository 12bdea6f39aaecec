"""The site of deploy/compose without Grafana: from `up` in a fresh folder to a result, through kills and `down`."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.compose_site import COMPOSE, ROOT, TIERS, WITHIN_S, ComposeSite, RunningSite, compose_site, publish
from tests.engine import DockerEngine
from tests.prometheus import Prometheus, panels, read, shows_something

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.needs("docker-compose", "mosquitto", "prometheus", "setpriv"),
]
SPEC = """
name: lab
streams:
  room: {mqtt: "lab/{room}/climate", format: json, time: ts, fields: {temp: float}}
steps:
  climate:
    sql: SELECT room, count(*) AS n, max(temp) AS temp FROM room GROUP BY room, TUMBLE(ts, INTERVAL '1 second')
late: {disorder: 0s, wait: 1m, keep: 1d}
"""
QUIET = {"Connections turned away or ended", "Windows that may still change"}
"""Panels with nothing to show where nothing is wrong."""


def test_compose_understands_both_files_and_what_they_mount_is_there() -> None:
    read = yaml.safe_load(ComposeSite(name="fogline").compose("config"))
    assert {*TIERS, "mosquitto", "prometheus", "grafana", "postgresql"} <= set(read["services"])
    for name, service in read["services"].items():
        assert service["restart"] == ("no" if name in {"secrets", "tokens"} else "unless-stopped")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith("/") or Path(source).exists(), source


def test_prometheus_and_grafana_find_each_other_and_the_tiers() -> None:
    sources: dict[str, Any] = yaml.safe_load((COMPOSE / "datasource.yml").read_text())
    shipped = ROOT / "deploy" / "grafana" / "provisioning" / "datasources" / "fogline.yml"
    [source], [usual] = sources["datasources"], yaml.safe_load(shipped.read_text())["datasources"]
    assert source | {"url": ""} == usual | {"url": ""}
    services = yaml.safe_load((COMPOSE / "compose.yml").read_text())["services"]
    hosts = [
        target
        for group in yaml.safe_load((COMPOSE / "targets.yml").read_text())
        for target in group["targets"]
    ]
    assert {source["url"].split("/")[2].split(":")[0], *(host.split(":")[0] for host in hosts)} <= set(
        services
    )


@pytest.fixture
def site(docker_engine: DockerEngine, tier_image: str, tmp_path: Path) -> Iterator[RunningSite]:
    tmp_path.chmod(0o755)
    with compose_site(docker_engine, tier_image, tmp_path) as running:
        yield running


async def test_one_command_starts_a_site_that_survives_kills_and_keeps_what_it_had(
    site: RunningSite,
) -> None:
    site.up()
    site.wait_healthy(*TIERS, "postgresql")
    site.deploy(SPEC)
    send(site, "kitchen", "hall")
    wait_for_rooms(site, {"kitchen", "hall"})

    page = await asyncio.to_thread(read, f"http://127.0.0.1:{site.port('dashboard', 8080)}/")
    assert b"Fogline" in page
    await the_board_shows_something(site)

    # As a crash does; `docker kill` would count as a wish that it stays away.
    for service in ("cloud", "aggregator", "node", "mosquitto", "postgresql"):
        os.kill(site.container(service)["State"]["Pid"], signal.SIGKILL)
    send(site, "cellar", "attic")
    wait_for_rooms(site, {"kitchen", "hall", "cellar", "attic"})

    site.compose("down", "--timeout", "30")
    site.up()
    site.wait_healthy(*TIERS)
    send(site, "roof", "yard")
    wait_for_rooms(site, {"kitchen", "hall", "cellar", "attic", "roof", "yard"})


def send(site: RunningSite, to_node: str, to_broker: str) -> None:
    """One message from a room to each of the two places where devices publish, as soon as these answer."""
    for room, service in ((to_node, "node"), (to_broker, "mosquitto")):
        end = time.monotonic() + WITHIN_S
        while True:
            try:
                publish(
                    site.port(service, 1883), f"lab/{room}/climate", {"ts": time.time() - 2, "temp": 21.5}
                )
                break
            except (OSError, LookupError):
                assert time.monotonic() < end, site.compose("logs", "--no-color", "--tail", "50")
                time.sleep(0.5)


def wait_for_rooms(site: RunningSite, rooms: set[str]) -> None:
    """Wait until there is a result of each room."""
    end = time.monotonic() + WITHIN_S
    seen: set[str] = set()
    while not rooms <= seen:
        assert time.monotonic() < end, (seen, site.compose("logs", "--no-color", "--tail", "50"))
        seen = {row["key"]["room"] for row in site.rows("results", "lab", "--since", "1h")}


async def the_board_shows_something(site: RunningSite) -> None:
    """Wait until every target is up and every panel has a series, with messages all the while."""
    server = Prometheus(f"http://127.0.0.1:{site.port('prometheus', 9090)}")
    waiting = {title: queries for title, queries in panels() if title not in QUIET}
    end = time.monotonic() + WITHIN_S
    while waiting:
        assert time.monotonic() < end, waiting.keys()
        send(site, "kitchen", "hall")
        waiting = {
            title: asked for title, asked in waiting.items() if not await shows_something(server, asked)
        }
    targets = (await server.get("/api/v1/targets"))["activeTargets"]
    assert {target["labels"]["tier"] for target in targets} == set(TIERS)
    assert {target["health"] for target in targets} == {"up"}, targets
