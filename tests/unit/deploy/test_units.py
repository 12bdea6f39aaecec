"""systemd's own judgement of the units, without a systemd that runs."""

import subprocess
import sys
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parents[3] / "deploy" / "systemd").glob("*.service"))
TIERS = ("aggregator", "cloud", "dashboard", "node")
PROGRAM = "/opt/fogline/current/bin/fogline"
MOST_EXPOSED = 20
"""Of 100: systemd-analyze calls up to 20 `OK` and more `MEDIUM`."""


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def test_every_tier_has_its_unit() -> None:
    assert [unit.name for unit in UNITS] == [f"fogline-{tier}.service" for tier in TIERS]
    for unit, tier in zip(UNITS, TIERS, strict=True):
        said = f"ExecStart={PROGRAM} {tier} --settings /etc/fogline/{tier}.toml\n"
        assert said in unit.read_text()


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_understands_a_unit(unit: Path, tmp_path: Path) -> None:
    here = tmp_path / unit.name
    here.write_text(unit.read_text().replace(PROGRAM, sys.executable))
    judged = analyze("verify", "--man=no", str(here))
    assert unit.stem not in judged.stderr
    assert judged.returncode == 0


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_hardened(unit: Path) -> None:
    judged = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(unit))
    assert judged.returncode == 0, judged.stdout
