"""Become a program under limits that ends with the node: ``launch.py LIMITS PROGRAM ARGUMENT...``.

A script of its own, run by a bare interpreter: limits are set in the child, between fork and exec, where an agent with
gRPC's threads must not run Python. Nothing of it stays in the program's memory.
"""

import ctypes
import json
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Take the limits, ask for SIGKILL at the parent's death, then become the program."""
    limits, program = json.loads(sys.argv[1]), sys.argv[2:]
    for name, value in limits["rlimits"].items():
        number = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(number)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (most, most))
    os.nice(limits["nice"])
    # An operator without its node serves nobody, and keeps its memory from the next one.
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != limits["parent"]:  # it died before we asked
        sys.exit(1)
    os.execv(program[0], program)  # noqa: S606 -- no shell is wanted


if __name__ == "__main__":
    main()
