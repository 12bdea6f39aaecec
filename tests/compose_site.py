"""The site of deploy/compose as a compose project of one's own, with images that no hub gave.

    with compose_site(engine, tier_image, folder) as site:
        site.compose("up", "--detach", "--no-build", *SERVICES)

Grafana is not among what is started: Debian has no package of it.
"""

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from docker.errors import APIError
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.engine import DockerEngine
from tests.site_images import site_images

ROOT: Final = Path(__file__).parents[1]
COMPOSE: Final = ROOT / "deploy" / "compose"
TIERS: Final = ("cloud", "aggregator", "node", "dashboard")
SERVICES: Final = (*TIERS, "mosquitto", "prometheus", "postgresql")
PORTS: Final = (
    *("FOGLINE_PORT", "FOGLINE_ENROL_PORT", "FOGLINE_CHILDREN_PORT", "FOGLINE_AGGREGATOR_PORT"),
    *("FOGLINE_MQTT_PORT", "FOGLINE_BROKER_PORT", "FOGLINE_DASHBOARD_PORT"),
    *("PROMETHEUS_PORT", "GRAFANA_PORT"),
)
WITHIN_S: Final = 200.0
GREETED_S: Final = 20.0


@dataclass(frozen=True)
class ComposeSite:
    """A project; ``files`` in the order that compose reads them."""

    name: str
    files: tuple[Path, ...] = (COMPOSE / "compose.yml", COMPOSE / "postgresql.yml")
    images: Mapping[str, str] = field(default_factory=dict)

    def compose(self, *arguments: str, given: str = "") -> str:
        """Run compose, which must succeed; what it wrote."""
        done = subprocess.run(
            ["docker-compose", *(word for file in self.files for word in ("-f", str(file))), *arguments],
            env={
                **os.environ,
                "COMPOSE_PROJECT_NAME": self.name,
                **self.images,
                # Free ones of this machine.
                **dict.fromkeys(PORTS, "0"),
            },
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def up(self) -> None:
        """Start all of it, as one would."""
        self.compose("up", "--detach", "--no-build", *SERVICES)


@dataclass(frozen=True)
class RunningSite(ComposeSite):
    """A site whose containers the Engine is asked about: compose itself takes a second a question."""

    engine: DockerEngine = field(kw_only=True)

    def container(self, service: str) -> dict[str, Any]:
        """What the Engine knows about a service's container. Raises :class:`LookupError` without one."""
        labels = [f"com.docker.compose.project={self.name}", f"com.docker.compose.service={service}"]
        found = self.engine.client.containers(all=True, filters={"label": labels})
        if not found:
            raise LookupError(f"{service} has no container")
        return self.engine.inspect(found[0]["Id"])

    def port(self, service: str, inside: int) -> int:
        """Where a service's port is on this machine. Raises as above while it does not run."""
        bound = self.container(service)["NetworkSettings"]["Ports"].get(f"{inside}/tcp")
        if not bound:
            raise LookupError(f"{service} does not run")
        return int(bound[0]["HostPort"])

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """What the command line where the cloud is answers in JSON; nothing if it fails."""
        client = self.engine.client
        try:
            asked = client.exec_create(
                self.container("cloud"), ["fogline", *arguments, "--json"], stderr=False
            )
            said = client.exec_start(asked)
        except APIError:
            return []
        return [json.loads(row) for row in said.splitlines()] if _succeeded(client, asked) else []

    def wait_healthy(self, *services: str) -> None:
        """Wait for the image's own check of each."""
        end = time.monotonic() + WITHIN_S
        for service in services:
            while self.container(service)["State"]["Health"]["Status"] != "healthy":
                assert time.monotonic() < end, self.compose("logs", "--no-color")
                time.sleep(0.2)

    def deploy(self, spec: str) -> None:
        """Give the nodes something to do, however long the cloud takes to answer."""
        end = time.monotonic() + WITHIN_S
        while True:
            try:
                self.compose("exec", "-T", "cloud", "fogline", "deploy", "/dev/stdin", "--wait", given=spec)
            except AssertionError:
                assert time.monotonic() < end, self.compose("logs", "--no-color", "--tail", "50")
            else:
                return


def _succeeded(client: Any, asked: Any) -> bool:
    return bool(client.exec_inspect(asked)["ExitCode"] == 0)


@contextmanager
def compose_site(engine: DockerEngine, tier_image: str, folder: Path) -> Iterator[RunningSite]:
    """A site whose checks come every 3 seconds and scrapes every second; gone at the end with all that it kept."""
    site = RunningSite(
        engine=engine,
        name=f"foglinetest{os.getpid()}",
        files=(COMPOSE / "compose.yml", COMPOSE / "postgresql.yml", _often(folder)),
        images={"FOGLINE_IMAGE": tier_image, **site_images(engine)},
    )
    try:
        yield site
    finally:
        site.compose("down", "--volumes", "--timeout", "1")


def _often(folder: Path) -> Path:
    config = folder / "prometheus.yml"
    shutil.copy(ROOT / "deploy" / "prometheus" / "prometheus.yml", config)
    config.write_text(config.read_text().replace(": 15s", ": 1s"))
    services: dict[str, object] = {name: {"healthcheck": {"interval": "3s"}} for name in TIERS}
    services["prometheus"] = {"volumes": [f"{config}:/etc/prometheus/prometheus.yml:ro"]}
    often = folder / "often.yml"
    often.write_text(yaml.safe_dump({"services": services}))
    return often


def publish(port: int, topic: str, *messages: object) -> None:
    """Messages at QoS 1 to a broker or listener of this machine; all are acknowledged when this returns.

    Raises OSError if nobody answers there, or no longer.
    """
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    greeted = threading.Event()
    client.on_connect = lambda *_: greeted.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        # Docker's own proxy takes connections before what is behind it does.
        if not greeted.wait(GREETED_S):
            raise ConnectionError(f"nobody greets at port {port}")
        for message in messages:
            sent = client.publish(topic, json.dumps(message), qos=1)
            sent.wait_for_publish(GREETED_S)
            if not sent.is_published():
                raise ConnectionError(f"nobody acknowledges at port {port}")
    except RuntimeError as error:
        raise ConnectionError(str(error)) from error
    finally:
        client.disconnect()
        client.loop_stop()
