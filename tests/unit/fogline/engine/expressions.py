"""Random well-typed expressions and rows for them."""

from hypothesis import strategies as st

from fogline.model.plan import Call, Column, Constant, Expression, Scalar

COLUMNS = {"i": "int", "j": "int", "f": "float", "g": "float", "t": "text", "u": "text", "b": "truth"}

INTEGERS = st.one_of(st.integers(-5, 5), st.integers(-(2**63), 2**63 - 1), st.sampled_from([-(2**63), 2**62]))
FLOATS = st.one_of(
    st.sampled_from([0.0, -0.0, 0.5, -2.5, 1.005, 0.49999999999999994, 1e308, 2.0**63, 5e-324]),
    st.floats(allow_nan=False, allow_infinity=False),
)
TEXTS = st.sampled_from(
    ["", "a", "A", "b", "ab", "12", "-1.5", " 7 ", "1_0", "nan", "1e400", "99999999999999999999"]
)

ROW = st.fixed_dictionaries(
    {
        "i": st.none() | INTEGERS,
        "j": st.none() | INTEGERS,
        "f": st.none() | FLOATS | st.sampled_from([float("nan"), float("inf")]),
        "g": st.none() | FLOATS,
        "t": st.none() | TEXTS,
        "u": st.none() | TEXTS,
        "b": st.none() | st.booleans(),
    }
)
ROWS: st.SearchStrategy[list[dict[str, Scalar]]] = st.lists(ROW, min_size=1, max_size=6)


def call(operation: str, *arguments: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.tuples(*arguments).map(lambda found: Call(operation, tuple(found)))


def leaves(kind: str, constants: st.SearchStrategy[Scalar]) -> st.SearchStrategy[Expression]:
    names = [name for name, one in COLUMNS.items() if one == kind]
    return st.sampled_from(names).map(Column) | (constants | st.none()).map(Constant)


def number(depth: int) -> st.SearchStrategy[Expression]:
    leaf = leaves("int", INTEGERS) | leaves("float", FLOATS)
    if not depth:
        return leaf
    deeper = st.deferred(lambda: number(depth - 1))
    digits = st.integers(0, 15).map(Constant)
    return st.one_of(
        leaf,
        *(call(name, deeper, deeper) for name in ("+", "-", "*", "/", "%", "nullif", "least", "greatest")),
        *(call(name, deeper) for name in ("neg", "abs", "floor", "ceil", "round")),
        call("round", deeper, digits),
        call("coalesce", deeper, deeper, deeper),
        call("case", truth(depth - 1), deeper, truth(depth - 1), deeper, deeper),
        call("to_int", deeper | text(depth - 1) | truth(depth - 1)),
        call("to_float", deeper | text(depth - 1) | truth(depth - 1)),
    )


def text(depth: int) -> st.SearchStrategy[Expression]:
    leaf = leaves("text", TEXTS)
    if not depth:
        return leaf
    deeper = st.deferred(lambda: text(depth - 1))
    return st.one_of(
        leaf,
        *(call(name, deeper) for name in ("lower", "upper")),
        *(call(name, deeper, deeper) for name in ("concat", "coalesce", "nullif", "least", "greatest")),
        call("case", truth(depth - 1), deeper),
        call("to_text", number(depth - 1) | truth(depth - 1)),
    )


def truth(depth: int) -> st.SearchStrategy[Expression]:
    leaf = leaves("truth", st.booleans())
    if not depth:
        return leaf
    deeper = st.deferred(lambda: truth(depth - 1))
    comparisons = ("=", "<>", "<", "<=", ">", ">=")
    return st.one_of(
        leaf,
        *(call(name, number(depth - 1), number(depth - 1)) for name in comparisons),
        *(call(name, text(depth - 1), text(depth - 1)) for name in comparisons),
        call("and", deeper, deeper, deeper),
        call("or", deeper, deeper),
        call("not", deeper),
        call("nullif", deeper, deeper),
        call("coalesce", deeper, deeper),
        call("is_null", number(depth - 1) | text(depth - 1) | deeper),
    )
