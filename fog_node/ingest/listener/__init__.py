"""The node's own MQTT listener (docs/listener.md)."""

from fog_node.ingest.listener.counts import ListenerCounts
from fog_node.ingest.listener.listener import Listener
from fog_node.ingest.listener.recall import recalled_sessions
from fog_node.ingest.listener.settings import ListenerSettings

__all__ = ["Listener", "ListenerCounts", "ListenerSettings", "recalled_sessions"]
