"""The node's own MQTT listener (docs/listener.md)."""

from fog_node.ingest.counts import ListenerCounts
from fog_node.ingest.listener import Listener
from fog_node.ingest.settings import ListenerSettings
from fog_node.ingest.topics import Router, Template, TemplateRouter

__all__ = ["Listener", "ListenerCounts", "ListenerSettings", "Router", "Template", "TemplateRouter"]
