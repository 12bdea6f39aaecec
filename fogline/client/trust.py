"""Which cloud is believed: the one of the CA that the token names, or that one was told."""

import ssl
from dataclasses import dataclass, replace
from typing import Final

import grpc

from fogline.access.bearer import HEADER, bearer
from fogline.access.chain import certificates_in, chain_at, fingerprint_of, to_pem
from fogline.access.token import FINGERPRINT_BYTES
from fogline.client.errors import Unreachable
from fogline.client.find import Place
from fogline.identity.names import CLOUD_NAME
from fogline.model.errors import InvalidInput, TokenUnknown
from fogline.service.listen import is_loopback

Metadata = tuple[tuple[str, str], ...]
ASK_WITHIN_S: Final = 10.0
"""Longest time that a server may take to show its certificates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """How a channel is opened."""

    credentials: grpc.ChannelCredentials | None
    """None: plain text."""
    options: tuple[tuple[str, str], ...] = ()


PLAIN: Final = Trust(credentials=None)


def shown(place: Place) -> Metadata:
    """What every call says of its caller."""
    return ((HEADER, bearer(str(place.token))),) if place.token is not None else ()


def needs_asking(place: Place) -> bool:
    """Whether :func:`trust` has to ask the server for its certificates, and so blocks."""
    return place.encrypted is not False and not place.ca and bool(_fingerprint(place))


def trust(place: Place) -> Trust:
    """How to open a channel to a cloud. Raises :class:`Unreachable`, :class:`TokenUnknown`, :class:`InvalidInput`.

    Plain text only on this machine, where neither a CA nor a token of an installation with one is known, or where the
    address asks for it as ``grpc://``.
    """
    if place.encrypted is False:
        return PLAIN
    if place.ca:
        return _by_ca(place)
    if _fingerprint(place):
        return _own(_asked(place))
    if place.encrypted is None and is_loopback(place.address):
        return PLAIN
    return Trust(credentials=grpc.ssl_channel_credentials())


def resolved(place: Place) -> Place:
    """The same with the CA, if the token says which: it need not be asked for any more. Raises as :func:`trust`."""
    return replace(place, ca=_asked(place)) if needs_asking(place) else place


def _by_ca(place: Place) -> Trust:
    """By certificates that were given: ours, whose cloud has a name of its own, or a proxy's, known by the host's."""
    try:
        known = {fingerprint_of(der)[:FINGERPRINT_BYTES] for der in certificates_in(place.ca)}
    except ValueError as error:
        raise InvalidInput(
            f"the CA cannot be read: {error}", hint="it is a PEM file of certificates"
        ) from None
    if not known:
        raise InvalidInput("the CA has no certificate in it", hint="it is a PEM file of certificates")
    if place.token is None or _fingerprint(place) in known:
        return _own(place.ca)
    return Trust(credentials=grpc.ssl_channel_credentials(place.ca))


def _own(ca: bytes) -> Trust:
    # The cloud is known by what its CA says it is: addresses change, and names of DNS can be taken over.
    return Trust(
        credentials=grpc.ssl_channel_credentials(ca), options=(("grpc.ssl_target_name_override", CLOUD_NAME),)
    )


def _asked(place: Place) -> bytes:
    """The CA whose fingerprint the token has, out of what the server shows. Nothing else of that is believed."""
    host, _, port = place.address.rpartition(":")
    try:
        chain = chain_at(host.strip("[]"), int(port), ASK_WITHIN_S)
    except ssl.SSLError as error:
        raise TokenUnknown(
            f"{place.address} does not speak TLS, and the token is of a cloud that does: {error.reason}",
            hint="is the address right, and the token of this installation?",
        ) from None
    except OSError as error:
        raise Unreachable(
            f"no answer from {place.address}: {error.strerror or error}",
            hint="check the address; `fogline up` starts Fogline on this machine",
        ) from None
    for der in chain:
        if fingerprint_of(der)[:FINGERPRINT_BYTES] == _fingerprint(place):
            return to_pem(der)
    raise TokenUnknown(
        f"the server at {place.address} has another CA than the token",
        hint="the token is of another installation, or somebody stands between; a proxy's CA is given as --ca or ca=",
    )


def _fingerprint(place: Place) -> bytes:
    return place.token.fingerprint if place.token is not None else b""
