"""What runs inside the containers of the tests: does what its first argument says. Only the standard library."""
# ruff: noqa: T201 - what it writes is what tests read

import os
import signal
import socket
import subprocess
import sys
import threading
import time


def serve() -> None:
    """Answer every line on the operator's socket with the line and what GREETING says."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.environ["FOGLINE_SOCKET"])
        server.listen()
        print("serving", flush=True)
        print("a warning", file=sys.stderr, flush=True)
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection, connection.makefile("rw") as lines:
        for line in lines:
            lines.write(f"{line.strip()} {os.environ.get('GREETING', '')}\n")
            lines.flush()


def wait() -> None:
    """Do nothing, and end when told to."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("waiting", flush=True)
    while True:
        time.sleep(3600)


def stubborn() -> None:
    """Do nothing, and do not end when told to."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("waiting", flush=True)
    while True:
        time.sleep(3600)


def fail() -> None:
    """End at once with a code and last words."""
    print("the model file is missing", file=sys.stderr, flush=True)
    sys.exit(3)


def burn() -> None:
    """Use all the CPU there is."""
    print("burning", flush=True)
    while True:
        pass


def eat() -> None:
    """Take memory until there is none."""
    held = []
    while True:
        held.append(bytearray(os.urandom(1024)) * 1024)


def fork() -> None:
    """Start processes until that is refused, say so, and go on."""
    started = []
    try:
        while True:
            started.append(subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(3600)"]))
    except (OSError, subprocess.SubprocessError):
        print(f"refused after {len(started)}", flush=True)
    wait()


def flood() -> None:
    """Write without end."""
    line = b"x" * 1023 + b"\n"
    while True:
        os.write(1, line * 64)


def main() -> None:
    """Do what the first argument says."""
    globals()[sys.argv[1]]()


if __name__ == "__main__":
    main()
