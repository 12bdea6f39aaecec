"""What a hostile operator tries: writes one JSON object of what came of it. Only the standard library."""

import ctypes
import errno
import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

MIB = 1024**2
MOUNT, UNSHARE, BPF = (165, 272, 321) if platform.machine() == "x86_64" else (40, 97, 280)
"""Numbers of system calls; new architectures have all the same."""


def outcome(work: Callable[[], object]) -> str:
    """What came of it: the error's name, or what was reached."""
    try:
        return f"reached: {work()}"
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, type(error).__name__)
    except Exception as error:  # noqa: BLE001 - a foreign attempt may fail in any way
        return type(error).__name__


def dial(family: int, address: object) -> str:
    """Connect."""
    with socket.socket(family) as client:
        client.settimeout(3)
        client.connect(address)  # type: ignore[arg-type] # of any family
        return "connected"


def fill(path: str, most: int) -> str:
    """Write until there is no room."""
    written = 0
    with Path(path).open("wb", buffering=0) as file:
        while written < most:
            written += file.write(bytes(MIB))
    return f"{written} bytes"


def fill_many(folder: str, most: int) -> str:
    """Make files until there is no room."""
    for number in range(most):
        Path(folder, f"f{number}").write_bytes(b"")
    return f"{most} files"


def forks(most: int) -> str:
    """Start processes until that is refused."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        while len(started) < most:
            started.append(subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"]))
    except OSError as error:
        return f"{errno.errorcode[error.errno or 0]} after {len(started)}"
    finally:
        for one in started:
            one.kill()
        for one in started:
            one.wait()
    return f"{most} processes"


def call(number: int, *arguments: int) -> str:
    """A system call by its number."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return "allowed"


def status(name: str) -> str:
    """A line of /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))


def main() -> None:
    """Try it all. ``HOST`` is an address of the host with ``PORT``, a service of its own."""
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "1"))
    tried = {
        "internet": outcome(lambda: dial(socket.AF_INET, ("192.0.2.1", 80))),
        "host_service": outcome(lambda: dial(socket.AF_INET, (host, port))),
        "docker_socket": outcome(lambda: dial(socket.AF_UNIX, "/var/run/docker.sock")),
        "host_abstract_sockets": outcome(lambda: len(Path("/proc/net/unix").read_text().splitlines()) - 1),
        "root_files": outcome(lambda: Path("/etc/x").write_bytes(b"x")),
        "host_passwords": outcome(lambda: Path("/proc/1/root/etc/shadow").read_bytes()),
        "host_processes": outcome(
            lambda: len([one for one in Path("/proc").iterdir() if one.name.isdigit()])
        ),
        "kernel_settings": outcome(lambda: Path("/proc/sys/kernel/hostname").write_bytes(b"x")),
        "become_root": outcome(lambda: os.setuid(0)),
        "mount": outcome(lambda: call(MOUNT, 0, 0, 0, 0, 0)),
        "new_user_namespace": outcome(lambda: call(UNSHARE, 0x10000000)),
        "load_bpf": outcome(lambda: call(BPF, 0, 0, 0)),
        "disk_at_tmp": outcome(lambda: fill("/tmp/fill", 512 * MIB)),
        "disk_at_shm": outcome(lambda: fill("/dev/shm/fill", 512 * MIB)),
        "disk_at_socket": outcome(lambda: fill("/run/fogline/fill", 512 * MIB)),
        "files_at_socket": outcome(lambda: fill_many("/run/fogline", 1000)),
        "fork_bomb": outcome(lambda: forks(2000)),
        "capabilities": status("CapEff"),
        "seccomp": status("Seccomp"),
        "no_new_privileges": status("NoNewPrivs"),
        "user": str(os.getuid()),
    }
    sys.stdout.write(json.dumps(tried) + "\n")
    sys.stdout.flush()
    time.sleep(3600)


if __name__ == "__main__":
    main()
