"""Where a registry is, and whether it is asked without TLS. Pure."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fogline.model.errors import InvalidInput
from fogline.model.image import ImageReference
from fogline.registry.errors import NoSuchImage

LOOPBACK: Final = ("127.0.0.0/8", "::1/128", "localhost")
"""Never beyond this machine, so always allowed without TLS, as the Docker Engine does."""

HUB: Final = "docker.io"
HUB_API: Final = "registry-1.docker.io"
"""Where the hub answers: its name is that of a page."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Place:
    """Where to ask for an image's manifests."""

    url: str
    """``https://host:port`` without a slash."""
    repository: str
    host: str
    """As the reference names it, for people and logins."""

    @property
    def is_plain(self) -> bool:
        """Whether it is asked without TLS."""
        return self.url.startswith("http://")


class PlainHosts:
    """Registries that may be asked without TLS."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        """``allowed``: hosts, ``host:port`` or networks such as 10.0.0.0/8. Raises :class:`InvalidInput`."""
        self._names: Final[set[str]] = set()
        self._networks: Final[list[Network]] = []
        for text in (*LOOPBACK, *allowed):
            if "/" in text:
                self._networks.append(_network(text))
            else:
                self._names.add(text)

    def __contains__(self, host: str) -> bool:
        name = _without_port(host)
        if host in self._names or name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def place_of(reference: ImageReference, plain: PlainHosts) -> Place:
    """Where an image is. Raises :class:`NoSuchImage` for a name without a registry: there is none by default."""
    if not reference.host:
        raise NoSuchImage(
            f"the image {reference.repository} names no registry",
            hint="write HOST/NAME:TAG, or the reference with a digest that `fogline operator build` prints",
        )
    scheme = "http" if reference.host in plain else "https"
    host = HUB_API if reference.host == HUB else reference.host
    return Place(f"{scheme}://{host}", reference.repository, reference.host)


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise InvalidInput(
            f"{text!r} is no network of registries: {error}", hint="write a host, host:port or 10.0.0.0/8"
        ) from None


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
