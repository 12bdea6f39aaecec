from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fogline.engine.batch import (
    TIME,
    Batch,
    BatchColumn,
    NumberColumn,
    TextColumn,
    TruthColumn,
    text_column,
)
from fogline.engine.expression import InvalidExpression, evaluate, expression_type, true_rows
from fogline.engine.finish import scalars
from fogline.engine.operation import OPERATIONS, ValueType
from fogline.model.plan import Call, Column, Constant, Expression, Scalar
from tests.unit.fogline.engine.expressions import COLUMNS, ROWS, number, text, truth
from tests.unit.fogline.engine.reference import value_of

FLOATS = frozenset(name for name, kind in COLUMNS.items() if kind == "float")
TYPES: dict[str, ValueType] = {
    "i": "int",
    "j": "int",
    "f": "float",
    "g": "float",
    "t": "text",
    "u": "text",
    "b": "truth",
}


def column_of(kind: str, values: list[Scalar]) -> BatchColumn:
    if kind == "text":
        return text_column([None if value is None else str(value) for value in values])
    valid = np.array([value is not None for value in values], dtype=np.bool_)
    if kind == "truth":
        return TruthColumn(values=np.array([bool(value) for value in values], dtype=np.bool_), valid=valid)
    filled = [0 if value is None else value for value in values]
    if kind == "int":
        return NumberColumn(values=np.array(filled, dtype=np.int64), valid=valid)
    return NumberColumn(values=np.array(filled, dtype=np.float64), valid=valid)


def batch_of(rows: list[dict[str, Scalar]]) -> Batch:
    columns = {name: column_of(kind, [row[name] for row in rows]) for name, kind in COLUMNS.items()}
    return Batch(rows=len(rows), time_us=np.arange(len(rows), dtype=np.int64), columns=columns)


def call(operation: str, *arguments: Expression | Scalar) -> Call:
    given = [one if isinstance(one, Column | Constant | Call) else Constant(one) for one in arguments]
    return Call(operation, tuple(given))


@settings(max_examples=500, deadline=None)
@given(expression=number(3) | text(2) | truth(3), rows=ROWS)
def test_columns_give_what_a_reference_gives_row_by_row(
    expression: Expression, rows: list[dict[str, Scalar]]
) -> None:
    found = scalars(evaluate(expression, batch_of(rows)))

    assert found == [value_of(expression, row, FLOATS) for row in rows]


EDGES: dict[str, list[Scalar]] = {
    "int": [None, 0, 1, -1, 2, 3, -3, 5, 2**31, 2**32, -(2**62), 2**62, 2**63 - 1, -(2**63), -(2**63) + 1],
    "float": [
        None,
        0.0,
        -0.0,
        0.5,
        -0.5,
        1.5,
        -2.5,
        0.49999999999999994,
        3.0,
        2.0**63,
        -(2.0**63),
        1e308,
        5e-324,
    ],
    "text": [None, "", "a", "A", "b", "ab", "12", "-1.5", "nan"],
    "truth": [None, True, False],
}
PAIRS = (("i", "j"), ("f", "g"), ("i", "f"), ("t", "u"), ("b", "b"))
GRID: list[dict[str, Scalar]] = [
    {**dict.fromkeys(COLUMNS), first: one, second: other}
    for first, second in PAIRS
    for one, other in product(EDGES[COLUMNS[first]], EDGES[COLUMNS[second]])
]
NUMERIC = (
    "+",
    "-",
    "*",
    "/",
    "%",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "nullif",
    "least",
    "greatest",
    "coalesce",
)
ROUNDING = ("neg", "abs", "floor", "ceil", "round", "to_int", "to_float", "to_text", "is_null")


@pytest.mark.parametrize(
    "expression",
    [
        *(
            call(name, Column(a), Column(b))
            for name in NUMERIC
            for a, b in (("i", "j"), ("f", "g"), ("i", "f"))
        ),
        *(call(name, Column(a)) for name in ROUNDING for a in ("i", "f")),
        *(call(name, Column("t"), Column("u")) for name in ("=", "<", ">=", "concat", "least", "nullif")),
        *(call(name, Column("t")) for name in ("lower", "upper", "to_int", "to_float", "to_text")),
        *(call(name, Column("b"), one) for name in ("and", "or", "=") for one in (True, False, None)),
        call("round", Column("f"), 1),
    ],
    ids=repr,
)
def test_every_operation_is_right_at_the_edges_of_its_types(expression: Call) -> None:
    assert scalars(evaluate(expression, batch_of(GRID))) == [
        value_of(expression, row, FLOATS) for row in GRID
    ]


