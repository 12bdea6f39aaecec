"""What can be set about the cache of images."""

from dataclasses import dataclass
from typing import Final

from fogline.model.errors import InvalidInput
from fogline.registry.hosts import PlainHosts
from fogline.service.settings import InvalidSettings
from fogline.service.units import Size

GIB: Final = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSettings:
    """Images of containers that the aggregator fetches once for its whole group."""

    disk: Size = 8 * GIB
    """Disk for them; what no desired state names goes first, the longest unused. 0: offer none."""
    reserve: Size = GIB
    """Disk that fetching leaves free."""
    insecure_registries: tuple[str, ...] = ()
    """Registries that are asked without TLS, besides those of this machine: hosts, host:port or networks such as
    10.0.0.0/8."""
    registry_logins: str = ""
    """File with logins to registries, as `docker login` writes it (config.json); empty for none."""

    def __post_init__(self) -> None:
        try:
            PlainHosts(self.insecure_registries)
        except InvalidInput as error:
            raise InvalidSettings([f"images.insecure_registries: {error}"]) from None
