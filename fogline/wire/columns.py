"""The columns that an operator promises, as wire messages and back."""

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from fogline.model.errors import InvalidInput
from fogline.model.plan import OutputColumn, OutputType
from fogline.v1 import plan_pb2

Word = TypeVar("Word", bound=str)

OUTPUT_TYPES: Final[tuple[OutputType, ...]] = ("text", "float", "int", "bool")


class MalformedPlan(InvalidInput):
    """A plan that contradicts itself or that this version cannot run."""

    code = "malformed_plan"


def one_of(word: str, words: Sequence[Word], what: str) -> Word:
    """The word, if it is one of these; raises :class:`MalformedPlan`."""
    for known in words:
        if word == known:
            return known
    raise MalformedPlan(f"{what} {word!r} is unknown; known: {', '.join(words)}", hint="upgrade this tier")


def output_columns_to_wire(columns: Iterable[OutputColumn]) -> list[plan_pb2.OutputColumn]:
    """Encode what an operator promises."""
    return [
        plan_pb2.OutputColumn(name=one.name, type=one.type, resolution=one.resolution or 0.0)
        for one in columns
    ]


def output_columns_from_wire(messages: Iterable[plan_pb2.OutputColumn]) -> tuple[OutputColumn, ...]:
    """Decode what an operator promises. Raises :class:`MalformedPlan` for an unknown type."""
    return tuple(
        OutputColumn(
            name=one.name,
            type=one_of(one.type, OUTPUT_TYPES, "type of an operator's column"),
            resolution=one.resolution or None,
        )
        for one in messages
    )
