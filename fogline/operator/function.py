"""The decorated function, with what runs before its first batch and after its last one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, overload

from fogline.engine.answer import RowAnswer
from fogline.engine.batch import Batch as Columns
from fogline.model.plan import OutputColumn
from fogline.operator.batch import Batch
from fogline.operator.columns import WrongColumn, as_type
from fogline.wire.batch import distinct

Function = Callable[[Batch], Batch]
Hook = TypeVar("Hook", bound=Callable[[], object])


@dataclass(slots=True, kw_only=True)
class Operator:
    """A function over batches, ready to be served. Calling it calls the function."""

    function: Function
    columns: tuple[str, ...] = ()
    """Columns of the input that the function reads; empty: all are sent."""
    starts: list[Callable[[], object]] = field(default_factory=list)
    stops: list[Callable[[], object]] = field(default_factory=list)

    def __call__(self, batch: Batch) -> Batch:
        return self.function(batch)

    def on_start(self, hook: Hook) -> Hook:
        """Run this before the first batch, for example to load a model. If it raises, the operator does not start."""
        self.starts.append(hook)
        return hook

    def on_stop(self, hook: Hook) -> Hook:
        """Run this after the last batch, when the operator is told to stop; the last one first."""
        self.stops.append(hook)
        return hook

    def start(self) -> None:
        """Run the start-up hooks."""
        for hook in self.starts:
            hook()

    def stop(self) -> None:
        """Run the shutdown hooks."""
        for hook in reversed(self.stops):
            hook()

    def answer(self, asked: Columns, output: Sequence[OutputColumn]) -> RowAnswer:
        """Run the function and bring what it gives to these columns; without any, to what it has.

        Raises whatever the function raises, and :class:`WrongColumn` if a column is missing or of another type.
        """
        given: object = self.function(Batch(asked))
        if not isinstance(given, Batch):
            kind = type(given).__name__
            raise WrongColumn(
                f"the function gave {kind}, not a batch", hint="for no rows return batch.take([])"
            )
        columns = dict(given.columns)
        if output:
            for one in output:
                if one.name not in columns:
                    names = ", ".join(given.names)
                    raise WrongColumn(f"column {one.name!r} is missing; the function gave {names}")
            columns = {one.name: as_type(one.name, columns[one.name], one.type) for one in output}
        return RowAnswer(
            batch=Columns(rows=len(given), time_us=given.time_us, columns=columns),
            input_rows=given.input_rows,
            filtered=asked.rows - distinct(given.input_rows),
        )


@overload
def operator(function: Function, /) -> Operator: ...


@overload
def operator(*, columns: Sequence[str] = ()) -> Callable[[Function], Operator]: ...


def operator(
    function: Function | None = None, /, *, columns: Sequence[str] = ()
) -> Operator | Callable[[Function], Operator]:
    """Make an operator of a function; ``columns``: those of the input that it reads, if not all."""
    if function is not None:
        return Operator(function=function)
    return lambda given: Operator(function=given, columns=tuple(columns))
