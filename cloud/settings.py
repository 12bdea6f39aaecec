"""What the cloud may be told."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fogline.model.clock import DAY, HOUR, SECOND
from fogline.model.errors import InvalidInput
from fogline.registry.hosts import PlainHosts
from fogline.service.listen import is_loopback
from fogline.service.logs import LogFormat
from fogline.service.settings import InvalidSettings
from fogline.service.units import Duration, Size

Role = Literal["commit", "api"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSettings:
    """The cloud: commits parts, finishes windows, answers questions."""

    name: str = "cloud"
    """Name that children see; processes on one store each have their own."""
    roles: tuple[Role, ...] = ("commit", "api")
    """What this process does: commit takes parts and finishes windows, api answers people and programs."""
    listen: str = "127.0.0.1:7070"
    """Where people and programs ask with API tokens, as host:port; with `plaintext` children connect here, too."""
    children: str = "127.0.0.1:7074"
    """Where nodes and aggregators connect, as host:port: both sides show certificates."""
    enrol: str = "127.0.0.1:7073"
    """Where machines join and renew their certificates, as host:port."""
    advertise: str = ""
    """Where joining machines are told to find `children`, as host:port; empty: at the host where they joined."""
    authority: str = ""
    """Folder of the CA; empty: `ca` in the folder, made at the first start. Processes on one store have the same."""
    plaintext: bool = False
    """Take children on `listen` without certificates, and encrypt nothing: for tests, and machines that nobody else
    uses."""
    anonymous: bool = False
    """Let everybody do everything on `listen` and `rest`, without a token and in plain text: for tests. Refused where
    other machines reach these."""
    rest: str = ""
    """Where the HTTP API is served, as host:port; empty for none."""
    metrics: str = ""
    """Where Prometheus finds /metrics, as host:port; empty for none. From another machine it needs an API token with
    the right `metrics`."""
    folder: Path
    """Holds the SQLite store, unless `store` names another. Made if it is not there."""
    store: str = field(default="", repr=False)
    """Where the store is: empty for SQLite in the folder, or postgresql://user:password@host:port/database. It is a
    secret: better set in the environment or in a file than as a flag, which every process of the machine can read."""
    insecure_registries: tuple[str, ...] = ()
    """Registries of images that are asked without TLS, besides those of this machine: hosts, host:port or
    networks such as 10.0.0.0/8."""
    registry_logins: str = ""
    """File with logins to registries, as `docker login` writes it (config.json); empty for none."""
    insecure: bool = False
    """Allow addresses that other machines can reach, although nothing there is encrypted, tokens included: `rest`, and
    with `plaintext` `listen`."""
    credit: Size = 4 * 1024 * 1024
    """Bytes of parts that each child may have under way here: what bounds the memory."""
    results_keep: Duration = 30 * DAY
    """How long results are kept after they last changed; never shorter than their windows can be revised."""
    replaced_keep: Duration = HOUR
    """How long a plan that was replaced goes on taking late readings for its last windows, at most."""
    stop_within: Duration = 10 * SECOND
    """Longest time that stopping in good order may take."""
    log_level: str = "info"
    """debug, info, warning or error."""
    log_format: LogFormat = "auto"
    """json, text, or auto: text on a terminal, JSON elsewhere."""

    def __post_init__(self) -> None:
        if not self.roles:
            raise InvalidSettings(["roles: is empty; known are commit, api"])
        open_to_all = [
            name for name in ("listen", "rest") if (at := getattr(self, name)) and not is_loopback(at)
        ]
        if self.anonymous and open_to_all:
            raise InvalidSettings(
                [
                    f"anonymous: not with {name} = {getattr(self, name)}, which others reach"
                    for name in open_to_all
                ]
            )
        try:
            PlainHosts(self.insecure_registries)
        except InvalidInput as error:
            raise InvalidSettings([f"insecure_registries: {error}"]) from None
