"""A short run of the drill that cuts the power of whole Docker hosts; ``make faults`` runs twenty tries of three."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import absent

FLAGS = ("--tries", "1", "--hosts", "1", "--engine", "--seed", "20261123")
ROOT = Path(__file__).parents[2]


@pytest.mark.needs("dockerd", "unshare", "ip")
@pytest.mark.timeout(300)
def test_a_host_comes_back_alone_from_engine_faults_and_a_power_cut_and_every_message_counts_once() -> None:
    if os.geteuid() != 0:
        absent("needs root, for namespaces")
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.power_drill", *FLAGS],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    for said in ("Engine hung: said so, went on", "Engine killed: came back"):
        assert said in done.stderr
    assert "try 1: back after host-1" in done.stderr
    assert "every message counted exactly once" in done.stdout
