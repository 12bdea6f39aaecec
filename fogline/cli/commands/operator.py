"""``fogline operator``: making operators out of Python functions."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()
operator = typer.Typer(help="Make an operator: a Python function that a pipeline runs.", no_args_is_help=True)
app.add_typer(operator, name="operator")

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The operator's folder.")]


@operator.command()
def new(name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")]) -> None:
    """Make the folder of a new operator: a function, its test, a Dockerfile."""
    from fogline.cli.operator import run

    run.new(name)


@operator.command()
def build(
    folder: FolderArgument = Path(),
    *,
    base: Annotated[
        str, typer.Option(metavar="IMAGE", help="What the image stands on: a Linux with Python.")
    ] = "python:3.11-slim",
    tag: Annotated[str, typer.Option(metavar="TAG", help="The image's tag [default: the version].")] = "",
    arch: Annotated[str, typer.Option(metavar="ARCH", help="amd64 or arm64 [default: this machine's].")] = "",
    python: Annotated[str, typer.Option(metavar="VERSION", help="The base's Python.")] = "3.11",
    wheels: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Take packages from here only, without the index [default: DIR/wheels]."
        ),
    ] = None,
    process: Annotated[
        bool, typer.Option("--process", help="Make a bundle for the process runtime, without Docker.")
    ] = False,
    into: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where a bundle is put [default: DIR/dist].")
    ] = None,
) -> None:
    """Make an operator's image. The last line is its reference, fit for a spec's `image:`."""
    from fogline.cli.operator import run

    run.build(
        folder,
        base=base,
        tag=tag,
        architecture=arch,
        python=python,
        wheels=wheels,
        process=process,
        into=into,
    )


@operator.command()
def base(
    *,
    arch: Annotated[str, typer.Option(metavar="ARCH", help="amd64 or arm64 [default: this machine's].")] = "",
    tag: Annotated[str, typer.Option(metavar="TAG", help="The image's tag [default: 3.11-ARCH].")] = "",
    wheels: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Take packages from here only, without the index.")
    ] = None,
) -> None:
    """Make a base image for `build --base` out of Debian's packages, where no hub is. Needs mmdebstrap."""
    from fogline.cli.operator import run

    run.base(architecture=arch, tag=tag, wheels=wheels)


@operator.command()
def push(
    image: Annotated[str, typer.Argument(metavar="IMAGE|DIR", help="An image that is here, or its folder.")],
    to: Annotated[str, typer.Argument(metavar="REGISTRY/NAME:TAG", help="Where to.")],
) -> None:
    """Push an image to a registry. The last line is its reference there, fit for a spec's `image:`."""
    from fogline.cli.operator import run

    run.push(image, to)


@operator.command("run")
def run_(
    what: Annotated[
        str, typer.Argument(metavar="DIR|IMAGE", help="An operator's folder, or an image.")
    ] = ".",
    *,
    file: Annotated[
        str,
        typer.Option("--input", metavar="FILE", help="Rows: CSV or JSON lines [default: standard input]."),
    ] = "-",
    output: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:TYPE", help="A column that the pipeline promises; repeat for more."),
    ] = None,
    env: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A variable; repeat for more.")
    ] = None,
    process: Annotated[
        bool, typer.Option("--process", help="Run the function here, not in its image.")
    ] = False,
) -> None:
    """Give an operator the rows of a file as a node would, and print its rows."""
    from fogline.cli.operator import run

    run.run(what, file=file, output=output or [], environment=env or [], process=process)
