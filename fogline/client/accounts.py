"""The ledger as the SDK says it: where every message and reading went."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from fogline.client.notebook import table_html


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLedger:
    """Readings of committed messages in one step: ``decoded + made = counted + filtered + dead + too_late``."""

    step: str
    decoded: int
    counted: int
    filtered: int
    dead: Mapping[str, int]
    too_late: Mapping[str, int]
    made: int = 0
    """Rows that operators before the step made beyond one a reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLedger:
    """Where every message of one stream went under one plan, summed over nodes and epochs.

    ``received = journaled + refused`` and ``journaled = before_start + committed + pending + gap``.
    """

    pipeline: str
    plan: str
    stream: str
    received: int
    journaled: int
    refused: Mapping[str, int]
    before_start: int
    """Messages that were journaled before the plan began."""
    committed: int
    pending: int
    gap: Mapping[str, int]
    redelivered: int
    retained: int
    steps: tuple[StepLedger, ...]
    adds_up: bool
    differences: tuple[str, ...]
    """Which equation does not hold, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerLedger:
    """What a broker lost before any node could journal it, as one node sees it."""

    node: str
    url: str
    dropped: int | None
    """Messages that the broker says it dropped, for any subscriber; None: it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger(Sequence[StreamLedger]):
    """Where every message and reading went: a sequence of its streams, and what brokers lost before them."""

    streams: tuple[StreamLedger, ...]
    brokers: tuple[BrokerLedger, ...] = ()

    @property
    def adds_up(self) -> bool:
        """Whether every equation of every stream holds."""
        return all(stream.adds_up for stream in self.streams)

    @overload
    def __getitem__(self, place: int) -> StreamLedger: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[StreamLedger, ...]: ...
    def __getitem__(self, place: int | slice) -> StreamLedger | tuple[StreamLedger, ...]:
        return self.streams[place]

    def __len__(self) -> int:
        return len(self.streams)

    def __iter__(self) -> Iterator[StreamLedger]:
        return iter(self.streams)

    def _repr_html_(self) -> str:
        names = (
            "pipeline",
            "stream",
            "received",
            "journaled",
            "refused",
            "committed",
            "pending",
            "gap",
            "adds up",
        )
        rows = (
            (
                *(s.pipeline, s.stream, s.received, s.journaled, sum(s.refused.values())),
                *(
                    s.committed,
                    s.pending,
                    sum(s.gap.values()),
                    "yes" if s.adds_up else "; ".join(s.differences),
                ),
            )
            for s in self.streams
        )
        return table_html("ledger, in messages", names, rows)
