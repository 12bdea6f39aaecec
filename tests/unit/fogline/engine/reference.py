"""SQL's expressions one row at a time, written apart from the engine and as plainly as possible."""

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from fogline.model.plan import Column, Constant, Expression, Scalar

Number = int | float
Row = Mapping[str, Scalar]

LEAST, MOST = -(2**63), 2**63 - 1


def value_of(expression: Expression, row: Row, floats: frozenset[str]) -> Scalar:
    """The value of an expression in one row; ``floats`` names the columns that hold floats."""
    if isinstance(expression, Constant):
        return expression.value
    if isinstance(expression, Column):
        value = row[expression.name]
        return None if isinstance(value, float) and not math.isfinite(value) else value
    name = expression.operation
    values = [value_of(argument, row, floats) for argument in expression.arguments]
    if name in ("coalesce", "case", "least", "greatest", "nullif"):
        return CHOICES[name](values, is_float(expression, floats))
    if name in THREE_VALUED:
        return THREE_VALUED[name](values)
    if None in values:
        return None
    return STRICT[name](values)


def is_float(expression: Expression, floats: frozenset[str]) -> bool:
    """Whether a number expression yields floats, from its columns and constants alone."""
    if isinstance(expression, Constant):
        return isinstance(expression.value, float)
    if isinstance(expression, Column):
        return expression.name in floats
    name, arguments = expression.operation, expression.arguments
    if name in ("/", "to_float"):
        return True
    if name == "to_int":
        return False
    if name == "case":
        arguments = (*arguments[1:-1:2], arguments[-1])
    if name in ("round", "nullif"):
        arguments = arguments[:1]
    return any(is_float(argument, floats) for argument in arguments)


def conjunction(values: Sequence[Scalar]) -> bool | None:
    if any(value is False for value in values):
        return False
    return None if None in values else True


def disjunction(values: Sequence[Scalar]) -> bool | None:
    if any(value is True for value in values):
        return True
    return None if None in values else False


THREE_VALUED: Mapping[str, Callable[[Sequence[Scalar]], Scalar]] = {
    "and": conjunction,
    "or": disjunction,
    "is_null": lambda values: values[0] is None,
}


def finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def arithmetic(
    integers: Callable[[int, int], int], floats: Callable[[float, float], float]
) -> Callable[[Sequence[Scalar]], Scalar]:
    def run(values: Sequence[Scalar]) -> Scalar:
        a, b = values
        assert isinstance(a, Number)
        assert isinstance(b, Number)
        if isinstance(a, int) and isinstance(b, int):
            result = integers(a, b)
            return result if LEAST <= result <= MOST else None
        return finite(floats(float(a), float(b)))

    return run


def divide(values: Sequence[Scalar]) -> float | None:
    a, b = (float(value) for value in values if isinstance(value, Number))
    return None if b == 0 else finite(a / b)


def modulo(values: Sequence[Scalar]) -> Number | None:
    a, b = values
    assert isinstance(a, Number)
    assert isinstance(b, Number)
    if b == 0:
        return None
    if isinstance(a, int) and isinstance(b, int):
        return abs(a) % abs(b) * (-1 if a < 0 else 1)
    return math.fmod(a, b)


def half_away(value: float) -> int:
    whole = math.floor(abs(Fraction(value)) + Fraction(1, 2))
    return -whole if value < 0 else whole


def rounded(values: Sequence[Scalar]) -> Number:
    value = values[0]
    assert isinstance(value, Number)
    if isinstance(value, int):
        return value
    digits = values[1] if len(values) > 1 else 0
    assert isinstance(digits, int)
    scaled = value * 10.0**digits
    return half_away(scaled) / 10.0**digits if math.isfinite(scaled) else value


def limited(value: int) -> int | None:
    return value if LEAST <= value <= MOST else None


def unary(operation: Callable[[Number], Number]) -> Callable[[Sequence[Scalar]], Scalar]:
    def run(values: Sequence[Scalar]) -> Scalar:
        assert isinstance(values[0], Number)
        result = operation(values[0])
        return limited(result) if isinstance(result, int) else result

    return run


