"""The site of deploy/compose: as compose reads it, and cloud, aggregator and node run by a real Engine."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.engine import DockerEngine
from tests.wheels import ROOT

pytestmark = [pytest.mark.timeout(600), pytest.mark.needs("docker-compose")]
COMPOSE = ROOT / "deploy" / "compose"
WITHIN_S = 200
SPEC = """
name: lab
streams:
  room: {mqtt: "lab/{room}/climate", format: json, time: ts, fields: {temp: float}}
steps:
  climate:
    sql: SELECT room, count(*) AS n, max(temp) AS temp FROM room GROUP BY room, TUMBLE(ts, INTERVAL '1 second')
late: {disorder: 0s, wait: 1m, keep: 1d}
"""


class Site:
    """A compose project of the test's own."""

    def __init__(self, secrets: Path, image: str) -> None:
        self.secrets = secrets
        self._environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": f"foglinetest{os.getpid()}",
            "FOGLINE_IMAGE": image,
            "FOGLINE_SECRETS": str(secrets),
            # Free ones of this machine.
            **{
                f"FOGLINE_{name}": "0"
                for name in (
                    *("PORT", "ENROL_PORT", "CHILDREN_PORT", "AGGREGATOR_PORT"),
                    *("MQTT_PORT", "BROKER_PORT"),
                )
            },
        }

    def compose(self, *arguments: str, given: str = "", files: tuple[str, ...] = ("compose.yml",)) -> str:
        named = [word for file in files for word in ("-f", str(COMPOSE / file))]
        if (often := self.secrets / "often.yml").exists():
            named += ["-f", str(often)]
        done = subprocess.run(
            ["docker-compose", *named, *arguments],
            env=self._environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fogline(self, *arguments: str) -> str:
        return self.compose("exec", "-T", "cloud", "fogline", *arguments)

    def log(self) -> str:
        return self.compose("logs", "--no-color")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    names = ("aggregator.token", "node.token", "grafana.password", "cloud.toml", "postgresql.password")
    for name in names:
        (tmp_path / name).write_text("\n")
    tmp_path.chmod(0o755)
    return Site(tmp_path, "fogline")


def test_compose_understands_both_files_and_what_they_mount_is_there(site: Site) -> None:
    read = yaml.safe_load(site.compose("config", files=("compose.yml", "postgresql.yml")))
    assert {"cloud", "dashboard", "aggregator", "node", "mosquitto", "postgresql"} <= set(read["services"])
    for service in read["services"].values():
        assert service["restart"] == "unless-stopped"
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
def running(docker_engine: DockerEngine, tier_image: str, tmp_path: Path) -> Iterator[Site]:
    tmp_path.chmod(0o755)
    site = Site(tmp_path, tier_image)
    for name in ("aggregator.token", "node.token", "grafana.password"):
        (tmp_path / name).write_text("\n")
        (tmp_path / name).chmod(0o644)
    # The image's own check, asked more often than on a small machine.
    services = {name: {"healthcheck": {"interval": "1s"}} for name in ("cloud", "aggregator", "node")}
    (tmp_path / "often.yml").write_text(yaml.safe_dump({"services": services}))
    try:
        yield site
    finally:
        site.compose("down", "--volumes", "--timeout", "30")


def test_machines_join_by_token_and_a_message_becomes_a_result(
    running: Site, docker_engine: DockerEngine
) -> None:
    running.compose("up", "--detach", "--no-build", "cloud")
    wait_healthy(running, docker_engine, "cloud")
    for role in ("aggregator", "node"):
        token = running.fogline("token", "create", "--name", f"the-{role}", "--role", role)
        (running.secrets / f"{role}.token").write_text(token)
    running.compose("up", "--detach", "--no-build", "aggregator", "node")
    for service in ("aggregator", "node"):
        wait_healthy(running, docker_engine, service)
    deploy = "cat >/tmp/lab.yaml && fogline deploy /tmp/lab.yaml --wait"
    running.compose("exec", "-T", "cloud", "sh", "-c", deploy, given=SPEC)

    port = int(running.compose("port", "node", "1883").rpartition(":")[2])
    publish(port, "lab/kitchen/climate", {"ts": time.time() - 2, "temp": 21.5})
    end = time.monotonic() + WITHIN_S
    while not (rows := running.fogline("results", "lab", "--since", "1h", "--json").splitlines()):
        assert time.monotonic() < end, running.log()
        time.sleep(0.5)
    [row] = [json.loads(row) for row in rows]
    assert "kitchen" in json.dumps(row)

    # A second start has no token to use, and needs none.
    running.compose("restart", "--timeout", "30", "node")
    wait_healthy(running, docker_engine, "node")


def publish(port: int, topic: str, message: object) -> None:
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        client.publish(topic, json.dumps(message), qos=1).wait_for_publish(WITHIN_S)
    finally:
        client.disconnect()
        client.loop_stop()


def wait_healthy(site: Site, engine: DockerEngine, service: str) -> None:
    end = time.monotonic() + WITHIN_S
    while True:
        container = site.compose("ps", "-q", service).strip()
        if container and engine.inspect(container)["State"]["Health"]["Status"] == "healthy":
            return
        assert time.monotonic() < end, site.log()
        time.sleep(0.5)
