"""States: what readings become. Rows by pane and key; every state a commutative monoid, named by its kind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fogline.engine.batch import Floats, Integers, Rows

NULL_CODE: Final = 0xFFFFFFFF
"""The code of SQL's null in a :class:`KeyColumn`."""

READINGS: Final = "readings"
"""The first state of every table (``sum_i64``): how many readings a row stands for."""

OTHER: Final = "(other)"
"""The key in every key column of the row that holds what went over ``max_keys``."""

DENSE_KINDS: Final = ("sum_i64", "sum_f64", "min_f64", "max_f64")
EXTREMES: Final = ("min_f64", "max_f64")
"""Kinds that may be infinite and are never NaN; a float sum is NaN where infinities met."""
SPARSE_KINDS: Final = ("map_add", "map_max")

OVERFLOWED: Final = -(2**63)
"""A ``sum_i64`` that left the range of int64. It absorbs whatever is added: the sum is null, never wrong."""

NO_PARAMETERS: Final[Mapping[str, float]] = MappingProxyType({})

KeyCodes = NDArray[np.uint32]
Lengths = NDArray[np.uint32]
Indexes = NDArray[np.int32]
Ranks = NDArray[np.uint8]

Term = Literal["decoded", "counted", "filtered", "dead", "too_late"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeyColumn:
    """A grouping key of every row, as codes into a dictionary of distinct texts."""

    name: str
    dictionary: tuple[str, ...]
    codes: KeyCodes
    """:data:`NULL_CODE` for null."""

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: Rows) -> "KeyColumn":
        """Return the chosen rows; the dictionary stays."""
        return KeyColumn(name=self.name, dictionary=self.dictionary, codes=self.codes[rows])

    def texts(self) -> list[str | None]:
        """Decode the key of every row."""
        return [None if code == NULL_CODE else self.dictionary[code] for code in self.codes.tolist()]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DenseState:
    """One number a row: ``sum_i64`` as int64, ``sum_f64``, ``min_f64`` and ``max_f64`` as float64.

    A minimum without a value is +inf, a maximum without one -inf.
    """

    name: str
    kind: str
    values: Integers | Floats
    parameters: Mapping[str, float] = field(default_factory=lambda: NO_PARAMETERS)
    """``resolution``: the size of one step of an integer sum."""

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Rows) -> "DenseState":
        """Return the chosen rows."""
        return DenseState(
            name=self.name, kind=self.kind, values=self.values[rows], parameters=self.parameters
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SparseState:
    """A map from index to number a row: ``map_add`` (int64 counts) or ``map_max`` (uint8 ranks).

    The entries of all rows stand one after another, each row's in ascending order of index.
    """

    name: str
    kind: str
    lengths: Lengths
    """How many entries each row has."""
    indexes: Indexes
    values: Integers | Ranks
    parameters: Mapping[str, float] = field(default_factory=lambda: NO_PARAMETERS)

    def __len__(self) -> int:
        return len(self.lengths)

    def entry_rows(self) -> NDArray[np.intp]:
        """Tell the row of every entry."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def take(self, rows: Rows) -> "SparseState":
        """Return the chosen rows with their entries."""
        chosen = np.arange(len(self.lengths))[rows]
        lengths = self.lengths[chosen].astype(np.int64)
        starts = np.cumsum(self.lengths, dtype=np.int64) - self.lengths
        # Entry number within the result, shifted from where its row stands there to where it stands here.
        shifts = starts[chosen] - (np.cumsum(lengths) - lengths)
        entries = np.arange(int(lengths.sum())) + np.repeat(shifts, lengths)
        return SparseState(
            name=self.name,
            kind=self.kind,
            lengths=self.lengths[chosen],
            indexes=self.indexes[entries],
            values=self.values[entries],
            parameters=self.parameters,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpaqueState:
    """A state of a kind that this program does not know: bytes, passed on as they came and never merged."""

    name: str
    kind: str
    values: bytes
    lengths: bytes = b""
    indexes: bytes = b""
    parameters: Mapping[str, float] = field(default_factory=lambda: NO_PARAMETERS)


State = DenseState | SparseState | OpaqueState


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StateTable:
    """Partial states of one step, a row for each pane and key."""

    step: str
    pane_width_us: int
    pane_start: Integers
    """Start of each row's pane, microseconds since 1970-01-01 UTC."""
    keys: tuple[KeyColumn, ...]
    states: tuple[State, ...]
    """The first is :data:`READINGS`."""

    @property
    def rows(self) -> int:
        """How many rows every column has."""
        return len(self.pane_start)

    def state(self, name: str) -> State:
        """Find the state of that name; raises :class:`KeyError`."""
        for state in self.states:
            if state.name == name:
                return state
        raise KeyError(name)

    def take(self, rows: Rows) -> "StateTable":
        """Return the chosen rows of every column.

        Raises :class:`TypeError` if there is an :class:`OpaqueState`: nobody here knows where its rows begin.
        """
        states: list[State] = []
        for state in self.states:
            if isinstance(state, OpaqueState):
                raise TypeError(f"rows of the unknown kind {state.kind!r} cannot be told apart")
            states.append(state.take(rows))
        return StateTable(
            step=self.step,
            pane_width_us=self.pane_width_us,
            pane_start=self.pane_start[rows],
            keys=tuple(key.take(rows) for key in self.keys),
            states=tuple(states),
        )


class ReadingTerm(NamedTuple):
    """One term of the ledger, in readings."""

    stream: str
    step: str
    """Empty for what happened before any step."""
    term: Term
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartState:
    """What a part carries: at most one table a step, and how many readings went which way."""

    tables: tuple[StateTable, ...] = ()
    counts: Mapping[ReadingTerm, int] = field(default_factory=dict)


EMPTY: Final = PartState()
"""The state of no message: what merging leaves unchanged."""