@settings(max_examples=300, deadline=None)
@given(expression=number(3) | text(2) | truth(2), rows=ROWS)
def test_the_type_that_is_told_beforehand_is_the_type_of_every_value(
    expression: Expression, rows: list[dict[str, Scalar]]
) -> None:
    kinds = {"int": int, "float": float, "text": str, "truth": bool, "null": type(None)}
    told = kinds[expression_type(expression, TYPES)]

    assert all(
        value is None or type(value) is told for value in scalars(evaluate(expression, batch_of(rows)))
    )


@given(rows=ROWS, condition=truth(2))
def test_true_rows_are_neither_false_nor_null(rows: list[dict[str, Scalar]], condition: Expression) -> None:
    found = true_rows(condition, batch_of(rows)).tolist()

    assert found == [value_of(condition, row, FLOATS) is True for row in rows]


@pytest.mark.parametrize("kind", ["number", "text", "truth"])
def test_an_empty_batch_gives_an_empty_column(kind: str) -> None:
    expression = {
        "number": call("*", call("round", Column("f"), 2), call("%", Column("i"), 3)),
        "text": call("concat", call("upper", Column("t")), call("to_text", Column("i"))),
        "truth": call("and", call("=", Column("t"), "a"), call("<", Column("i"), 3)),
    }[kind]

    assert scalars(evaluate(expression, batch_of([]))) == []


def test_the_event_time_is_an_integer_column() -> None:
    batch = batch_of([dict.fromkeys(COLUMNS)] * 2)

    assert scalars(evaluate(call("+", Column(TIME), 10), batch)) == [10, 11]
    assert expression_type(Column(TIME), {}) == "int"


def test_a_null_column_without_a_type_fits_where_any_type_is_wanted() -> None:
    batch = batch_of([dict.fromkeys(COLUMNS)])

    for operation in ("not", "neg", "lower", "to_int", "to_float", "to_text", "abs"):
        assert scalars(evaluate(call(operation, None), batch)) == [None]
    for operation in ("and", "+", "concat", "=", "coalesce", "least", "nullif"):
        assert scalars(evaluate(call(operation, None, None), batch)) == [None]
    assert scalars(evaluate(call("lower", call("+", None, 1)), batch)) == [None]
    assert scalars(evaluate(call("neg", call("lower", None)), batch)) == [None]
    assert scalars(evaluate(call("not", call("lower", None)), batch)) == [None]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (Column("absent"), "no column 'absent'"),
        (call("sin", 1.0), "sin"),
        (call("neg", 1, 2), "neg"),
        (call("neg", "a"), "number is needed"),
        (call("not", 1), "condition is needed"),
        (call("lower", 1), "text is needed"),
        (call("=", "a", 1), "cannot be mixed"),
        (call("round", 1.5, 16), "digits"),
        (call("round", 1.5, Column("i")), "digits"),
        (Constant(2**63), "64-bit"),
        (Constant(float("nan")), "finite"),
    ],
)
def test_what_has_no_meaning_is_refused(expression: Expression, words: str) -> None:
    rows: list[dict[str, Scalar]] = [{**dict.fromkeys(COLUMNS), "i": one} for one in (1, 2)]

    with pytest.raises(InvalidExpression, match=words):
        evaluate(expression, batch_of(rows))


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (Column("absent"), "no column"),
        (call("sin", 1.0), "no operation 'sin'"),
        (call("neg", 1, 2), "neg takes 1 arguments, not 2"),
        (call("and", True), "and takes 2 to many arguments"),
        (call("neg", "a"), "neg cannot take text"),
        (call("/", "a", 1), "cannot take text, int"),
        (call("round", 1.5, 0.5), "cannot take float, float"),
        (call("not", 1), "cannot take int"),
        (call("=", "a", 1), "cannot take text, int"),
        (call("nullif", "a", 1), "cannot take text, int"),
        (call("case", 1, "a"), "cannot take int, text"),
        (call("case", True, "a", 1), "cannot take truth, text, int"),
        (call("coalesce", Column("sketch"), Column("sketch")), "cannot take buckets"),
        (call("is_null", Column("sketch")), "cannot take buckets"),
        (call("quantile_of", Column("i"), 0.5), "cannot take int, float"),
        (call("distinct_of", Column("sketch")), "cannot take buckets"),
        (Constant(2**63), "64-bit"),
    ],
)
def test_a_check_without_data_refuses_it_too(expression: Expression, words: str) -> None:
    with pytest.raises(InvalidExpression, match=words):
        expression_type(expression, {**TYPES, "sketch": "buckets"})


