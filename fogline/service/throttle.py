"""How often somebody may fail: a bucket of drops for each address, and memory for so many addresses."""

import ipaddress
from typing import Final

FAILURES: Final = 20
"""So many in a row are answered in full."""
AGAIN_US: Final = 3_000_000
"""From then on one in so many microseconds."""
ADDRESSES: Final = 4_096
"""Addresses that are remembered; the one that failed longest ago goes first."""


class Throttle:
    """Counts failures by address. Who does not fail is never held up."""

    def __init__(
        self, *, failures: int = FAILURES, again_us: int = AGAIN_US, addresses: int = ADDRESSES
    ) -> None:
        self._most: Final = failures
        self._again_us: Final = again_us
        self._addresses: Final = addresses
        self._full_at: dict[str, int] = {}
        """By address: when everything that was taken will have come back."""

    def failed(self, address: str, now_us: int) -> bool:
        """Note a failure; whether it was one too many."""
        peer = network_of(address)
        begins = max(self._full_at.pop(peer, now_us), now_us)
        too_many = begins - now_us > (self._most - 1) * self._again_us
        if len(self._full_at) >= self._addresses:
            del self._full_at[next(iter(self._full_at))]
        self._full_at[peer] = begins if too_many else begins + self._again_us
        return too_many

    def __len__(self) -> int:
        return len(self._full_at)


def network_of(address: str) -> str:
    """Whom an address belongs to: of IPv6 the /64, since one machine has as many of these as it likes."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped or ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)


def host_of(peer: str) -> str:
    """The address in what gRPC calls a peer: ``ipv4:127.0.0.1:1`` or ``ipv6:%5B::1%5D:1``."""
    _, _, rest = peer.partition(":")
    return rest.rpartition(":")[0].replace("%5B", "[").replace("%5D", "]").strip("[]") or peer
