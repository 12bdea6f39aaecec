"""One message of an operator's, of any bytes: taken as what the plan promises, or refused."""

from contextlib import suppress

import numpy as np

from fogline.engine.batch import Batch, NumberColumn, text_column
from fogline.model.plan import OutputColumn
from fogline.v1 import operator_pb2
from fogline.wire.batch import MalformedBatch, rows_from_wire, rows_to_wire
from fogline.wire.response import response_from_wire

ASKED = Batch(rows=3, time_us=np.array([10, 20, 30]), columns={})
OUTPUT = (
    OutputColumn(name="zone", type="text"),
    OutputColumn(name="temp", type="float", resolution=0.5),
    OutputColumn(name="n", type="int"),
)
MOST = 1_000
_GOOD = rows_to_wire(
    7,
    np.array([0, 2, 2]),
    {
        "zone": text_column(["a", None, "ü"]),
        "temp": NumberColumn(values=np.array([1.5, np.inf, -0.0]), valid=np.array([True, True, False])),
        "n": NumberColumn(values=np.array([1, 2, -(2**63)])),
    },
)
SEEDS = tuple(
    message.SerializeToString()
    for message in (
        operator_pb2.ProcessResponse(rows=_GOOD),
        operator_pb2.ProcessResponse(rows=operator_pb2.BatchRows(id=1)),
        operator_pb2.ProcessResponse(error=operator_pb2.BatchError(id=7, reason="no model")),
        operator_pb2.ProcessResponse(
            greeting=operator_pb2.OperatorGreeting(protocol=1, columns=["n"], software="x")
        ),
    )
)


def one_answer(data: bytes) -> None:
    """What is taken has the columns that were promised, each value in its place."""
    with suppress(MalformedBatch):
        message = response_from_wire(data)
        if message.WhichOneof("kind") != "rows":
            return
        answer = rows_from_wire(message.rows, ASKED, OUTPUT, most_rows=MOST)
        assert list(answer.batch.columns) == [one.name for one in OUTPUT]
        assert answer.batch.rows == len(answer.input_rows) <= MOST
        assert all(0 <= row < ASKED.rows for row in answer.input_rows.tolist())
        temp = answer.batch.columns["temp"]
        assert isinstance(temp, NumberColumn)
        assert np.isfinite(temp.values[slice(None) if temp.valid is None else temp.valid]).all()
