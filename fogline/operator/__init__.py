"""Write an operator: a function over a batch of rows, run by a node in a container of its own.

    from fogline.operator import Batch, operator

    @operator
    def clean(batch: Batch) -> Batch:
        good = batch.filter(batch["temp"] < 85)
        return good.with_columns(score=good["temp"] / 85)

``python -m fogline.operator clean:clean`` serves it; :func:`fogline.operator.testing.run` tries it without a container.
"""

from fogline.operator.batch import Batch
from fogline.operator.columns import Values
from fogline.operator.operator import Operator, operator
from fogline.operator.server import serve

__all__ = ["Batch", "Operator", "Values", "operator", "serve"]
