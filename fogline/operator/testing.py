"""Tries an operator without a container, through the same encoding and the same checks as on a node."""

from collections.abc import Iterable, Mapping
from typing import cast

from fogline.model.plan import OutputColumn, OutputType, Scalar
from fogline.operator.batch import Batch
from fogline.operator.function import Function, Operator
from fogline.v1 import operator_pb2
from fogline.wire.batch import batch_from_wire, batch_to_wire, rows_from_wire, rows_to_wire

MOST_ROWS = 1_000_000


def run(
    function: Function | Operator,
    rows: Iterable[Mapping[str, Scalar]],
    output: Mapping[str, str] | None = None,
) -> list[dict[str, Scalar]]:
    """Give rows to an operator and return its rows, each with its ``time_us``. Hooks do not run.

    ``output``: columns that the pipeline promises, name to text, float, int or bool; without it those that the
    function gives. Raises what the function raises and what the node would refuse.
    """
    operator = function if isinstance(function, Operator) else Operator(function=function)
    given = Batch.of(rows)
    return _run(operator, batch_to_wire(given.whole, 0, operator.columns), output or {})


def run_kept(
    function: Function | Operator, kept: bytes, output: Mapping[str, str] | None = None
) -> list[dict[str, Scalar]]:
    """As :func:`run`, on a batch that a node gave up and kept: the content of its ``.batch`` file."""
    operator = function if isinstance(function, Operator) else Operator(function=function)
    return _run(operator, operator_pb2.OperatorBatch.FromString(kept), output or {})


def _run(
    operator: Operator, message: operator_pb2.OperatorBatch, output: Mapping[str, str]
) -> list[dict[str, Scalar]]:
    asked = batch_from_wire(message)
    promised = [OutputColumn(name=name, type=cast("OutputType", kind)) for name, kind in output.items()]
    answer = operator.answer(asked, promised)
    if not promised:
        types = rows_to_wire(0, answer.input_rows, answer.batch.columns).columns
        promised = [OutputColumn(name=c.name, type=cast("OutputType", c.type)) for c in types]
    wire = rows_to_wire(0, answer.input_rows, answer.batch.columns)
    read = rows_from_wire(wire, asked, promised, most_rows=MOST_ROWS)
    return Batch(read.batch, read.input_rows).to_dicts()
