"""The journal: a node's append-only log of messages (docs/journal.md)."""

from fog_node.journal.errors import (
    JournalClosed,
    JournalFailed,
    JournalFull,
    JournalLocked,
    JournalUnreadable,
)
from fog_node.journal.journal import Journal
from fog_node.journal.settings import JournalSettings
from fog_node.journal.values import Counters, Finding, OriginState, SegmentState, Usage
from fogline.model.gap import Gap

__all__ = [
    "Counters",
    "Finding",
    "Gap",
    "Journal",
    "JournalClosed",
    "JournalFailed",
    "JournalFull",
    "JournalLocked",
    "JournalSettings",
    "JournalUnreadable",
    "OriginState",
    "SegmentState",
    "Usage",
]
