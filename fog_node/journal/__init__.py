"""The journal: a node's append-only log of messages (docs/journal.md)."""

from fog_node.journal.errors import (
    JournalClosed,
    JournalFailed,
    JournalFull,
    JournalLocked,
    JournalUnreadable,
)
from fog_node.journal.journal import Journal
from fog_node.journal.recent import payload_digest
from fog_node.journal.settings import JournalSettings
from fog_node.journal.values import Counters, Delivery, Finding, OriginState, Usage
from fogline.model.gap import Gap

__all__ = [
    "Counters",
    "Delivery",
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
    "Usage",
    "payload_digest",
]
