"""Reading from MQTT 5 brokers (docs/brokers.md)."""

from fog_node.ingest.broker.brokers import Brokers, senders
from fog_node.ingest.broker.settings import BrokerSettings
from fog_node.ingest.broker.standing import BrokerStanding

__all__ = ["BrokerSettings", "BrokerStanding", "Brokers", "senders"]
