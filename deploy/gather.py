# ruff: noqa: INP001 - it is a script, not a module
"""For the Dockerfile: puts Fogline and what it needs into the environment of the image, ``gather.py TIERS [ARCH]``.

Of another architecture than this machine's nothing is run: its packages are wheels, which are only unpacked.
"""

import platform
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = "/src"
ENVIRONMENT = Path("/opt/fogline")

sys.path.insert(0, SOURCE)
from fogline.cli.operator.foreign import ARCHITECTURES, Target, foreign  # noqa: E402 - it is found in the source


def main() -> None:
    """Install, as the arguments say."""
    tiers, architecture = (*sys.argv[1:], "")[:2]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    site = ENVIRONMENT / "lib" / f"python{python}" / "site-packages"
    options: list[str] = []
    if architecture and ARCHITECTURES.get(architecture) != platform.machine():
        if architecture not in ARCHITECTURES:
            sys.exit(f"no image for {architecture} is made here: {', '.join(ARCHITECTURES)}")
        options = ["--only-binary=:all:", "--target", str(site)]
        options += foreign(Target(architecture=architecture, python=python))
    pip = [sys.executable, "-m", "pip", "--python", str(ENVIRONMENT / "bin" / "python")]
    install = ["install", "--no-cache-dir", "--disable-pip-version-check"]
    subprocess.run([*pip, *install, *options, f"{SOURCE}[{tiers}]"], check=True)
    if options:
        for program in (site / "bin").iterdir():
            shutil.move(program, ENVIRONMENT / "bin" / program.name)


if __name__ == "__main__":
    main()
