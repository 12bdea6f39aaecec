"""deploy/install.sh, below a folder instead of on the machine."""

import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Final

from tests.wheels import ROOT

INSTALL: Final = ROOT / "deploy" / "install.sh"
WITHIN_S: Final = 300.0


def environment(**more: str) -> dict[str, str]:
    """What wheels need is taken from here: nothing is asked for."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_COMPILE": "1",
        **more,
    }


def install(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end; ``more`` of an environment."""
    return subprocess.run(
        [INSTALL, *arguments],
        env=environment(**more),
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_S,
    )
