"""An operator's folder as an image."""

import tempfile
from pathlib import Path
from typing import Final

import fogline
from fogline.cli.operator.archive import folder_files, tar_of
from fogline.cli.operator.engine import Engine, Say
from fogline.cli.operator.foreign import Target
from fogline.cli.operator.packages import LIBRARIES, compile_ahead, put_packages, put_sdk
from fogline.cli.operator.project import DOCKERFILE, Project
from fogline.model.errors import NotFound

BASE: Final = "python:3.11-slim"
"""For those who have a hub."""

HAS_LIBRARIES: Final = "fogline.libraries"
"""Label of a base that has what the SDK imports (`fogline operator base`): it need not be put into each image."""
PYTHON_OF: Final = "fogline.python"
"""Label of such a base: its Python, for example 3.11."""


def build_image(
    engine: Engine,
    project: Project,
    *,
    base: str,
    tag: str,
    target: Target,
    wheels: Path | None,
    say: Say,
) -> str:
    """Make an image; its reference, by its id: ``name:tag@sha256:...``."""
    dockerfile = project.folder / DOCKERFILE
    if not dockerfile.is_file():
        raise NotFound(f"there is no {dockerfile}", hint="copy one from `fogline operator new NAME`")
    platform = f"linux/{target.architecture}"
    labels = engine.have(base, platform, say)
    target = Target(architecture=target.architecture, python=labels.get(PYTHON_OF, target.python))
    libraries = () if HAS_LIBRARIES in labels else LIBRARIES
    with tempfile.TemporaryDirectory(prefix="fogline-") as made:
        site = Path(made)
        say("putting the SDK and its packages together ...")
        put_packages([*libraries, *project.requirements], site, target, wheels)
        put_sdk(site)
        compile_ahead(site, target)
        files = [("Dockerfile", dockerfile), *folder_files(site, "site")]
        files += [(f"app/{name}", path) for name, path in project.files()]
        context = tar_of(files)
    name = f"{project.name}:{tag or project.version}"
    image_id = engine.build(
        context,
        tag=name,
        base=base,
        platform=platform,
        labels={"fogline.operator": project.name, "fogline.version": fogline.__version__},
        say=say,
    )
    return f"{name}@{image_id}"
