"""Raw values become the engine's columns; what does not fit its column marks the row with a reason."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fog_node.decode.rows import NOT_FINITE, OUT_OF_RANGE, WRONG_TYPE, Verdicts, verdict
from fogline.engine.batch import NumberColumn, TextColumn
from fogline.engine.batch import text_column as encode_texts
from fogline.engine.columns import LARGEST_STEPS
from fogline.model.plan import FieldSpec


def number_column(values: list[Any], spec: FieldSpec, verdicts: Verdicts) -> NumberColumn:
    """A field's column. Rows whose value is no number of the field's type get a verdict and the value 0."""
    return _int_column(values, verdicts) if spec.type == "int" else _float_column(values, spec, verdicts)


def _float_column(values: list[Any], spec: FieldSpec, verdicts: Verdicts) -> NumberColumn:
    try:
        numbers = np.array(values, dtype=np.float64)  # None becomes NaN
    except (TypeError, ValueError, OverflowError):
        numbers = np.array([_as_float(v, verdicts, i) for i, v in enumerate(values)], dtype=np.float64)
    null = np.isnan(numbers)
    if null.any():
        # JSON has no NaN: one that was not null came out of a bare-number payload.
        for index in np.flatnonzero(null):
            if isinstance(values[index], float):
                verdicts[index] = verdict(NOT_FINITE)
    infinite = np.isinf(numbers)
    verdicts[infinite] = verdict(NOT_FINITE)
    if spec.resolution is not None:
        with np.errstate(over="ignore"):
            beyond = np.abs(numbers) > LARGEST_STEPS * spec.resolution
        verdicts[beyond & ~infinite] = verdict(OUT_OF_RANGE)
    usable = ~(null | infinite)
    valid = None if usable.all() else usable
    return NumberColumn(
        values=numbers if valid is None else np.where(usable, numbers, 0.0),
        valid=valid,
        resolution=spec.resolution,
    )


def _as_float(value: Any, verdicts: Verdicts, index: int) -> float:
    if value is None:
        return np.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        verdicts[index] = verdict(WRONG_TYPE)
        return 0.0
    try:
        return float(value)
    except OverflowError:
        verdicts[index] = verdict(OUT_OF_RANGE)
        return 0.0


def _int_column(values: list[Any], verdicts: Verdicts) -> NumberColumn:
    try:
        plain = np.array(values)
    except (OverflowError, ValueError):
        plain = np.array([], dtype=np.object_)
    if plain.dtype == np.int64:
        return NumberColumn(values=plain, valid=None, resolution=None)
    numbers = np.zeros(len(values), dtype=np.int64)
    valid = np.ones(len(values), dtype=np.bool_)
    for index, value in enumerate(values):
        if value is None:
            valid[index] = False
        elif isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
            verdicts[index] = verdict(
                NOT_FINITE if isinstance(value, float) and not np.isfinite(value) else WRONG_TYPE
            )
        elif not -(2**63) <= value < 2**63:
            verdicts[index] = verdict(OUT_OF_RANGE)
        else:
            numbers[index] = int(value)
    return NumberColumn(values=numbers, valid=None if valid.all() else valid, resolution=None)


def text_column(values: list[Any]) -> TextColumn:
    """A payload label's column. Numbers and truth values are spelt as JSON does."""
    index: dict[Any, int] = {}
    # 1, 1.0 and True are one dictionary key to Python and three spellings to JSON, hence the type beside the
    # value.
    keys = [(v.__class__, v) for v in values]
    codes = np.fromiter((index.setdefault(k, len(index)) for k in keys), dtype=np.intp, count=len(values))
    return encode_texts([_spelt(value) for _, value in index]).take(codes)


def _spelt(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def topic_column(
    by_topic: Sequence[str | None], topic_codes: NDArray[np.uint32], messages: NDArray[np.int64]
) -> TextColumn:
    """A topic label's column, from the label's value in each topic of the block."""
    return encode_texts(by_topic).take(topic_codes[messages].astype(np.intp))
