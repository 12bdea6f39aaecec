from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fogline.service.arguments import settings_from
from fogline.service.settings import InvalidSettings, load
from fogline.service.units import Duration, Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """Where things lie."""

    quota: Size = 1024
    """How much may lie there."""
    within: Duration = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What this tier may be told."""

    name: str
    """Its name: 100 % up to you."""
    parents: tuple[str, ...]
    port: int = 7070
    ratio: float = 0.5
    loud: bool = False
    folder: Path = Path("data")
    disk: Disk = field(default_factory=Disk)


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text)
    return path


def test_what_is_not_given_has_its_default(tmp_path: Path) -> None:
    file = written(tmp_path, 'name = "n"\nparents = ["a:1"]')
    assert load(Settings, tier="t", file=file) == Settings(name="n", parents=("a:1",))


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = written(
        tmp_path, 'name = "file"\nparents = ["a:1"]\nport = 1\n[disk]\nquota = "2KiB"\nwithin = "2s"'
    )
    environment = {
        "FOGLINE_T_NAME": "environment",
        "FOGLINE_T_PORT": "2",
        "FOGLINE_T_DISK_QUOTA": "3KiB",
        "HOME": "/",
    }
    flags = {"--port": "3", "--parents": "b:1, c:2", "--ratio": "0.25", "--loud": "true", "--folder": "/x"}
    settings = load(Settings, tier="t", file=file, environment=environment, flags=flags)
    assert settings == Settings(
        name="environment",
        parents=("b:1", "c:2"),
        port=3,
        ratio=0.25,
        loud=True,
        folder=Path("/x"),
        disk=Disk(quota=3 * 1024, within=2_000_000),
    )


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        'nam = "n"\nport = "x"\n[disk]\nquota = "3 zz"\nwithin = 5\nsize = 1\n[disc]\nquota = 1',
    )
    environment = {"FOGLINE_T_RATIO": "much", "FOGLINE_T_COLOUR": "red", "FOGLINE_OTHER_NAME": "x"}
    with pytest.raises(InvalidSettings) as caught:
        load(Settings, tier="t", file=file, environment=environment, flags={"--loud": "perhaps"})
    said = str(caught.value)
    for words in (
        "nam: there is no such setting; did you mean `name`?",
        "port: 'x': Expected `int`, got `str`",
        "disk.quota: '3 zz' is not understood; write for example '256MiB'",
        "disk.within: 5 has no unit; write for example '500ms'",
        "disk.size: there is no such setting; known here: `quota`, `within`",
        "disc: there is no such setting",
        "FOGLINE_T_RATIO: 'much': ",
        "FOGLINE_T_COLOUR: there is no such setting",
        "--loud: 'perhaps': ",
        "name: is missing; set it in the file, as FOGLINE_T_NAME or --name",
        "parents: is missing",
    ):
        assert words in said
    assert len(caught.value.faults) == 11
    assert "OTHER" not in said


@pytest.mark.parametrize(
    ("text", "words"), [("name =", "is not TOML"), ("name = 5\nparents = []", "name: 5: Expected `str`")]
)
def test_a_file_that_makes_no_sense_is_said(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InvalidSettings, match=words):
        load(Settings, tier="t", file=written(tmp_path, text))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="cannot be read: No such file"):
        load(Settings, tier="t", file=tmp_path / "none.toml")


def test_a_size_below_zero_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, 'name = "n"\nparents = []\n[disk]\nquota = -1')
    with pytest.raises(InvalidSettings, match="-1 is below zero"):
        load(Settings, tier="t", file=file)


def test_a_command_line_gives_every_setting(tmp_path: Path) -> None:
    file = written(tmp_path, 'name = "n"\nparents = ["a:1"]')
    settings = settings_from(
        Settings,
        tier="t",
        arguments=["--settings", str(file), "--disk-quota", "5KiB", "--loud", "--port=9"],
        environment={},
    )
    assert settings == Settings(name="n", parents=("a:1",), port=9, loud=True, disk=Disk(quota=5 * 1024))


def test_help_says_what_each_setting_means(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        settings_from(Settings, tier="t", arguments=["--help"], environment={})
    assert caught.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "What this tier may be told." in said
    assert "Its name: 100 % up to you." in said
    assert "How much may lie there." in said
    assert "FOGLINE_T_" in said


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--disk-quote", "5KiB"], "--disk-quote: there is no such setting; did you mean `--disk-quota`?"),
        (["--disk-quote=5KiB"], "--disk-quote: there is no such setting; did you mean `--disk-quota`?"),
        (["run"], "`run` belongs to no flag; `fogline t --help` lists the flags"),
        (["-x"], "`-x` belongs to no flag; `fogline t --help` lists the flags"),
        (["--settings"], "argument --settings: expected one argument; `fogline t --help` lists the flags"),
    ],
)
def test_arguments_that_nobody_knows_are_refused(arguments: list[str], told: str) -> None:
    with pytest.raises(InvalidSettings) as raised:
        settings_from(
            Settings, tier="t", arguments=[*arguments, "--name", "n", "--parents", "a:1"], environment={}
        )
    assert raised.value.faults == (told,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One of several."""

    at: str = ""
    wide: Size = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What has several of something."""

    name: str = ""
    doors: tuple[Door, ...] = ()


def test_tables_of_one_shape_come_from_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, '[[doors]]\nat = "north"\nwide = "2KiB"\n[[doors]]\n')
    assert load(House, tier="t", file=file).doors == (Door(at="north", wide=2048), Door())


def test_every_fault_of_such_tables_is_told_with_its_number(tmp_path: Path) -> None:
    file = written(tmp_path, '[[doors]]\nhigh = 1\n[[doors]]\nwide = "much"\n')
    with pytest.raises(InvalidSettings) as raised:
        load(House, tier="t", file=file)
    assert [fault.removeprefix(f"{file}: ").split(":")[0] for fault in raised.value.faults] == [
        "doors 1",
        "doors 2",
    ]


@pytest.mark.parametrize("text", ["doors = 3", "doors = [1]"])
def test_something_else_than_tables_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"write \[\[doors\]\]"):
        load(House, tier="t", file=written(tmp_path, text))


def test_a_value_where_a_table_belongs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings) as raised:
        load(Settings, tier="t", file=written(tmp_path, 'name = "n"\nparents = []\ndisk = 3'))
    (fault,) = raised.value.faults
    assert fault.endswith(": disk: is no table; write [disk]")


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("FOGLINE_AGGREGATOR_PARENT", "there is no such setting; did you mean `FOGLINE_AGGREGATOR_PARENTS`?"),
        (
            "FOGLINE_AGGREGATOR_COLOUR",
            "there is no such setting; known here: `FOGLINE_AGGREGATOR_DISK_QUOTA`, ",
        ),
    ],
)
def test_what_all_variables_begin_with_makes_none_likelier(variable: str, told: str) -> None:
    flags = {"--name": "n", "--parents": "a:1"}
    with pytest.raises(InvalidSettings) as raised:
        load(Settings, tier="aggregator", environment={variable: "x"}, flags=flags)
    (fault,) = raised.value.faults
    assert fault.startswith(f"{variable}: {told}")


def test_tables_are_no_flag_and_no_variable() -> None:
    with pytest.raises(InvalidSettings, match="write them into the file"):
        load(House, tier="t", environment={"FOGLINE_T_DOORS": "north"})
    with pytest.raises(InvalidSettings, match=r"--doors: .*write them into the file"):
        settings_from(House, tier="t", arguments=["--doors", "north"], environment={})
