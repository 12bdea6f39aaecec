"""The journal: a node's append-only log of messages (docs/journal.md)."""

from fog_node.journal.errors import JournalClosed, JournalFull, JournalLocked, JournalUnreadable
from fog_node.journal.journal import Journal
from fog_node.journal.recent import payload_digest
from fog_node.journal.settings import JournalSettings
from fog_node.journal.values import Counters, Delivery, Finding, Gap, OriginState, Usage

__all__ = [
    "Counters",
    "Delivery",
    "Finding",
    "Gap",
    "Journal",
    "JournalClosed",
    "JournalFull",
    "JournalLocked",
    "JournalSettings",
    "JournalUnreadable",
    "OriginState",
    "Usage",
    "payload_digest",
]
