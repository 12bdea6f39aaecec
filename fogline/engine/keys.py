"""Key columns: texts as codes in the texts' order, and the limit on how many keys a pane may have."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fogline.engine.batch import BatchColumn, Integers, TextColumn
from fogline.engine.groups import Places, run_starts
from fogline.engine.state import NULL_CODE, OTHER, KeyColumn
from fogline.engine.text import to_text

Key = tuple[Integers, tuple[str, ...]]
"""A code a row into sorted texts; one past the last text is null."""


def key_of(column: BatchColumn) -> Key:
    """Encode the values of a batch's column; numbers and truths as their texts."""
    texts = column if isinstance(column, TextColumn) else to_text((column,))
    return _sorted_key(texts.codes.astype(np.int64) + 1, ("", *texts.dictionary))


def joined_key(columns: Sequence[KeyColumn]) -> Key:
    """Encode one key of several tables, row after row."""
    places: dict[str, int] = {}
    pieces: list[Integers] = []
    for column in columns:
        moved = [places.setdefault(text, len(places) + 1) for text in column.dictionary]
        codes = column.codes.astype(np.int64) + 1
        codes[column.codes == NULL_CODE] = 0
        pieces.append(np.array([0, *moved], dtype=np.int64)[codes])
    return _sorted_key(np.concatenate(pieces), ("", *places))


def _sorted_key(codes: Integers, texts: Sequence[str]) -> Key:
    """Leave out texts without a row, sort the others; the code 0 is null."""
    used = np.flatnonzero(np.bincount(codes, minlength=len(texts)))
    order = sorted((code for code in used.tolist() if code), key=texts.__getitem__)
    moved = np.full(len(texts), len(order), dtype=np.int64)
    moved[order] = np.arange(len(order))
    return moved[codes], tuple([texts[code] for code in order])


def key_column(name: str, key: Key, rows: Places) -> KeyColumn:
    """Make the key column of a table, with one row of the encoded ones for each of its rows."""
    codes, dictionary = key
    chosen = codes[rows]
    return KeyColumn(
        name=name,
        dictionary=dictionary,
        codes=np.where(chosen == len(dictionary), NULL_CODE, chosen).astype(np.uint32),
    )


def within_limit(panes: Integers, readings: Integers, max_keys: int) -> NDArray[np.bool_]:
    """Choose the rows of a table that keep their key: in each pane the ``max_keys`` with the most readings.

    Of rows with equally many the first ones keep theirs.
    """
    order = np.lexsort((-readings, panes))
    in_order = panes[order]
    starts = run_starts(in_order)
    places = np.arange(len(panes)) - np.repeat(starts, np.diff(starts, append=len(panes)))
    keeps = np.zeros(len(panes), dtype=np.bool_)
    keeps[order[places < max_keys]] = True
    return keeps


def are_other(keys: Sequence[KeyColumn]) -> NDArray[np.bool_]:
    """Tell which rows have the key :data:`OTHER` in every column; at least one column is needed."""
    found = np.ones(len(keys[0]), dtype=np.bool_)
    for key in keys:
        found &= key.codes == key.dictionary.index(OTHER) if OTHER in key.dictionary else False
    return found


def others(keys: Sequence[KeyColumn], keeps: NDArray[np.bool_]) -> tuple[KeyColumn, ...]:
    """Give the rows that do not keep their key the key :data:`OTHER` in every column."""
    changed = []
    for key in keys:
        dictionary = key.dictionary if OTHER in key.dictionary else (*key.dictionary, OTHER)
        other = np.uint32(dictionary.index(OTHER))
        codes = np.where(keeps, key.codes, other)
        changed.append(KeyColumn(name=key.name, dictionary=dictionary, codes=codes))
    return tuple(changed)
