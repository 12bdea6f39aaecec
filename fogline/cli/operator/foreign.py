"""Wheels for another machine than this one. Imports nothing but the standard library: deploy/gather.py uses it, too."""

from dataclasses import dataclass
from typing import Final

ARCHITECTURES: Final = {"amd64": "x86_64", "arm64": "aarch64"}
"""By the name that images have: the name that wheels have."""

_GLIBC: Final = (17, 24, 27, 28, 31, 34)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The machine that will import it."""

    architecture: str
    """amd64 or arm64."""
    python: str = "3.11"


def foreign(target: Target) -> list[str]:
    """Options by which pip takes wheels for another machine than this one."""
    machine, digits = ARCHITECTURES[target.architecture], target.python.replace(".", "")
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in _GLIBC] + [f"manylinux2014_{machine}"]
    options = ["--python-version", target.python, "--implementation", "cp"]
    options += [word for abi in (f"cp{digits}", "abi3", "none") for word in ("--abi", abi)]
    return options + [word for name in platforms for word in ("--platform", name)]
