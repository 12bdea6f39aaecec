"""States that a window query keeps, shared between its aggregates, and how results are computed from them."""

from typing import Final

from fogline.engine.function import state_layout
from fogline.engine.state import READINGS
from fogline.model.plan import Call, Column, Constant, Expression, StateSpec
from fogline.sql.calls import typed
from fogline.sql.columns import Typed


class States:
    """The states of one query: each function of each argument is kept once."""

    def __init__(self) -> None:
        self._specs: Final[dict[tuple[str, str], StateSpec]] = {}

    def specs(self) -> tuple[StateSpec, ...]:
        """All states in the order of their first use."""
        return tuple(self._specs.values())

    def readings(self) -> Expression:
        """How many readings there are: every table counts them anyway."""
        return Column(READINGS)

    def finished(self, name: str, argument: Typed) -> Typed:
        """The value of an aggregate.

        Raises :class:`InvalidExpression` for an argument that it does not take.
        """
        if name == "count":
            return typed(self._state("count", argument), "int")
        if name == "approx_distinct":
            return typed(Call("distinct_of", (self._state("registers", argument),)), "int")
        if name == "avg":
            return typed(Call("/", (self._state("sum", argument), self._state("count", argument))), "float")
        state = self._state(name, argument)
        if name == "sum":
            # A sum of nothing is null, not 0: only the count tells.
            some = Call(">", (self._state("count", argument), Constant(0)))
            whole = argument.column.type == "int" and argument.column.resolution is None
            return typed(Call("case", (some, state)), "int" if whole else "float")
        if argument.column.type == "int":
            return typed(Call("to_int", (state,)), "int")
        return typed(state, "float")

    def quantile(self, argument: Typed, share: float) -> Typed:
        """A quantile; all quantiles of one argument share their buckets."""
        return typed(Call("quantile_of", (self._state("log_buckets", argument), Constant(share))), "float")

    def _state(self, function: str, argument: Typed) -> Expression:
        resolution = argument.column.resolution
        kind, parameters = state_layout(function, argument.column.type, resolution)
        key = (function, repr(argument.expression))
        if key not in self._specs:
            name = f"{function}#{len(self._specs) + 1}"
            self._specs[key] = StateSpec(
                name=name,
                kind=kind,
                function=function,
                argument=argument.expression,
                parameters=dict(parameters),
            )
        return Column(self._specs[key].name)
