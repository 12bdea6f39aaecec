"""A machine with systemd: installed and joined by the installer's line, killed, frozen, cut off, updated."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine import DockerEngine
from tests.joining_machine import ENVIRONMENT, UNIT, JoinedCloud, install, put_wheel, ready_machine
from tests.machine import PACKAGES, PYTHON, WITHIN_S, Machine

pytestmark = [pytest.mark.timeout(900), pytest.mark.needs("systemctl", "mosquitto_pub")]
BROKEN = {
    "fog_node/node.py": "async def run_node(*_, **__):\n    raise OSError('this release does not start')\n"
}
SPEC = """
name: lab
streams:
  room: {mqtt: "lab/{room}", format: json, time: ts, fields: {temp: float}}
steps:
  climate: {sql: "SELECT room, count(*) AS n FROM room GROUP BY room, TUMBLE(ts, INTERVAL '1 second')"}
late: {disorder: 0s, wait: 1m, keep: 1d}
"""


@pytest.fixture(scope="module")
def pi(
    docker_engine: DockerEngine, network: str, cloud: JoinedCloud, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """A machine that was made a node by the installer's line."""
    with ready_machine(docker_engine, network, "pi-1") as made:
        wheel = put_wheel(made, tmp_path_factory.mktemp("wheel"), "1.0")
        token = cloud.fogline("token", "create", "--name", "pi-1").split()[0]
        said = install(
            made, "--wheel", wheel, "--join", "cloud:7073", environment=(f"FOGLINE_JOIN_TOKEN={token}",)
        )
        assert "fogline-node runs" in said
        cloud.wait_for(lambda seen: [node["name"] for node in seen.rows("nodes")] == ["pi-1"], made)
        cloud.deploy(SPEC)
        yield made


def publish(pi: Machine, room: str) -> None:
    """A message at QoS 1 to the machine's own listener, as soon as it takes one."""
    message = json.dumps({"ts": time.time() - 2, "temp": 20.5})
    end = time.monotonic() + WITHIN_S
    while pi.tried("mosquitto_pub", "-V", "5", "-q", "1", "-t", f"lab/{room}", "-m", message).returncode:
        assert time.monotonic() < end, pi.journal()
        time.sleep(0.2)


def version(pi: Machine) -> str:
    return pi.run(
        "sh", "-c", f"cd / && PYTHONPATH={PACKAGES} /opt/fogline/current/bin/fogline --version"
    ).strip()


def test_what_joined_runs_takes_messages_and_may_do_little(pi: Machine, cloud: JoinedCloud) -> None:
    publish(pi, "hall")
    cloud.wait_for_room("hall", pi)
    assert pi.run("systemctl", "is-enabled", UNIT).strip() == "enabled"
    said = pi.run("systemd-analyze", "security", "--no-pager", UNIT)
    rated = re.search(r"Overall exposure level for .*: ([0-9.]+) ", said)
    assert rated is not None
    assert float(rated[1]) < 2
    # An Engine that hangs, or a time service without a network, must not keep messages from being taken.
    after = set(pi.run("systemctl", "show", "--property=After", UNIT).strip().removeprefix("After=").split())
    assert "network.target" in after
    assert not after & {"docker.service", "time-sync.target"}


def test_a_process_that_is_killed_or_hangs_is_started_again(pi: Machine, cloud: JoinedCloud) -> None:
    before = pi.process(UNIT)
    pi.run("systemctl", "kill", "--signal=KILL", UNIT)
    second = pi.wait_started_again(UNIT, before)
    pi.run("kill", "-STOP", str(second))
    pi.wait_started_again(UNIT, second)
    assert "Watchdog timeout" in pi.journal()
    publish(pi, "yard")
    cloud.wait_for_room("yard", pi)


def test_after_a_power_cut_it_comes_back_alone_and_keeps_what_it_takes_for_later(
    pi: Machine, cloud: JoinedCloud
) -> None:
    pi.unplug()
    try:
        pi.cut_power()
        pi.power_on()
        publish(pi, "roof")
    finally:
        pi.plug()
    cloud.wait_for_room("roof", pi)


def test_the_installer_again_changes_nothing_and_joins_no_second_time(pi: Machine) -> None:
    before = pi.run("sh", "-c", "sha256sum /var/lib/fogline/node/identity/* /etc/systemd/system/*.service")
    process = pi.process(UNIT)
    wheel = pi.run("sh", "-c", "ls /fogline/*.whl").strip()
    said = install(pi, "--wheel", wheel, "--join", "cloud:7073", "--token", "fj1.used")
    assert "keeps its identity" in said
    assert pi.process(UNIT) == process
    assert (
        pi.run("sh", "-c", "sha256sum /var/lib/fogline/node/identity/* /etc/systemd/system/*.service")
        == before
    )
    pi.wait_for("systemctl", "is-active", UNIT, said=r"^active")


def test_what_was_removed_comes_back_the_same_and_what_does_not_come_up_says_why(pi: Machine) -> None:
    identity = "sha256sum /var/lib/fogline/node/identity/*"
    before, wheel = pi.run("sh", "-c", identity), pi.run("sh", "-c", "ls /fogline/*.whl").strip()
    said = install(pi, "--remove")
    assert "kept: /var/lib/fogline/node, " in said
    assert "of the node, with its identity, with a journal whose messages may be nowhere else" in said
    assert pi.process(UNIT) == 0
    assert pi.tried("systemctl", "cat", UNIT).returncode != 0

    pi.put("/etc/fogline/node.toml", b"nonsense = 1\n")
    line = ("sh", "/fogline/install.sh", "--python", str(PYTHON), "--wheel", wheel)
    failed = pi.tried(*line, environment=ENVIRONMENT)
    assert failed.returncode == 1
    assert "nonsense" in failed.stdout
    assert "fogline-node does not come up" in failed.stdout

    pi.run("rm", "/etc/fogline/node.toml")
    assert "fogline-node runs" in pi.run(*line, environment=ENVIRONMENT)
    assert pi.run("sh", "-c", identity) == before


def test_an_update_stays_if_it_runs_and_goes_if_it_does_not_also_through_a_power_cut(
    pi: Machine, cloud: JoinedCloud, tmp_path: Path
) -> None:
    update = ("/opt/fogline/current/bin/fogline", "node", "update", "--wheel")
    done = pi.tried(*update, put_wheel(pi, tmp_path / "good", "1.1"), environment=ENVIRONMENT)
    assert done.returncode == 0, f"{done.stdout}\n{pi.journal()}"
    assert version(pi) == "fogline 1.1"

    broken = put_wheel(pi, tmp_path / "broken", "1.2", BROKEN)
    refused = pi.tried(*update, broken, "--within", "5s", environment=ENVIRONMENT)
    assert refused.returncode == 1
    assert "not up within 5 s" in refused.stdout
    assert version(pi) == "fogline 1.1"
    pi.wait_for("systemctl", "is-active", UNIT, said=r"^active")

    # Its power goes while the broken release is on trial, and with it whoever would have switched back.
    script = " ".join([*update, broken, "--within", "10m", ">/dev/null 2>&1 &"])
    pi.run("sh", "-c", script, environment=ENVIRONMENT)
    pi.wait_for("cat", "/opt/fogline/trial-starts", said=r"^[12]")
    pi.cut_power()
    pi.power_on()
    pi.wait_for("systemctl", "is-active", UNIT, said=r"^active")
    assert version(pi) == "fogline 1.1"
    publish(pi, "shed")
    cloud.wait_for_room("shed", pi)
