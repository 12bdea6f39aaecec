"""Finding the CA's certificate by its fingerprint: how a machine that knows nobody begins to trust its parent."""

import asyncio
import ssl

from cryptography import x509

from fogline.access.chain import chain_at
from fogline.identity.authority import fingerprint_of
from fogline.identity.certificates import parse_der
from fogline.identity.token import TokenRefused
from fogline.model.errors import FogError, InvalidInput, Unavailable

ENROLS = "machines join at the port that is set as `enrol`: usually 7073 at a cloud, 7075 at an aggregator"
"""What to do about an address where nobody enrols."""


async def authority_at(address: str, fingerprint: bytes, *, within: float = 10.0) -> x509.Certificate:
    """Ask a server for its chain and take the certificate with this fingerprint out of it; nothing else is believed.

    Raises :class:`Unavailable` if nobody answers, :class:`TokenRefused` if the server is of another installation.
    """
    host, port = split_address(address)
    try:
        shown = await asyncio.to_thread(chain_at, host, port, within)
    except ssl.SSLError as error:
        raise Unavailable(
            f"{address} does not answer as Fogline's enrolment port: {error.reason or error}",
            hint=ENROLS,
        ) from error
    except OSError as error:
        raise Unavailable(
            f"nobody answers at {address}: {error.strerror or error}",
            hint=f"is the parent up, the address right, and no firewall between? {ENROLS}",
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
