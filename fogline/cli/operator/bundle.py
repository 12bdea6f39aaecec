"""Operator bundles: what the process runtime runs, one archive named by its content."""

import hashlib
import platform
import tempfile
from pathlib import Path
from typing import Final

from fogline.cli.operator.archive import folder_files, packed, tar_of
from fogline.cli.operator.foreign import ARCHITECTURES, Target
from fogline.cli.operator.packages import put_packages
from fogline.cli.operator.project import Project
from fogline.model.errors import InvalidInput
from fogline.model.image import BUNDLE

MAIN: Final = '''"""Serves the operator with the node's own Python."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "site")]
sys.argv[1:] = ["@function@"]

from fogline.operator.__main__ import main

main()
'''


def machine() -> str:
    """This machine's architecture, as images call it. Raises :class:`InvalidInput` for one without a base."""
    for name, kernel in ARCHITECTURES.items():
        if platform.machine() == kernel:
            return name
    raise InvalidInput(
        f"no operators are made on {platform.machine()}", hint="name one: --arch amd64 or arm64"
    )


def build_bundle(project: Project, into: Path, target: Target, wheels: Path | None) -> tuple[str, Path]:
    """Make a bundle in a folder; its reference, and its file. Numpy and the SDK are the node's own."""
    with tempfile.TemporaryDirectory(prefix="fogline-") as made:
        site = Path(made)
        put_packages(project.requirements, site, target, wheels)
        main = MAIN.replace("@function@", project.function).encode()
        files: list[tuple[str, Path | bytes]] = [("__main__.py", main), *project.files()]
        files += folder_files(site, "site")
        content = packed(tar_of(files))
    digest = hashlib.sha256(content).hexdigest()
    into.mkdir(parents=True, exist_ok=True)
    file = into / f"{digest}.tar.gz"
    file.write_bytes(content)
    return f"{BUNDLE}:{project.name}@sha256:{digest}", file