def test_finishing_operations_have_types() -> None:
    states: dict[str, ValueType] = {"p": "buckets", "d": "registers"}

    assert expression_type(call("quantile_of", Column("p"), 0.5), states) == "float"
    assert expression_type(call("distinct_of", Column("d")), states) == "int"


@given(st.sampled_from(sorted(OPERATIONS)))
def test_every_operation_says_what_it_takes(name: str) -> None:
    operation = OPERATIONS[name]

    assert operation.name == name
    assert operation.takes
    assert operation.takes_count(operation.least)
    assert not operation.takes_count(operation.least - 1)


def test_a_field_keeps_its_resolution_and_loses_what_is_not_finite() -> None:
    column = NumberColumn(values=np.array([1.0, np.nan, np.inf]), resolution=0.5)
    batch = Batch(rows=3, time_us=np.zeros(3, dtype=np.int64), columns={"x": column})
    found = evaluate(Column("x"), batch)

    assert isinstance(found, NumberColumn)
    assert found.resolution == 0.5
    assert scalars(found) == [1.0, None, None]


def test_constants_of_different_types_in_one_expression_are_kept_apart() -> None:
    batch = batch_of([{**dict.fromkeys(COLUMNS), "i": 1}])
    expression = call(
        "concat", call("to_text", call("+", Column("i"), 1)), call("to_text", call("+", Column("i"), 1.0))
    )

    assert scalars(evaluate(expression, batch)) == ["22.0"]


def test_columns_without_a_mask_have_no_null() -> None:
    columns: dict[str, BatchColumn] = {
        "n": NumberColumn(values=np.array([1, 2])),
        "b": TruthColumn(values=np.array([True, False])),
        "t": text_column(["1", "2.5"]),
    }
    batch = Batch(rows=2, time_us=np.zeros(2, dtype=np.int64), columns=columns)

    for expression, values in (
        (call("and", Column("b"), call(">", Column("n"), 0)), [True, False]),
        (call("or", Column("b"), call(">", Column("n"), 5)), [True, False]),
        (call("is_null", Column("b")), [False, False]),
        (call("to_text", Column("n")), ["1", "2"]),
        (call("to_float", Column("b")), [1.0, 0.0]),
        (call("to_int", Column("t")), [1, None]),
        (call("to_int", "9" * 41), [None, None]),
        (call("to_float", "1_0"), [None, None]),
        (call("to_int", "99999999999999999999"), [None, None]),
        (call("least", Column("n"), 2), [1, 2]),
        (call("round", Column("n"), 3), [1, 2]),
    ):
        assert scalars(evaluate(expression, batch)) == values


def test_a_dictionary_that_outgrew_its_rows_is_read_without_its_unused_texts() -> None:
    column = TextColumn(codes=np.array([7, -1, 2], dtype=np.int32), dictionary=tuple("hgfedcba"))
    batch = Batch(rows=3, time_us=np.zeros(3, dtype=np.int64), columns={"t": column})
    found = evaluate(Column("t"), batch)

    assert isinstance(found, TextColumn)
    assert found.dictionary == ("f", "a")
    assert scalars(found) == ["a", None, "f"]


def test_texts_compare_by_code_point_whatever_their_dictionary() -> None:
    left = TextColumn(codes=np.array([0, 1, 2, -1], dtype=np.int32), dictionary=("b", "a", "é"))
    right = TextColumn(codes=np.array([0, 0, 0, 0], dtype=np.int32), dictionary=("b", "unused"))
    batch = Batch(rows=4, time_us=np.zeros(4, dtype=np.int64), columns={"l": left, "r": right})

    assert scalars(evaluate(call("<", Column("l"), Column("r")), batch)) == [False, True, False, None]
