"""Words of the SQL of steps: what each becomes, and what to write instead of those that are not there."""

from typing import Final

from sqlglot import exp

from fogline.engine.expression import ValueType

BINARY: Final[dict[type[exp.Expr], str]] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
CHAINS: Final[dict[type[exp.Expr], str]] = {exp.And: "and", exp.Or: "or", exp.DPipe: "concat"}
"""A long chain of these is one call with many arguments, not a deep tree."""

COMPARISONS: Final = frozenset({"=", "<>", "<", "<=", ">", ">="})

FUNCTIONS: Final = {
    name: name
    for name in (
        "abs",
        "ceil",
        "coalesce",
        "concat",
        "floor",
        "greatest",
        "least",
        "lower",
        "nullif",
        "round",
        "upper",
    )
} | {"mod": "%"}
"""Functions of one row as they are written, and the engine's operations."""

AGGREGATES: Final = ("approx_distinct", "avg", "count", "max", "min", "quantile", "sum")

CASTS: Final = {
    "FLOAT": "to_float",
    "DOUBLE": "to_float",
    "INT": "to_int",
    "BIGINT": "to_int",
    "TEXT": "to_text",
    "VARCHAR": "to_text",
}

INSTEAD: Final = {
    exp.Like: "compare with = or IN; patterns come with a later release",
    exp.ILike: "compare lower(x) with = or IN; patterns come with a later release",
    exp.Subquery: "make the inner SELECT a step of its own and read FROM it",
    exp.Select: "make the inner SELECT a step of its own and read FROM it",
    exp.Exists: "make the inner SELECT a step of its own and read FROM it",
    exp.Window: "GROUP BY keys, TUMBLE(time, INTERVAL '10 seconds') instead",
    exp.Filter: "use a CASE inside: sum(CASE WHEN condition THEN x END)",
    exp.WithinGroup: "write quantile(x, 0.5)",
    exp.If: "write CASE WHEN condition THEN a ELSE b END",
    exp.NullSafeEQ: "write a = b OR (a IS NULL AND b IS NULL)",
    exp.NullSafeNEQ: "write a <> b, and IS NULL where nulls matter",
    exp.Interval: "an INTERVAL stands only in TUMBLE(time, INTERVAL '10 seconds')",
    exp.Tuple: "write one value",
    exp.Star: "* stands only in SELECT * of a row query and in count(*)",
    exp.CurrentTimestamp: "every reading has its own time; there is no now",
}

KEYWORDS: Final[dict[type[exp.Expr], tuple[str, ...]]] = {
    exp.Like: ("LIKE",),
    exp.ILike: ("ILIKE",),
    exp.Window: ("OVER",),
    exp.Filter: ("FILTER",),
    exp.WithinGroup: ("WITHIN",),
    exp.Exists: ("EXISTS",),
    exp.Subquery: ("SELECT",),
    exp.Select: ("SELECT",),
    exp.NullSafeEQ: ("DISTINCT",),
    exp.NullSafeNEQ: ("DISTINCT",),
    exp.Interval: ("INTERVAL",),
}
"""Words at which an expression is blamed that has no first word of its own."""

FUNCTIONS_INSTEAD: Final = {
    "approx_count_distinct": "write approx_distinct(x)",
    "approx_quantile": "write quantile(x, 0.99)",
    "percentile": "write quantile(x, 0.99)",
    "percentile_cont": "write quantile(x, 0.5)",
    "percentile_disc": "write quantile(x, 0.5)",
    "median": "write quantile(x, 0.5)",
    "mean": "write avg(x)",
    "ceiling": "write ceil(x)",
    "ifnull": "write coalesce(x, y)",
    "nvl": "write coalesce(x, y)",
    "date_trunc": "TUMBLE(time, INTERVAL '1 hour') in GROUP BY makes windows",
    "time_bucket": "TUMBLE(time, INTERVAL '1 hour') in GROUP BY makes windows",
    "now": "every reading has its own time; there is no now",
    "first": "it comes with a later release; min(x) and max(x) are there",
    "last": "it comes with a later release; min(x) and max(x) are there",
    "any_value": "write min(x)",
    "stddev": "it comes with a later release; keep sum(x * x), sum(x) and count(x) meanwhile",
    "variance": "it comes with a later release; keep sum(x * x), sum(x) and count(x) meanwhile",
    "hop": "hopping windows come with a later release; use TUMBLE(time, INTERVAL '10 seconds')",
    "session": "there are no session windows; use TUMBLE(time, INTERVAL '10 seconds')",
}

SPELT: Final = {"neg": "-", "not": "NOT", "and": "AND", "or": "OR", "case": "CASE", "concat": "||"}
"""How an operation is written, where that differs from its name."""

KIND_NAMES: Final[dict[ValueType, str]] = {
    "int": "a number",
    "float": "a number",
    "text": "a text",
    "truth": "a condition",
    "null": "null",
    "buckets": "a state",
    "registers": "a state",
}
