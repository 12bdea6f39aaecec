"""The image of all tiers, made by ``deploy/Dockerfile`` of this machine's Python and of wheels: no hub is asked.

The wheels are what an index gives, as they would be in an image of anybody: it, or pip's own cache, must be there.
"""

import io
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from docker.errors import APIError

from fogline.cli.operator.foreign import Target, foreign
from tests.engine import DockerEngine
from tests.images import layer, libraries_of, make_image, python_layer

ROOT = Path(__file__).parents[1]
TIERS = ("node", "aggregator", "cloud", "dashboard")
SOURCES = ("aggregator", "cloud", "deploy", "fog_node", "fogline", "proto")
FILES = (".dockerignore", "CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml")
TAG = "fogline-test-tiers"


@contextmanager
def built_image(
    engine: DockerEngine,
    folder: Path,
    *,
    tiers: Sequence[str] = TIERS,
    base: str = "",
    target: Target | None = None,
) -> Iterator[str]:
    """The image's id; it is removed at the end. ``folder`` is for wheels.

    For another machine than this one it stands on a ``base`` for that one.
    """
    wheels = _wheels(folder / "wheels", tiers, target)
    tag = f"{TAG}-{target.architecture}" if target else TAG
    builder = make_image(
        (python_layer(), layer(_pip() | _libraries())), entrypoint=(), environment=("PATH=/usr/bin:/bin",)
    )
    engine.load(builder)
    said = engine.client.build(
        fileobj=io.BytesIO(_context(wheels)),
        custom_context=True,
        dockerfile="deploy/Dockerfile",
        tag=tag,
        rm=True,
        forcerm=True,
        network_mode="none",
        decode=True,
        buildargs={
            "BASE": base or builder.id,
            "BUILDER": builder.id,
            "TARGETARCH": target.architecture if target else "",
            "TIERS": ",".join(tiers),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": "/src/wheels",
        },
    )
    steps = list(said)
    told = "".join(step.get("stream", "") for step in steps)
    try:
        faults = [step["error"] for step in steps if "error" in step]
        assert not faults, told + faults[0]
        yield str(engine.client.inspect_image(tag)["Id"])
    finally:
        # The stages before the last one stay without a name: hundreds of megabytes at each run.
        for made in (tag, *reversed(re.findall(r"^ ---> ([0-9a-f]{12})$", told, re.MULTILINE))):
            if base.removeprefix("sha256:").startswith(made):
                continue  # whoever gave it removes it
            with suppress(APIError):
                engine.client.remove_image(made)


def _wheels(folder: Path, tiers: Sequence[str], target: Target | None) -> Path:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    for tier in tiers:
        wanted += project["project"]["optional-dependencies"][tier]
    download = (sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--dest", folder)
    subprocess.run([*download, *(foreign(target) if target else ()), *wanted], check=True)
    return folder


def _pip() -> dict[str, bytes | Path | str]:
    """pip of this Python, where an image's Python finds it."""
    bases = {"base": sys.base_prefix, "installed_base": sys.base_prefix}
    there = Path(sysconfig.get_path("purelib", vars=bases))
    import pip  # noqa: PLC0415 - only a machine that makes images needs it

    root = Path(pip.__file__).parent
    return {
        f"{there}/pip/{path.relative_to(root)}": path
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def _libraries() -> dict[str, bytes | Path | str]:
    """Libraries that compiled wheels take from the system, as every slim image has them."""
    site = Path(sysconfig.get_path("purelib"))
    found = libraries_of(
        sorted(path for name in ("grpc", "pydantic_core") for path in (site / name).rglob("*.so"))
    )
    return {f"/usr{path}" if path.is_relative_to("/lib") else str(path): path.resolve() for path in found}


def _context(wheels: Path) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in (*SOURCES, *FILES):
            archive.add(
                ROOT / name, name, filter=lambda member: None if "__pycache__" in member.name else member
            )
        archive.add(wheels, "wheels")
    return made.getvalue()
