"""Operators' images by a real Engine: built, tried, pushed, and found again by what was printed."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fogline.cli.main import main
from fogline.cli.operator.bundle import machine
from fogline.cli.operator.scaffold import new
from fogline.model.image import parse_image
from fogline.registry.client import Registries
from fogline.registry.hosts import PlainHosts
from tests.debian_registry import debian_registry
from tests.engine import DockerEngine

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
def folder(tmp_path: Path, docker_engine: DockerEngine) -> Iterator[Path]:
    made = new("fogline-test-clean", tmp_path)
    yield made
    for seen in docker_engine.client.images("fogline-test-clean"):
        docker_engine.client.remove_image(seen["Id"], force=True)


def rows(folder: Path) -> str:
    file = folder.parent / "rows.jsonl"
    file.write_text('{"temp": 21.5, "zone": "north"}\n{"temp": 3000.0, "zone": "south"}\n')
    return str(file)


def test_what_build_prints_last_can_be_run(folder: Path, base: str, run: Run, tmp_path: Path) -> None:
    code, out, err = run("build", str(folder), "--base", base, "--wheels", str(tmp_path))
    assert code == 0, err
    assert re.fullmatch(r"fogline-test-clean:0\.1\.0@sha256:[0-9a-f]{64}", out[-1])
    code, answered, err = run("run", out[-1], "--input", rows(folder), "--output", "score:float")
    assert code == 0, err
    assert [json.loads(line) for line in answered] == [{"time_us": 0, "score": 0.215}]


@pytest.mark.needs("docker-registry")
def test_what_build_prints_last_can_be_pushed(
    folder: Path, small_base: str, run: Run, tmp_path: Path
) -> None:
    code, out, err = run("build", str(folder), "--base", small_base)
    assert code == 0, err
    with debian_registry(tmp_path) as registry, Registries(PlainHosts()) as registries:
        to = f"{registry.host}/fogline-test-clean:1"
        code, pushed, err = run("push", out[-1], to)
        assert code == 0, err
        assert pushed[-1] == f"{to}@{registries.digest_of(parse_image(to))}"


def test_an_operator_that_breaks_in_its_container_says_why(folder: Path, base: str, run: Run) -> None:
    (folder / "fogline_test_clean.py").write_text("import nothing_like_this\n")
    assert run("build", str(folder), "--base", base)[0] == 0
    code, _, err = run("run", str(folder), "--input", rows(folder))
    assert code == 1
    assert "does not start" in err
    assert "nothing_like_this" in err


def test_a_dockerfile_that_fails_shows_its_words(folder: Path, small_base: str, run: Run) -> None:
    with (folder / "Dockerfile").open("a") as file:
        file.write("COPY nothing /\n")
    code, out, err = run("build", str(folder), "--base", small_base)
    assert (code, out) == (1, [])
    assert "the image cannot be built" in err
    (folder / "Dockerfile").unlink()
    assert "there is no" in run("build", str(folder), "--base", small_base)[2]


def test_a_base_that_nobody_has_is_said_with_what_to_do(
    folder: Path, run: Run, docker_engine: DockerEngine
) -> None:
    code, _, err = run("build", str(folder), "--base", "127.0.0.1:1/nothing:1")
    assert code == 1
    assert "neither here nor can it be pulled" in err
    assert "--base" in err


def test_a_base_of_another_architecture_is_refused(folder: Path, small_base: str, run: Run) -> None:
    other = "arm64" if machine() == "amd64" else "amd64"
    code, _, err = run("build", str(folder), "--base", small_base, "--arch", other)
    assert code == 1
    assert f"not for linux/{other}" in err


def test_a_registry_that_is_away_is_said(folder: Path, small_base: str, run: Run) -> None:
    assert run("build", str(folder), "--base", small_base)[0] == 0
    code, _, err = run("push", str(folder), "127.0.0.1:1/clean:1")
    assert code == 1
    assert "cannot be pushed" in err
    code, _, err = run("push", "acme/nothing:1", "127.0.0.1:1/clean:1")
    assert "there is no image" in err
