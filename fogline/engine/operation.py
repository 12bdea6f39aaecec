"""The operations that an expression may call: each once, with its name, what it takes, gives and does.

The same table checks a plan where it is made (:func:`result_type`) and evaluates it where it runs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from fogline.engine import arithmetic, logic, text
from fogline.engine.batch import BatchColumn
from fogline.engine.columns import InvalidExpression

ValueType = Literal["truth", "int", "float", "text", "null", "buckets", "registers"]
"""``null`` is the type of the constant NULL and fits everywhere; the last two are states, when finishing."""

Signature = Callable[[Sequence[ValueType]], ValueType | None]
"""The result's type for these arguments' types; ``None`` if they do not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How an operation is called."""

    name: str
    least: int
    """The fewest arguments."""
    most: int | None
    """The most arguments; ``None``: any number."""
    takes: str
    """What the arguments have to be, in words for people."""
    signature: Signature

    def takes_count(self, arguments: int) -> bool:
        """Whether it can be called with this many arguments."""
        return self.least <= arguments and (self.most is None or arguments <= self.most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Form):
    """One operation on columns."""

    run: Callable[[Sequence[BatchColumn]], BatchColumn]


def result_type(operation: str, arguments: Sequence[ValueType]) -> ValueType:
    """Check a call and tell the type of its result.

    Raises :class:`InvalidExpression` for an unknown operation, a wrong number of arguments or wrong types.
    """
    known = OPERATIONS.get(operation) or FINISHING.get(operation)
    if known is None:
        raise InvalidExpression(
            f"there is no operation {operation!r}", hint=f"known: {', '.join(OPERATIONS)}"
        )
    if not known.takes_count(len(arguments)):
        wanted = f"{known.least}" if known.most == known.least else f"{known.least} to {known.most or 'many'}"
        raise InvalidExpression(f"{operation} takes {wanted} arguments, not {len(arguments)}")
    given = known.signature(arguments)
    if given is None:
        raise InvalidExpression(
            f"{operation} cannot take {', '.join(arguments)}", hint=f"it takes {known.takes}"
        )
    return given


def common_type(types: Sequence[ValueType]) -> ValueType | None:
    """Find the one type that all of these can become; ``None`` if there is none."""
    found: set[ValueType] = {one for one in types if one != "null"}
    if found == {"int", "float"}:
        return "float"
    if len(found) > 1 or found & {"buckets", "registers"}:
        return None
    return found.pop() if found else "null"


def _all(kind: ValueType, result: ValueType) -> Signature:
    return lambda types: result if all(one in (kind, "null") for one in types) else None


def _numbers(types: Sequence[ValueType]) -> ValueType | None:
    if not all(one in ("int", "float", "null") for one in types):
        return None
    return "float" if "float" in types else "int"


def _quotient(types: Sequence[ValueType]) -> ValueType | None:
    return "float" if _numbers(types) else None


def _rounding(types: Sequence[ValueType]) -> ValueType | None:
    return _numbers(types[:1]) if all(one == "int" for one in types[1:]) else None


def _comparison(types: Sequence[ValueType]) -> ValueType | None:
    return "truth" if common_type(types) else None


def _value(result: ValueType) -> Signature:
    return lambda types: None if {"buckets", "registers"} & set(types) else result


def _first(types: Sequence[ValueType]) -> ValueType | None:
    return types[0] if common_type(types) else None


def _case(types: Sequence[ValueType]) -> ValueType | None:
    paired = len(types) - len(types) % 2
    if any(one not in ("truth", "null") for one in types[:paired:2]):
        return None
    return common_type([*types[1:paired:2], *types[paired:]])


def _quantile(types: Sequence[ValueType]) -> ValueType | None:
    return "float" if types[0] == "buckets" and types[1] in ("int", "float") else None


def _distinct(types: Sequence[ValueType]) -> ValueType | None:
    return "int" if types[0] == "registers" else None


_RULES: Final[Mapping[str, tuple[str, Signature]]] = {
    "truths": ("conditions", _all("truth", "truth")),
    "same": ("values of one type", _comparison),
    "any": ("any value", _value("truth")),
    "numbers": ("numbers", _numbers),
    "quotient": ("numbers", _quotient),
    "rounding": ("a number and a constant number of digits", _rounding),
    "common": ("values of one type", common_type),
    "first": ("two values of one type", _first),
    "case": ("conditions, each with a value, and values of one type", _case),
    "texts": ("texts", _all("text", "text")),
    "float": ("any value", _value("float")),
    "int": ("any value", _value("int")),
    "text": ("any value", _value("text")),
}

_TABLE: Final[Sequence[tuple[str, int, int | None, str, Callable[[Sequence[BatchColumn]], BatchColumn]]]] = (
    ("and", 2, None, "truths", logic.every),
    ("or", 2, None, "truths", logic.some),
    ("not", 1, 1, "truths", logic.negation),
    ("=", 2, 2, "same", logic.equal),
    ("<>", 2, 2, "same", logic.unequal),
    ("<", 2, 2, "same", logic.less),
    ("<=", 2, 2, "same", logic.at_most),
    (">", 2, 2, "same", logic.greater),
    (">=", 2, 2, "same", logic.at_least),
    ("is_null", 1, 1, "any", logic.is_null),
    ("+", 2, 2, "numbers", arithmetic.add),
    ("-", 2, 2, "numbers", arithmetic.subtract),
    ("*", 2, 2, "numbers", arithmetic.multiply),
    ("/", 2, 2, "quotient", arithmetic.divide),
    ("%", 2, 2, "numbers", arithmetic.modulo),
    ("neg", 1, 1, "numbers", arithmetic.negate),
    ("abs", 1, 1, "numbers", arithmetic.absolute),
    ("round", 1, 2, "rounding", arithmetic.round_half_away),
    ("floor", 1, 1, "numbers", arithmetic.floor),
    ("ceil", 1, 1, "numbers", arithmetic.ceil),
    ("coalesce", 1, None, "common", logic.first_known),
    ("nullif", 2, 2, "first", logic.null_if_equal),
    ("case", 2, None, "case", logic.case),
    ("least", 1, None, "common", logic.least),
    ("greatest", 1, None, "common", logic.greatest),
    ("lower", 1, 1, "texts", text.lower),
    ("upper", 1, 1, "texts", text.upper),
    ("concat", 2, None, "texts", text.concat),
    ("to_float", 1, 1, "float", text.to_float),
    ("to_int", 1, 1, "int", text.to_int),
    ("to_text", 1, 1, "text", text.to_text),
)

OPERATIONS: Final[Mapping[str, Operation]] = {
    name: Operation(
        name=name, least=least, most=most, takes=_RULES[rule][0], signature=_RULES[rule][1], run=run
    )
    for name, least, most, rule, run in _TABLE
}
"""Every operation by name, in rows and in results alike."""

FINISHING: Final[Mapping[str, Form]] = {
    "quantile_of": Form(
        name="quantile_of", least=2, most=2, takes="buckets and a constant from 0 to 1", signature=_quantile
    ),
    "distinct_of": Form(name="distinct_of", least=1, most=1, takes="registers", signature=_distinct),
}
"""What only the outputs of a window query may call, on a state that they name as a column."""
