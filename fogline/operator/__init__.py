"""Write an operator: a function over a batch of rows, run by a node in a container of its own.

    from fogline.operator import Batch, operator

    @operator
    def clean(batch: Batch) -> Batch:
        good = batch.filter(batch["temp"] < 85)
        return good.with_columns(score=good["temp"] / 85)

``python -m fogline.operator clean:clean`` serves it; :func:`fogline.operator.testing.run` tries it without a container.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fogline.operator.batch import Batch as Batch
    from fogline.operator.columns import Values as Values
    from fogline.operator.function import Operator as Operator
    from fogline.operator.function import operator as operator
    from fogline.operator.server import serve as serve

__all__ = ["Batch", "Operator", "Values", "operator", "serve"]

_PLACES: Final = {
    "Batch": "batch",
    "Operator": "function",
    "Values": "columns",
    "operator": "function",
    "serve": "server",
}


def __getattr__(name: str) -> object:
    # `python -m fogline.operator` imports this first, and prepares what numpy finds when it is imported.
    if name in _PLACES:
        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