def to_int(values: Sequence[Scalar]) -> int | None:
    value = values[0]
    if isinstance(value, float):
        return limited(half_away(value))
    if isinstance(value, str):
        try:
            return None if "_" in value else limited(int(value))
        except ValueError:
            return None
    assert value is not None
    return int(value)


def to_float(values: Sequence[Scalar]) -> float | None:
    value = values[0]
    if isinstance(value, str) and "_" in value:
        return None
    try:
        return finite(float(value if value is not None else math.nan))
    except ValueError:
        return None


def to_text(values: Sequence[Scalar]) -> str:
    value = values[0]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value + 0.0) if isinstance(value, float) else str(value)


def compared(order: Callable[[int], bool]) -> Callable[[Sequence[Scalar]], bool]:
    def run(values: Sequence[Scalar]) -> bool:
        a, b = alike(values)
        return order((a > b) - (a < b))  # type: ignore[operator]  # both are of one type

    return run


def alike(values: Sequence[Scalar]) -> list[Scalar]:
    if any(isinstance(value, float) for value in values):
        return [float(value) if isinstance(value, int) else value for value in values]
    return list(values)


def joined(values: Sequence[Scalar]) -> str:
    return "".join(str(value) for value in values)


STRICT: Mapping[str, Callable[[Sequence[Scalar]], Scalar]] = {
    "not": lambda values: not values[0],
    "=": compared(lambda sign: sign == 0),
    "<>": compared(lambda sign: sign != 0),
    "<": compared(lambda sign: sign < 0),
    "<=": compared(lambda sign: sign <= 0),
    ">": compared(lambda sign: sign > 0),
    ">=": compared(lambda sign: sign >= 0),
    "+": arithmetic(lambda a, b: a + b, lambda a, b: a + b),
    "-": arithmetic(lambda a, b: a - b, lambda a, b: a - b),
    "*": arithmetic(lambda a, b: a * b, lambda a, b: a * b),
    "/": divide,
    "%": modulo,
    "neg": unary(lambda value: -value),
    "abs": unary(abs),
    "floor": unary(lambda value: value if isinstance(value, int) else float(math.floor(value))),
    "ceil": unary(lambda value: value if isinstance(value, int) else float(math.ceil(value))),
    "round": rounded,
    "lower": lambda values: str(values[0]).lower(),
    "upper": lambda values: str(values[0]).upper(),
    "concat": joined,
    "to_int": to_int,
    "to_float": to_float,
    "to_text": to_text,
}


def widened(value: Scalar, floats: bool) -> Scalar:  # noqa: FBT001 - a plain reference
    return float(value) if floats and isinstance(value, int) and not isinstance(value, bool) else value


def first_known(values: Sequence[Scalar], floats: bool) -> Scalar:  # noqa: FBT001
    return next((widened(value, floats) for value in values if value is not None), None)


def case(values: Sequence[Scalar], floats: bool) -> Scalar:  # noqa: FBT001
    for place in range(0, len(values) - 1, 2):
        if values[place] is True:
            return widened(values[place + 1], floats)
    return widened(values[-1], floats) if len(values) % 2 else None


def null_if_equal(values: Sequence[Scalar], _floats: bool) -> Scalar:  # noqa: FBT001
    if None in values:
        return values[0]
    return None if STRICT["="](values) else values[0]


def extreme(sign: int) -> Callable[[Sequence[Scalar], bool], Scalar]:
    def run(values: Sequence[Scalar], floats: bool) -> Scalar:  # noqa: FBT001
        known = [widened(value, floats) for value in values if value is not None]
        best = known[0] if known else None
        for value in known[1:]:
            if STRICT[">" if sign > 0 else "<"]((value, best)):
                best = value
        return best

    return run


CHOICES: Mapping[str, Callable[[Sequence[Scalar], bool], Scalar]] = {
    "coalesce": first_known,
    "case": case,
    "nullif": null_if_equal,
    "least": extreme(-1),
    "greatest": extreme(1),
}
