"""What goes into an operator's image beside its function."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from fogline.cli.operator.archive import folder_files, tar_of
from fogline.cli.operator.foreign import Target
from fogline.cli.operator.packages import LIBRARIES, compile_ahead, put_packages, put_sdk
from fogline.model.errors import InvalidInput

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
HERE = Target(architecture="amd64", python=RUNNING)


def wheel(folder: Path, tags: str) -> None:
    """A package with one module."""
    with zipfile.ZipFile(folder / f"tiny-1.0-{tags}.whl", "w") as archive:
        archive.writestr("tiny.py", "ANSWER = 42\n")
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nTag: {tags}\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "")


def test_the_sdk_in_an_image_is_all_that_an_operator_imports(tmp_path: Path) -> None:
    put_sdk(tmp_path)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import fogline.operator.command, fogline.operator.testing; "
        "assert fogline.__file__.startswith(sys.argv[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False, env={}
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "fogline" / "cli").exists()


def test_the_sdks_libraries_are_those_that_the_project_names() -> None:
    text = (Path(__file__).parents[5] / "pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    named = [*project["dependencies"], *project["optional-dependencies"]["operator"]]
    assert set(LIBRARIES) <= set(named)


@pytest.mark.parametrize(
    "tags", ["py3-none-any", "cp311-cp311-manylinux_2_17_aarch64", "cp39-abi3-manylinux2014_aarch64"]
)
def test_packages_of_another_architecture_are_taken_from_a_folder(tmp_path: Path, tags: str) -> None:
    wheels, site = tmp_path / "wheels", tmp_path / "site"
    wheels.mkdir()
    wheel(wheels, tags)
    put_packages(["tiny>=1"], site, Target(architecture="arm64", python="3.11"), wheels)
    assert (site / "tiny.py").is_file()


def test_a_package_without_a_wheel_is_named_with_what_to_do(tmp_path: Path) -> None:
    wheel(tmp_path, "cp311-cp311-manylinux_2_17_aarch64")
    with pytest.raises(InvalidInput, match=r"for x86_64 and Python 3.11: .*tiny") as raised:
        put_packages(["tiny"], tmp_path / "site", Target(architecture="amd64"), tmp_path)
    assert "needs a wheel in" in raised.value.hint


def test_nothing_is_needed_for_nothing(tmp_path: Path) -> None:
    put_packages([], tmp_path / "site", HERE, tmp_path / "none")
    assert not (tmp_path / "site").exists()


def test_what_is_compiled_ahead_is_the_same_each_time(tmp_path: Path) -> None:
    archives = []
    for name in ("a", "b"):
        site = tmp_path / name / "site"
        site.mkdir(parents=True)
        (site / "tiny.py").write_text("ANSWER = 42\n")
        compile_ahead(site, HERE)
        archives.append(tar_of(folder_files(site, "site")))
    assert archives[0] == archives[1]
    assert b".pyc" in archives[0]
    compile_ahead(tmp_path, Target(architecture="amd64", python="3.1"))
