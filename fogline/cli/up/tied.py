"""Run a program that ends when the process that started it ends: ``tied.py PARENT PROGRAM ARGUMENT...``.

A script of its own, run by a bare interpreter: the kernel's promise is asked for in the child, between fork
and exec, where a supervisor with gRPC's threads must not run Python. Nothing of it stays in the program's
memory.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask for SIGKILL at the parent's death, then become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    # SIGKILL: data is safe at any instant, and one that lingers would keep its ports from the next `up`.
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)
    os.execv(program[0], program)  # noqa: S606 -- no shell is wanted


if __name__ == "__main__":
    main()
