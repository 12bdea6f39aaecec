"""A Linux machine with systemd as its first process, as a container: to be installed on, killed, rebooted, cut off.

    with machine(engine, network, "pi-1") as pi:
        pi.run("sh", "/fogline/install.sh", "--help")

Its programs are this machine's own (/usr, read-only), all else is new at each start of a test. Everything that may be
written is its own, and is there again after a power cut, but for /run and /tmp. With ``tree`` it is another system: an
archive as debootstrap makes it.
"""

import re
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.engine import DockerEngine
from tests.images import ImageFile, layer, make_image

ROOT: Final = Path(__file__).parents[1]
WITHIN_S: Final = 200.0
PACKAGES: Final = "/opt/packages"
"""Where a machine finds what Fogline needs, without an index and in no time."""
PYTHON: Final = Path("/usr/bin/python3")
CAPABILITIES: Final = (
    *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP"),
    *(
        "LINUX_IMMUTABLE",
        "NET_BIND_SERVICE",
        "NET_BROADCAST",
        "NET_ADMIN",
        "NET_RAW",
        "IPC_LOCK",
        "IPC_OWNER",
    ),
    *(
        "SYS_MODULE",
        "SYS_RAWIO",
        "SYS_CHROOT",
        "SYS_PTRACE",
        "SYS_PACCT",
        "SYS_ADMIN",
        "SYS_BOOT",
        "SYS_NICE",
    ),
    *(
        "SYS_RESOURCE",
        "SYS_TIME",
        "SYS_TTY_CONFIG",
        "MKNOD",
        "LEASE",
        "AUDIT_WRITE",
        "AUDIT_CONTROL",
        "SETFCAP",
    ),
    *("MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ"),
)
"""By their numbers."""
# The Engine mounts these read-only for containers that are not privileged, and privileged ones want capabilities that
# this machine itself may not have.
BOOT: Final = """\
mount -o remount,bind,rw /sys
for folder in /sys/fs/cgroup /sys/fs/cgroup/*; do mount -o remount,bind,rw "$folder" 2>/dev/null || true; done
exec /lib/systemd/systemd
"""
LEFT_OUT: Final = (
    *("systemd/system", "systemd/network", "docker", "init.d", "cron.d", "hostname", "hosts", "resolv.conf"),
    *(
        "machine-id",
        "mtab",
        "fstab",
        "postgresql",
        "prometheus",
        "fogline",
        "ld.so.preload",
        "udev",
        "sysctl.d",
    ),
)
FOLDERS: Final = (
    "dev",
    "etc/systemd/system",
    "opt",
    "proc",
    "root",
    "run",
    "srv",
    "sys",
    "tmp",
    "var/lib",
    "var/log",
)


class MachineAbsent(Exception):
    """This machine has not what another one is made of."""


@dataclass(frozen=True)
class Machine:
    """A running one."""

    engine: DockerEngine
    id: str
    network: str

    def run(self, *command: str, environment: Sequence[str] = (), check: bool = True) -> str:
        """Run something on it as root; what it wrote, errors too."""
        done = self.tried(*command, environment=environment)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}"
        return done.stdout

    def tried(self, *command: str, environment: Sequence[str] = ()) -> "subprocess.CompletedProcess[str]":
        """The same, which may fail."""
        client = self.engine.client
        asked = client.exec_create(self.id, list(command), environment=list(environment))
        said = client.exec_start(asked).decode()
        return subprocess.CompletedProcess(command, client.exec_inspect(asked)["ExitCode"], said)

    def put(self, path: str, content: bytes) -> None:
        """Write a file there."""
        assert self.engine.client.put_archive(self.id, "/", layer({path: content}))

    def wait_booted(self) -> None:
        """Wait until systemd has started all that it wants to."""
        self.wait_for("systemctl", "is-system-running", said=r"running|degraded")

    def wait_for(self, *command: str, said: str) -> str:
        """Wait until a command answers this."""
        end = time.monotonic() + WITHIN_S
        while not re.search(said, answer := self.run(*command, check=False)):
            assert time.monotonic() < end, f"{command}: {answer}\n{self.journal()}"
            time.sleep(0.2)
        return answer

    def process(self, unit: str) -> int:
        """The unit's main process; 0 without one."""
        return int(self.run("systemctl", "show", "--property=MainPID", "--value", unit) or 0)

    def wait_started_again(self, unit: str, before: int) -> int:
        """Wait until another process than this one is ready."""
        end = time.monotonic() + WITHIN_S
        while (process := self.process(unit)) in (0, before) or not self.active(unit):
            assert time.monotonic() < end, self.journal()
            time.sleep(0.1)
        return process

    def active(self, unit: str) -> bool:
        """Whether it is ready."""
        return self.run("systemctl", "is-active", unit, check=False).strip() == "active"

    def journal(self) -> str:
        """What the machine says."""
        return self.run("journalctl", "--no-pager", "--lines", "60", check=False)

    def cut_power(self) -> None:
        """It is off at once; /run and /tmp are gone."""
        self.engine.client.kill(self.id)
        self.engine.client.wait(self.id)

    def power_on(self) -> None:
        """Boot."""
        self.engine.client.start(self.id)
        self.wait_booted()

    def unplug(self) -> None:
        """No network any more."""
        self.engine.client.disconnect_container_from_network(self.id, self.network)

    def plug(self) -> None:
        """The network again."""
        self.engine.client.connect_container_to_network(self.id, self.network)


