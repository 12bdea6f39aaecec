"""Operators that benchmarks make as users do: with ``fogline operator new`` and ``build``."""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

RUNTIMES: Final = ("docker", "process")


def flags_of_operators(parser: argparse.ArgumentParser) -> None:
    """Which runtimes, and over which base image."""
    parser.add_argument("--runtimes", nargs="+", default=list(RUNTIMES), choices=RUNTIMES)
    parser.add_argument("--base", default="", help="base image of operators [default: made, and removed]")


def operator_folder(folder: Path, name: str, source: str) -> Path:
    """A folder with an operator's source; ``source`` calls it ``deployed``."""
    made = folder / name
    fogline("operator", "new", name, cwd=folder)
    module = made / f"{name.replace('-', '_')}.py"
    module.write_text(source.replace("deployed", module.stem))
    return made


@contextmanager
def built(operator: Path, runtime: str, *, bundles: Path, base: str = "") -> Iterator[str]:
    """The reference of its image, or of its bundle in ``bundles``; images are removed afterwards."""
    if runtime == "process":
        said = fogline("operator", "build", str(operator), "--process", "--into", str(bundles))
        yield said.splitlines()[-1]
        return
    tag = base or fogline("operator", "base", "--tag", "bench").splitlines()[-1].partition("@")[0]
    image = fogline("operator", "build", str(operator), "--base", tag).splitlines()[-1]
    try:
        yield image
    finally:
        for made in (image, *([] if base else [tag])):
            name = made.partition("@")[0]
            subprocess.run(["docker", "image", "rm", "--force", name], check=False, capture_output=True)


def fogline(*words: str, cwd: Path | None = None) -> str:
    """What a command prints; ends the benchmark if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "fogline", *words], capture_output=True, text=True, check=False, cwd=cwd
    )
    if done.returncode:
        raise SystemExit(f"fogline {' '.join(words)}: {done.stderr}")
    return done.stdout
