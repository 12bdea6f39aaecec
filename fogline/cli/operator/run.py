"""What the commands do: ``fogline operator new``, ``build``, ``base``, ``push`` and ``run``."""

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from fogline.cli.exits import reported
from fogline.cli.operator.base import make_base
from fogline.cli.operator.bundle import build_bundle, machine
from fogline.cli.operator.engine import engine
from fogline.cli.operator.foreign import ARCHITECTURES, Target
from fogline.cli.operator.image import build_image
from fogline.cli.operator.project import BUILT, WHEELS, Project, read_project
from fogline.cli.operator.rows import read_rows
from fogline.cli.operator.scaffold import new as make_new
from fogline.cli.operator.trying import Asking, as_container, as_process, output_of
from fogline.model.errors import InvalidInput, NotFound
from fogline.model.image import parse_image


def new(name: str) -> None:
    """Make a new operator's folder here."""
    with reported():
        folder = make_new(name, Path())
    sys.stdout.write(
        f"{folder}: `fogline operator run {folder} --input FILE` tries it, "
        f"`fogline operator build {folder}` makes its image\n"
    )


def build(
    folder: Path,
    *,
    base: str,
    tag: str,
    architecture: str,
    python: str,
    wheels: Path | None,
    process: bool,
    into: Path | None,
) -> None:
    """Make an image, or a bundle; the last line is its reference."""
    with reported():
        project = read_project(folder)
        target = Target(architecture=_architecture(architecture), python=python)
        found = _wheels(project, wheels)
        if process:
            reference, file = build_bundle(project, into or folder / BUILT, target, found)
            _say(f"{file}: copy it into the folder `bundles` of each node, then name it in a spec's `image:`")
        else:
            with engine() as docker:
                reference = build_image(
                    docker, project, base=base, tag=tag, target=target, wheels=found, say=_say
                )
    sys.stdout.write(f"{reference}\n")


def base(*, architecture: str, tag: str, wheels: Path | None) -> None:
    """Make a base image out of Debian's packages; the last line is its reference."""
    with reported(), engine() as docker:
        reference = make_base(
            docker, architecture=_architecture(architecture), tag=tag, wheels=wheels, say=_say
        )
    sys.stdout.write(f"{reference}\n")


def push(image: str, to: str) -> None:
    """Push an image, or that of a folder, to a registry; the last line is its reference there."""
    with reported():
        target = parse_image(to)
        if target.digest or not target.host:
            hint = "write where to: registry.example/acme/clean:1.4"
            raise InvalidInput(f"{to!r} names no tag in a registry", hint=hint)
        if Path(image).is_dir():
            project = read_project(Path(image))
            image = f"{project.name}:{project.version}"
        with engine() as docker:
            digest = docker.push(_local(image), target, _say)
    sys.stdout.write(f"{target.at(digest)}\n")


def run(what: str, *, file: str, output: Sequence[str], environment: Sequence[str], process: bool) -> None:
    """Give an operator the rows of a file, and print its rows, a JSON object a line."""
    with reported():
        promised = output_of(output)
        rows = read_rows(file)
        with (
            _started(what, _environment(environment), process=process) as socket,
            Asking(socket, rows, promised) as asking,
        ):
            for answered in asking.answers():
                sys.stdout.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in answered)


def _started(what: str, environment: Mapping[str, str], *, process: bool) -> AbstractContextManager[Path]:
    folder = Path(what)
    if folder.is_dir() and process:
        return as_process(read_project(folder), environment)
    if folder.is_dir():
        project = read_project(folder)
        return as_container(f"{project.name}:{project.version}", environment)
    if process:
        raise NotFound(f"there is no folder {what}", hint="--process runs an operator's folder")
    return as_container(_local(what), environment)


def _local(image: str) -> str:
    """The name by which the Engine finds what `build` printed: by its digest, which is the image's id."""
    reference = parse_image(image)
    return reference.digest or str(reference)


def _environment(words: Sequence[str]) -> dict[str, str]:
    for word in words:
        if "=" not in word:
            raise InvalidInput(f"{word!r} sets no variable", hint="write NAME=VALUE")
    return dict(word.split("=", 1) for word in words)


def _architecture(name: str) -> str:
    if name and name not in ARCHITECTURES:
        raise InvalidInput(f"no operators are made for {name!r}", hint=f"one of {', '.join(ARCHITECTURES)}")
    return name or machine()


def _wheels(project: Project, wheels: Path | None) -> Path | None:
    if wheels is not None and not wheels.is_dir():
        raise NotFound(f"there is no folder {wheels}", hint="`pip download` fills one")
    there = project.folder / WHEELS
    return wheels or (there if there.is_dir() else None)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
