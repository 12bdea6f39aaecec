"""The commands without Docker: their last line, their files, their words when something is wrong."""

import json
import re
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fogline.cli.main import main
from fogline.cli.operator.scaffold import new

Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def command(*arguments: str) -> tuple[int, list[str], str]:
        monkeypatch.setattr(sys, "argv", ["fogline", "operator", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out.splitlines(), said.err

    return command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return new("clean", tmp_path)


def rows(folder: Path) -> str:
    file = folder.parent / "rows.csv"
    file.write_text("temp,zone\n21.5,north\n3000,south\n,east\n")
    return str(file)


def test_new_makes_a_folder_and_says_what_is_next(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = run("new", "clean")
    assert code == 0
    assert "fogline operator build clean" in out[-1]
    assert run("new", "clean")[0] == 1
    assert run("new", "Clean")[0] == 1


def test_run_prints_what_the_function_makes_of_rows(folder: Path, run: Run) -> None:
    code, out, err = run("run", str(folder), "--process", "--input", rows(folder))
    assert code == 0, err
    assert [json.loads(line) for line in out] == [
        {"time_us": 0, "temp": 21.5, "zone": "north", "score": 0.215},
    ]


def test_run_holds_the_function_to_what_is_promised(folder: Path, run: Run) -> None:
    code, out, err = run("run", str(folder), "--process", "--input", rows(folder), "--output", "score:text")
    assert (code, out) == (1, [])
    assert "[operator_failed]" in err
    assert "the pipeline promises text" in err
    code, out, _ = run("run", str(folder), "--process", "--input", rows(folder), "--output", "score:float")
    assert [json.loads(line) for line in out] == [{"time_us": 0, "score": 0.215}]
    assert run("run", str(folder), "--process", "--input", rows(folder), "--output", "score")[0] == 1


def test_run_hands_variables_on(folder: Path, run: Run) -> None:
    (folder / "clean.py").write_text(
        "import os\nfrom fogline.operator import Batch\n"
        "def clean(batch: Batch) -> Batch:\n    return batch.with_columns(unit=os.environ['UNIT'])\n"
    )
    command = ("run", str(folder), "--process", "--input", rows(folder))
    _, out, _ = run(*command, "--env", "UNIT=C")
    assert json.loads(out[0])["unit"] == "C"
    assert run(*command, "--env", "UNIT")[0] == 1


def test_an_operator_that_does_not_start_says_why(folder: Path, run: Run) -> None:
    (folder / "clean.py").write_text("import nothing_like_this\n")
    code, _, err = run("run", str(folder), "--process", "--input", rows(folder))
    assert code == 1
    assert "nothing_like_this" in err
    assert "does not start" in err


def test_a_bundle_is_named_by_its_content(folder: Path, run: Run, tmp_path: Path) -> None:
    code, out, err = run("build", str(folder), "--process")
    assert code == 0, err
    found = re.fullmatch(r"process:clean@sha256:([0-9a-f]{64})", out[-1])
    assert found
    file = folder / "dist" / f"{found[1]}.tar.gz"
    with tarfile.open(file) as archive:
        assert archive.getnames() == ["__main__.py", "clean.py"]
    again = run("build", str(folder), "--process", "--into", str(tmp_path / "bundles"))[1]
    assert again == out
    assert (tmp_path / "bundles" / file.name).read_bytes() == file.read_bytes()


def test_an_unpacked_bundle_serves_the_function(folder: Path, run: Run, tmp_path: Path) -> None:
    _, out, _ = run("build", str(folder), "--process")
    with tarfile.open(next((folder / "dist").iterdir())) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    project = tmp_path / "unpacked"
    # What the process runtime does: the bundle's own folder, with its __main__.
    (project / "pyproject.toml").write_text((folder / "pyproject.toml").read_text())
    assert "fogline.operator.__main__" in (project / "__main__.py").read_text()
    code, out, err = run("run", str(project), "--process", "--input", rows(folder))
    assert code == 0, err
    assert len(out) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("build", "nowhere"), "there is no operator in nowhere"),
        (("build", "clean", "--process", "--arch", "mips"), "no operators are made for 'mips'"),
        (("build", "clean", "--process", "--wheels", "nowhere"), "there is no folder nowhere"),
        (("push", "clean", "clean:1"), "names no tag in a registry"),
        (("push", "clean", "Clean"), "not the name of an image"),
        (("run", "acme/clean", "--process", "--input", "rows.csv"), "there is no folder acme/clean"),
        (("run", "clean", "--input", "none.csv"), "none.csv cannot be read"),
    ],
)
def test_what_cannot_be_is_said(folder: Path, run: Run, words: tuple[str, ...], message: str) -> None:
    rows(folder)
    code, out, err = run(*words)
    assert (code, out) == (1, [])
    assert message in err


def test_without_an_engine_it_is_said_what_to_do(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/none.sock")
    code, _, err = run("build", str(folder))
    assert code == 1
    assert "no Docker Engine answers" in err
    assert "--process" in err
