"""What an operator imports, put into a folder for another machine: the SDK itself, and packages as wheels.

Nothing is run on the other machine's architecture, so an image for arm64 is made on amd64 without emulation.
"""

import compileall
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import fogline
from fogline.cli.operator.foreign import ARCHITECTURES, Target, foreign
from fogline.model.errors import InvalidInput, Unavailable

LIBRARIES: Final = ("numpy>=2.4,<3", "grpcio==1.85.1", "protobuf>=7.36.2,<8")
"""What the SDK imports (pyproject.toml says the same)."""

_SHOWN: Final = 12
_TOO_MUCH: Final = (
    "cli",
    "demo",
    "client",
    "spec",
    "sql",
    "uplink",
    "intake",
    "control",
    "service",
    "testing",
)


def put_sdk(site: Path) -> None:
    """Put the running release's SDK into a folder, as far as operators import it."""
    source = Path(fogline.__file__).parent
    shutil.copytree(
        source,
        site / "fogline",
        ignore=lambda folder, names: [
            name for name in names if name == "__pycache__" or (Path(folder) == source and name in _TOO_MUCH)
        ],
    )


def put_packages(requirements: Sequence[str], site: Path, target: Target, wheels: Path | None) -> None:
    """Put packages with all that they need into a folder; only from ``wheels`` if given, else from the index.

    Raises :class:`InvalidInput` for what has no wheel, and :class:`Unavailable` without pip.
    """
    if not requirements:
        return
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-compile", "--only-binary=:all:", "--target", str(site), *foreign(target)]
    if wheels is not None:
        command += ["--no-index", "--find-links", str(wheels)]
    done = subprocess.run([*command, *requirements], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    if "No module named pip" in done.stderr:
        raise Unavailable(
            "this Python has no pip", hint="`python -m ensurepip`, or install Debian's python3-pip"
        )
    lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
    for line in lines[:-_SHOWN]:
        sys.stderr.write(f"{line}\n")
    said = "; ".join(line.removeprefix("ERROR: ") for line in lines[-2:])
    where = f"in {wheels}" if wheels else "at the package index"
    raise InvalidInput(
        f"not every package is there for {ARCHITECTURES[target.architecture]} and Python {target.python}: {said}",
        hint=f"every package needs a wheel {where}; without an index name a folder of them: --wheels DIR",
    )


def compile_ahead(site: Path, target: Target, there: str = "/app/site") -> None:
    """Compile all of it, which will lie ``there``, if this Python writes what that one reads.

    The operator then starts in half the time.
    """
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    if running == target.python:
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        compileall.compile_dir(site, quiet=2, invalidation_mode=mode, stripdir=str(site), prependdir=there)