@contextmanager
def machine(engine: DockerEngine, network: str, name: str, *, tree: str = "") -> Iterator[Machine]:
    """A machine that has booted; ``tree``: an image of another whole system. Raises :class:`MachineAbsent`."""
    binds = {} if tree else {"/usr": "/usr", sysconfig.get_path("purelib"): PACKAGES}
    client = engine.client
    host = client.create_host_config(
        binds={there: {"bind": here, "mode": "ro"} for there, here in binds.items()},
        network_mode=network,
        cap_add=_capabilities(),
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        device_cgroup_rules=["a *:* rwm"],
        tmpfs={"/run": "exec", "/run/lock": "", "/tmp": "exec"},
    )
    host |= {"MaskedPaths": [], "ReadonlyPaths": []}
    made = client.create_container(
        tree or engine.load(_system()).rpartition("@")[2],
        ["sh", "-c", BOOT],
        hostname=name,
        volumes=["/var/lib/docker"],
        environment={
            "container": "docker",
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        },
        host_config=host,
    )
    try:
        client.start(made)
        booted = Machine(engine, made["Id"], network)
        booted.wait_booted()
        yield booted
    finally:
        client.remove_container(made, force=True, v=True)


def check_present() -> None:
    """Raises :class:`MachineAbsent` if this machine has not what another one is made of."""
    version = subprocess.run(
        [PYTHON, "-c", "import sys; print(*sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=False,
    )
    if version.stdout.split() != [str(part) for part in sys.version_info[:2]]:
        raise MachineAbsent(f"needs {PYTHON} of the version that runs the tests")
    if not Path("/lib/systemd/systemd").exists() or not Path("/bin").is_symlink():
        raise MachineAbsent("needs systemd in a merged /usr (Debian: systemd)")


def _system() -> ImageFile:
    """A root folder for this machine's /usr, with a fresh copy of its /etc."""
    check_present()
    files: dict[str, bytes | Path | str] = {f"/{folder}/.keep": b"" for folder in FOLDERS}
    files |= {
        str(link): str(link.readlink())
        for link in Path("/").iterdir()
        if link.is_symlink() and str(link.readlink()).startswith("usr/")
    }
    # A machine without an id boots for the first time, and then systemd enables whatever lies in /usr.
    files["/etc/machine-id"] = b"5eedf09119e000000000000000000001\n"
    etc = Path("/etc")
    for path in sorted(etc.rglob("*")):
        within = str(path.relative_to(etc))
        if within.startswith(LEFT_OUT):
            continue
        if path.is_symlink():
            files[str(path)] = str(path.readlink())
        elif path.is_file():
            files[str(path)] = path
    return make_image((layer(files),), entrypoint=())


def _capabilities() -> list[str]:
    """All that this machine itself may have, and Debian's Engine knows."""
    bounding = re.search(r"CapBnd:\s*(\w+)", Path("/proc/self/status").read_text())
    assert bounding is not None
    return [name for bit, name in enumerate(CAPABILITIES) if int(bounding[1], 16) >> bit & 1]
