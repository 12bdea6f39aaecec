"""What a person writes: a function over a batch, and what it is told when it is wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fogline.model.plan import Scalar
from fogline.operator import Batch, operator
from fogline.operator.columns import Values, WrongColumn
from fogline.operator.testing import run, run_kept
from fogline.wire.batch import batch_to_wire

ROWS: list[dict[str, Scalar]] = [
    {"time_us": 1, "zone": "a", "temp": 20.5, "n": 1},
    {"time_us": 2, "zone": None, "temp": None, "n": 2},
    {"time_us": 3, "zone": "b", "temp": 99.0, "n": None},
]


@operator
def clean(batch: Batch) -> Batch:
    good = batch.filter(batch["temp"] < 85)
    return good.with_columns(score=good["temp"] / 10, unit="C", hot=good["temp"] > 20)


def test_rows_are_filtered_and_columns_added() -> None:
    assert run(clean, ROWS) == [
        {"time_us": 1, "zone": "a", "temp": 20.5, "n": 1, "score": 2.05, "unit": "C", "hot": True}
    ]


def test_only_what_the_pipeline_promises_is_sent() -> None:
    assert run(clean, ROWS, {"score": "float", "n": "int"}) == [{"time_us": 1, "score": 2.05, "n": 1}]


def test_one_row_may_become_several() -> None:
    rows = run(lambda batch: batch.take([0, 0, 2]).select("n"), ROWS)
    assert rows == [{"time_us": 1, "n": 1}, {"time_us": 1, "n": 1}, {"time_us": 3, "n": None}]


def test_rows_know_where_they_come_from_through_every_step() -> None:
    batch = Batch.of(ROWS).take([0, 1, 1, 2]).filter([False, True, True, True]).take([0, 2])
    assert batch.input_rows.tolist() == [1, 2]
    assert batch.time_us.tolist() == [2, 3]


def test_null_is_what_numpy_has_for_it() -> None:
    batch = Batch.of(ROWS)
    assert np.isnan(batch["temp"]).tolist() == [False, True, False]
    assert batch["zone"].tolist() == ["a", None, "b"]
    assert isinstance(batch["n"], np.ma.MaskedArray)
    assert batch["n"].tolist() == [1, 2, None]


def test_what_is_masked_is_null_and_no_reason_to_keep_a_row() -> None:
    rows = run(lambda b: b.filter(b["n"] > 0).with_columns(twice=b.filter(b["n"] > 0)["n"] * 2), ROWS)
    assert [row["twice"] for row in rows] == [2, 4]
    rows = run(lambda b: b.with_columns(twice=b["n"] * 2), ROWS)
    assert [row["twice"] for row in rows] == [2, 4, None]


values = st.one_of(
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
    st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3),
    st.lists(st.none() | st.booleans(), min_size=3, max_size=3),
    st.lists(st.none() | st.text(max_size=4), min_size=3, max_size=3),
)


@given(values)
def test_a_list_comes_back_as_it_was(given: list[Scalar]) -> None:
    rows = run(lambda batch: batch.with_columns(x=given), ROWS)
    assert [row["x"] for row in rows] == given


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([1, 2], "has 2 values, the batch 3 rows"),
        (["a", 1, 2], "mixes int, str"),
        (np.zeros((3, 2)), "2 dimensions"),
        (np.array([1, 2, 3], dtype="datetime64[s]"), "are taken"),
        ([2**63, 1, 1], "beyond 64 bits"),
        (np.array([2**63, 1, 1], dtype=np.uint64), "beyond 64 bits"),
        (np.array([1j, 2, 3]), "are taken"),
    ],
)
def test_what_is_no_column_is_refused_where_it_is_made(made: Values, said: str) -> None:
    with pytest.raises(WrongColumn, match=said):
        Batch.of(ROWS).with_columns(x=made)


def test_types_change_only_where_no_value_does() -> None:
    def function(batch: Batch) -> Batch:
        return batch.with_columns(a=[1.0, None, 3.0], b=[1, 2, 3], c=None)

    rows = run(function, ROWS, {"a": "int", "b": "float", "c": "text"})
    assert [(row["a"], row["b"], row["c"]) for row in rows] == [
        (1, 1.0, None),
        (None, 2.0, None),
        (3, 3.0, None),
    ]
    for promised in ({"b": "text"}, {"b": "bool"}):
        with pytest.raises(WrongColumn, match=f"'b' is int, the pipeline promises {promised['b']}"):
            run(function, ROWS, promised)
    with pytest.raises(WrongColumn, match="fractions"):
        run(lambda batch: batch.with_columns(a=0.5), ROWS, {"a": "int"})


def test_a_missing_column_is_named() -> None:
    with pytest.raises(WrongColumn, match="'score' is missing; the function gave zone, temp, n"):
        run(lambda batch: batch, ROWS, {"score": "float"})


def test_a_function_that_gives_no_batch_is_told_so() -> None:
    with pytest.raises(WrongColumn, match=r"gave NoneType, not a batch .*take\(\[\]\)"):
        run(lambda batch: None, ROWS)  # type: ignore[arg-type,return-value]  # the mistake under test


def test_places_must_not_descend() -> None:
    with pytest.raises(ValueError, match="descend"):
        Batch.of(ROWS).take([1, 0])


def test_a_column_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(KeyError, match="there are zone, temp, n"):
        Batch.of(ROWS)["humidity"]


def test_an_operator_may_want_few_columns() -> None:
    seen = []

    @operator(columns=["n"])
    def few(batch: Batch) -> Batch:
        seen.append(batch.names)
        return batch

    run(few, ROWS)
    assert seen == [("n",)]


def test_hooks_run_in_order_and_back() -> None:
    told: list[str] = []
    step = operator()(lambda batch: batch)
    for name in ("a", "b"):
        step.on_start(lambda name=name: told.append(f"start {name}"))
        step.on_stop(lambda name=name: told.append(f"stop {name}"))
    step.start()
    step.stop()
    assert told == ["start a", "start b", "stop b", "stop a"]


def test_a_batch_that_a_node_kept_can_be_tried() -> None:
    kept = batch_to_wire(Batch.of(ROWS).whole, 0).SerializeToString()
    assert run_kept(clean, kept, {"unit": "text"}) == [{"time_us": 1, "unit": "C"}]
