"""New operators, and folders that are none."""

import subprocess
import sys
from pathlib import Path

import pytest

from fogline.cli.operator.project import read_project
from fogline.cli.operator.scaffold import new
from fogline.model.errors import Conflict, FogError, InvalidInput


def test_a_new_operator_passes_its_own_test(tmp_path: Path) -> None:
    folder = new("denoise-air", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_new_operator_says_what_goes_into_its_image(tmp_path: Path) -> None:
    folder = new("denoise-air", tmp_path)
    (folder / "model").mkdir()
    (folder / "model" / "weights.bin").write_bytes(b"w")
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("x")
    (folder / "dist").mkdir()
    (folder / "dist" / "old.tar.gz").write_text("x")
    (folder / "requirements.txt").write_text("# none\nscipy>=1  # for filters\n\n")
    project = read_project(folder)
    assert (project.name, project.version, project.function) == (
        "denoise-air",
        "0.1.0",
        "denoise_air:denoise_air",
    )
    assert project.requirements == ("scipy>=1",)
    assert [name for name, _ in project.files()] == ["denoise_air.py", "model/weights.bin"]


@pytest.mark.parametrize(
    "name", ["", "Clean", "1clean", "a b", "../x", "-a", "a" * 64, "operator", "json", "class", "numpy"]
)
def test_what_cannot_name_an_operator_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot name an operator"):
        new(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    new("clean", tmp_path)
    with pytest.raises(Conflict, match="is there already"):
        new("clean", tmp_path)


@pytest.mark.parametrize(
    ("file", "old", "text", "message"),
    [
        ("pyproject.toml", None, "", "there is no operator"),
        ("pyproject.toml", "[project]", "[project", "cannot be read"),
        ("pyproject.toml", 'name = "clean"', 'name = "Clean"', "cannot name an operator"),
        ("pyproject.toml", '"0.1.0"', '"0 1"', "cannot be an image's tag"),
        ("pyproject.toml", "function", "funktion", "does not say which function"),
        ("pyproject.toml", "clean:clean", "clean", "does not say which function"),
        ("pyproject.toml", "clean:clean", "other:clean", "there is no other.py"),
        (
            "pyproject.toml",
            "[tool.fogline.operator]\nfunction",
            "[tool]\nfogline",
            "does not say which function",
        ),
    ],
)
def test_a_folder_that_is_no_operator_is_refused(
    tmp_path: Path, file: str, old: str | None, text: str, message: str
) -> None:
    folder = new("clean", tmp_path)
    changed = folder / file
    if old is None:
        changed.unlink()
    else:
        assert old in changed.read_text()
        changed.write_text(changed.read_text().replace(old, text))
    with pytest.raises(FogError, match=message):
        read_project(folder)
