"""The example operators, as processes, through the node's gateway."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fogline.engine.batch import Batch, NumberColumn, TextColumn
from fogline.model.plan import OutputColumn, Scalar
from fogline.operator import Batch as Given
from fogline.operator.columns import array_of
from tests.conftest import absent
from tests.integration.operators.workshop import PLAN, STEP, workshop

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples" / "operators"


@pytest.fixture(scope="session")
def unpivot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the JavaScript example with what it needs from npm."""
    folder = tmp_path_factory.mktemp("unpivot")
    for file in ("package.json", "unpivot.js"):
        shutil.copy(EXAMPLES / "unpivot" / file, folder)
    command = ["npm", "install", "--no-audit", "--no-fund", "--silent"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        absent(f"needs @grpc/grpc-js, which cannot be installed: {done.stderr[-200:]}")
    return folder


def readings() -> Batch:
    return Given.of(
        [
            {"device": "d", "seq": 1, "temp": 20.0, "humidity": 40.0, "time_us": 1},
            {"device": "d", "seq": 2, "temp": None, "humidity": 41.0, "time_us": 2},
            {"device": "e", "seq": 3, "temp": None, "humidity": None, "time_us": 3},
            {"device": "e", "seq": 4, "temp": 90.0, "humidity": 42.0, "time_us": 4},
        ]
    ).whole


@pytest.mark.needs("node", "npm")
async def test_an_operator_in_javascript_answers_none_one_or_two_rows_for_a_reading(unpivot: Path) -> None:
    output = (OutputColumn(name="quantity", type="text"), OutputColumn(name="value", type="float"))
    command = ["node", str(unpivot / "unpivot.js")]
    async with workshop(command, output=output, environment={"FOGLINE_PROTOS": str(ROOT / "proto")}) as shop:
        answer = await shop.ask(readings())
        quantity, value = answer.batch.columns["quantity"], answer.batch.columns["value"]
        assert isinstance(quantity, TextColumn)
        assert isinstance(value, NumberColumn)
        rows = zip(answer.batch.time_us, array_of(quantity), value.values, strict=True)
        assert [tuple(row) for row in rows] == [
            (1, "temp", 20.0),
            (1, "humidity", 40.0),
            (2, "humidity", 41.0),
            (4, "temp", 90.0),
            (4, "humidity", 42.0),
        ]
        assert answer.filtered == 1
        killed = shop.processes[0]
        shop.kill(0)
        await killed.wait()
        assert (await shop.ask(readings(), first=9)).batch.rows == 5
        assert shop.processes[0] is not killed, "the gateway has told of the death"
        shop.operators.replica_gone(PLAN, STEP, 0)
        shop.processes[0].terminate()
        assert await shop.processes[0].wait() == 0


async def test_the_example_in_python_leaves_out_what_cannot_be_and_smooths_the_rest() -> None:
    output = (
        OutputColumn(name="device", type="text"),
        OutputColumn(name="temp", type="float"),
        OutputColumn(name="smooth", type="float"),
    )
    command = [sys.executable, "-m", "fogline.operator", "denoise:denoise"]
    path = {"PYTHONPATH": f"{EXAMPLES / 'denoise'}:{ROOT}"}
    given: list[dict[str, Scalar]] = [
        {"device": device, "temp": temp}
        for device, temp in (("a", 10.0), ("b", 50.0), ("a", 999.0), ("a", 20.0))
    ]
    async with workshop(command, output=output, environment=path) as shop:
        answer = await shop.ask(Given.of(given).whole)
        smooth = answer.batch.columns["smooth"]
        assert isinstance(smooth, NumberColumn)
        assert smooth.values.tolist() == [10.0, 50.0, 13.0]
        assert answer.input_rows.tolist() == [0, 1, 3]
