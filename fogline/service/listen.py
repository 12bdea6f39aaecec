"""Where a port may be opened: on this machine, unless somebody says otherwise."""

import ipaddress

import structlog

from fogline.model.errors import FogError, InvalidInput

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class PortTaken(FogError):
    """The address cannot be listened on."""

    code = "port_taken"


def check_listen(
    listen: str, *, insecure: bool, offers: str = "read and write everything", encrypted: bool = False
) -> None:
    """Refuse an address that others can reach, unless what is there is encrypted, or told to; then say so loudly.

    ``offers`` is what whoever reaches the port may do. Raises :class:`InvalidInput`.
    """
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isdigit():
        raise InvalidInput(
            f"{listen!r} is not an address to listen on", hint="write host:port, port 0 takes a free one"
        )
    if encrypted or is_loopback(listen):
        return
    if not insecure:
        raise InvalidInput(
            f"{listen} can be reached from other machines, and nothing there is encrypted",
            hint=f"listen on 127.0.0.1, or set insecure if whoever reaches the port may {offers}",
        )
    _log.warning(f"INSECURE: whoever reaches this port may {offers}", listen=listen)


def is_loopback(listen: str) -> bool:
    """Whether an address, as ``host:port``, is this machine's alone."""
    host = listen.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
