"""Every benchmark, one after the other, and how the figures stand to the aims.

    python -m bench.all [--minutes 5] [--only latency ...]

About 20 minutes and, on top, ``--minutes`` of memory under load (its slope says something from 30 on). Each
benchmark is a process of its own, prints its tables and writes ``bench/out/NAME.json``. One that fails is named, and
the others run all the same. The exit code says only whether all ran: the aims are aims for a quiet machine.
"""

import argparse
import subprocess
import sys
import time

from bench.aims import show_aims
from bench.report import OUT

BENCHES = {
    "engine": (),
    "journal": (),
    "start": (),
    "operator": (),
    "deploy": (),
    "join": (),
    "ingest": ("--seconds", "40"),
    "through_broker": ("--rounds", "5", "--messages", "800000", "300000"),
    "latency": (),
    "commit": (),
    "merge": (),
}
"""In this order; memory comes last."""


def main() -> None:
    """Run them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0, help="of memory under load; 0: none")
    parser.add_argument("--only", nargs="+", choices=(*BENCHES, "memory"), help="these alone")
    arguments = parser.parse_args()
    chosen: dict[str, tuple[str, ...]] = dict(BENCHES)
    if arguments.minutes:
        chosen["memory"] = ("--minutes", str(arguments.minutes))
    failed = []
    for name, given in chosen.items():
        if arguments.only and name not in arguments.only:
            continue
        print(f"\n==== {name} ({time.strftime('%H:%M:%S')})", flush=True)
        done = subprocess.run([sys.executable, "-m", f"bench.{name}", *given], check=False)
        if done.returncode:
            failed.append(name)
    show_aims(OUT)
    if failed:
        raise SystemExit(f"did not run to the end: {', '.join(failed)}")


if __name__ == "__main__":
    main()
