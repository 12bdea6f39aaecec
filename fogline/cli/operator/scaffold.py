"""A new operator: a folder with a function, its test, and what makes an image of it."""

from pathlib import Path
from typing import Final

from fogline.cli.operator.project import (
    DOCKERFILE,
    PROJECT,
    REQUIREMENTS,
    WHEELS,
    check_operator_name,
)
from fogline.model.errors import Conflict

_FUNCTION: Final = '''"""What the operator does with each batch of rows."""

from fogline.operator import Batch, operator


@operator
def @module@(batch: Batch) -> Batch:
    """Drop what no sensor can have measured, and say how warm the rest is."""
    good = batch.filter(abs(batch["temp"]) < 100)
    return good.with_columns(score=good["temp"] / 100)
'''
_TEST: Final = '''"""Runs without a container, through the same encoding and checks as on a node: `pytest`."""

from @module@ import @module@
from fogline.operator.testing import run


def test_rows_that_no_sensor_can_have_measured_are_dropped() -> None:
    rows = run(@module@, [{"temp": 21.0, "zone": "north"}, {"temp": 3000.0, "zone": "north"}])

    assert rows == [{"time_us": 0, "temp": 21.0, "zone": "north", "score": 0.21}]
'''
_PROJECT: Final = """[project]
name = "@name@"
version = "0.1.0"
requires-python = ">=3.11"

[tool.fogline.operator]
function = "@module@:@module@"
"""
_REQUIREMENTS: Final = """# What the function imports besides numpy, a package a line, as pip reads it.
"""
_DOCKERFILE: Final = """\
# Built by `fogline operator build`, which puts two folders beside this file: site/ has the SDK and the packages
# of requirements.txt for the image's architecture, app/ has the function. Nothing is run or downloaded in here.
ARG BASE=python:3.11-slim
FROM ${BASE}
ENV PYTHONPATH=/app:/app/site PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY site/ /app/site/
COPY app/ /app/
WORKDIR /app
USER 65534:65534
ENTRYPOINT ["python3", "-m", "fogline.operator", "@module@:@module@"]
"""
_README: Final = """# @name@

An operator of a Fogline pipeline: `@module@.py` is given batches of rows, and gives back rows.

    pytest                                  # try the function
    fogline operator run . --input FILE     # over rows of a CSV or JSON-lines file
    fogline operator build .                # an image; the last line is its reference, for a spec's `image:`
    fogline operator push . REGISTRY/@name@:0.1.0
"""


def new(name: str, parent: Path) -> Path:
    """Make the folder of a new operator. Raises :class:`InvalidInput`, or :class:`Conflict` if it is there."""
    module = check_operator_name(name)
    folder = parent / name
    if folder.exists() and any(folder.iterdir() if folder.is_dir() else [folder]):
        raise Conflict(f"{folder} is there already", hint="take another name, or remove it")
    files = {
        f"{module}.py": _FUNCTION,
        f"test_{module}.py": _TEST,
        PROJECT: _PROJECT,
        REQUIREMENTS: _REQUIREMENTS,
        DOCKERFILE: _DOCKERFILE,
        "README.md": _README,
        ".gitignore": f"/dist/\n/{WHEELS}/\n__pycache__/\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        (folder / path).write_text(text.replace("@name@", name).replace("@module@", module))
    return folder
