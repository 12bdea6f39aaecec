"""Finding the CA's certificate by its fingerprint: how a machine that knows nobody begins to trust its parent."""

import asyncio
import socket
import ssl
import sys

from cryptography import x509

from fogline.identity.authority import fingerprint_of
from fogline.identity.certificates import parse_der
from fogline.identity.token import TokenRefused
from fogline.model.errors import FogError, InvalidInput, Unavailable


async def authority_at(address: str, fingerprint: bytes, *, within: float = 10.0) -> x509.Certificate:
    """Ask a server for its chain and take the certificate with this fingerprint out of it; nothing else is believed.

    Raises :class:`Unavailable` if nobody answers, :class:`TokenRefused` if the server is of another installation.
    """
    host, port = split_address(address)
    try:
        shown = await asyncio.to_thread(_chain_at, host, port, within)
    except ssl.SSLError as error:
        raise Unavailable(
            f"{address} does not answer as Fogline's enrolment port: {error.reason or error}",
            hint="the port for joining is set as `enrol` at the cloud or aggregator",
        ) from error
    except OSError as error:
        raise Unavailable(
            f"nobody answers at {address}: {error}", hint="is the parent up, and the address right?"
        ) from error
    for der in shown:
        try:
            certificate = parse_der(der)
        except FogError:
            continue
        if fingerprint_of(certificate) == fingerprint:
            return certificate
    raise TokenRefused(
        f"the server at {address} has another CA than the token",
        hint="the token is of another installation, or somebody stands between: take a token from this one",
    )


def split_address(address: str) -> tuple[str, int]:
    """Host and port. Raises :class:`InvalidInput`."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InvalidInput(
            f"{address!r} is not an address", hint="write HOST:PORT, for example cloud.example:7073"
        )
    return host.strip("[]"), int(port)


def _chain_at(host: str, port: int, within: float) -> list[bytes]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    # Only the fingerprint counts, and it is compared with the token's.
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((host, port), timeout=within) as connection,
        context.wrap_socket(connection) as encrypted,
    ):
        if sys.version_info >= (3, 13):
            return list(encrypted.get_unverified_chain())
        # Before 3.13 the same stands a layer below.
        below = encrypted._sslobj  # type: ignore[attr-defined]  # noqa: SLF001
        return [certificate.public_bytes(_DER) for certificate in below.get_unverified_chain() or ()]


_DER = 2
"""``ENCODING_DER`` of OpenSSL's module."""
