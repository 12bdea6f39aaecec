"""What can be set about a node. Read once, in ``main``, from a file, the environment and flags."""

from dataclasses import dataclass, field
from pathlib import Path

from fog_node.ingest.broker import BrokerSettings
from fog_node.ingest.listener import ListenerSettings
from fog_node.journal.settings import JournalSettings
from fog_node.operators.settings import OperatorSettings
from fog_node.runtimes.settings import RuntimeSettings
from fogline.service.logs import LogFormat
from fogline.uplink.settings import LinkSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """Run a fog node: take messages by MQTT, journal them, push windows' states to a parent."""

    name: str
    """The node's name, unlike any other node's of the tenant."""
    folder: Path
    """Where journal, desired state and identity lie; `fogline node join` puts the identity there."""
    parents: tuple[str, ...]
    """Addresses (host:port) of the parents, the preferred one first: aggregators, or the cloud itself."""
    listener: ListenerSettings = field(default_factory=ListenerSettings)
    """Where devices publish."""
    broker: BrokerSettings = field(default_factory=BrokerSettings)
    """A broker to read from."""
    brokers: tuple[BrokerSettings, ...] = ()
    """More brokers to read from: ``[[brokers]]`` tables of the file, with the names of ``[broker]``."""
    journal: JournalSettings = field(default_factory=JournalSettings)
    """What the journal may use."""
    operators: OperatorSettings = field(default_factory=OperatorSettings)
    """How operators are treated."""
    runtimes: RuntimeSettings = field(default_factory=RuntimeSettings)
    """What runs operators and services, and what they may use."""
    permit: str = ""
    """File that says what each tenant may do here (docs/runtimes.md); empty: tenant main may do what is usual."""
    allow_process: bool = False
    """Without a permit file: allow operators as plain processes, which isolates nothing."""
    labels: tuple[str, ...] = ()
    """``name=value``: what services of a pipeline choose nodes by."""
    link: LinkSettings = field(default_factory=LinkSettings)
    """How the parents are treated."""
    live_after_s: float = 30.0
    """When the uplink returns and the oldest waiting message is older, today's messages go first. Unit:
    seconds.
    """
    metrics: str = ""
    """Where Prometheus finds /metrics, as host:port; empty for none."""
    plaintext: bool = False
    """Dial the parents without encryption or certificates: for tests, and machines that nobody else uses."""
    insecure: bool = False
    """Allow ``metrics`` on an address that other machines can reach: whoever reaches it may read them."""
    log_level: str = "info"
    """debug, info, warning or error."""
    log_format: LogFormat = "auto"
    """json, text, or auto: text on a terminal, JSON elsewhere."""

    @property
    def all_brokers(self) -> tuple[BrokerSettings, ...]:
        """Every broker that is read from."""
        return (self.broker, *self.brokers) if self.broker.url else self.brokers
