"""The installer on a machine with systemd: what goes wrong is said, and mended by the same line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine import DockerEngine
from tests.joining_machine import ENVIRONMENT, UNIT, JoinedCloud, install, put_wheel, ready_machine
from tests.machine import PYTHON, Machine

pytestmark = [pytest.mark.timeout(900), pytest.mark.needs("systemctl")]


@pytest.fixture
def pi(docker_engine: DockerEngine, network: str) -> Iterator[Machine]:
    with ready_machine(docker_engine, network, "pi-2") as made:
        yield made


def refused(pi: Machine, *arguments: str, token: str) -> str:
    """What the installer says when it gives up."""
    line = ("sh", "/fogline/install.sh", "--python", str(PYTHON), "--join", "cloud:7073", *arguments)
    done = pi.tried(*line, environment=(*ENVIRONMENT, f"FOGLINE_JOIN_TOKEN={token}"))
    assert done.returncode == 1, done.stdout
    return done.stdout


def test_every_fault_is_said_and_mended_by_the_same_line_and_then_it_goes(
    pi: Machine, cloud: JoinedCloud, tmp_path: Path
) -> None:
    wheel = put_wheel(pi, tmp_path, "1.0")
    token, closed = cloud.token("pi-2"), cloud.token("pi-3")
    for row in cloud.rows("token", "list"):
        if row["name"] == "pi-3":
            cloud.fogline("token", "revoke", row["id"])

    line = f"FOGLINE_JOIN_TOKEN={token} sh /fogline/install.sh --join cloud:7073"
    nobody = pi.tried("runuser", "-u", "nobody", "--", "sh", "-c", line)
    assert nobody.returncode == 1
    assert "run this as root" in nobody.stdout
    assert "is no join token" in refused(pi, "--wheel", wheel, token="nonsense")

    pi.run("mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", "/opt")
    assert "only 20 MB are free at /opt" in refused(pi, "--wheel", wheel, token=token)
    pi.run("umount", "/opt")
    # There is no index here: as on a machine without network.
    assert "pip could not install it" in refused(pi, "--version", "99", token=token)
    assert not pi.active(UNIT)

    said = refused(pi, "--wheel", wheel, token=f"{token[:-8]}AAAAAAAA")
    assert "token" in said
    assert "it is installed and has not joined" in said
    assert "has not joined" in refused(pi, token=closed)
    pi.unplug()
    said = refused(pi, token=token)
    assert "cloud:7073" in said
    pi.plug()
    assert "fogline-node runs" in install(
        pi, "--join", "cloud:7073", environment=(f"FOGLINE_JOIN_TOKEN={token}",)
    )
    cloud.wait_for(lambda seen: "pi-2" in {node["name"] for node in seen.rows("nodes")}, pi)

    assert "messages, identity and settings stay" in install(pi, "--remove")
    assert pi.tried("systemctl", "cat", f"{UNIT}.service").returncode != 0 or not pi.active(UNIT)
    assert pi.tried("test", "-e", "/opt/fogline").returncode == 1
    # What is kept makes it the same node again, without a token.
    assert "fogline-node runs" in install(pi, "--wheel", wheel)
    assert pi.active(UNIT)
