"""The joining machine's side of ``EnrolService``: from a token to an identity, and from an identity to a fresh one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from fogline.client.errors import TooSlow, Unreachable, translated
from fogline.identity.authority import make_request
from fogline.identity.certificates import describe, key_of, leads_to, parse_der, parse_pem, to_der, to_pem
from fogline.identity.identity import Identity, Issuing
from fogline.identity.introduction import ENROLS, authority_at, split_address
from fogline.identity.keys import key_from_pem, key_to_pem, sign
from fogline.identity.names import parent_name
from fogline.identity.token import JoinToken
from fogline.identity.trusting import bundle, roots_of, trusting
from fogline.model.errors import FogError, InvalidInput, Unavailable
from fogline.uplink.dial import CHANNEL_OPTIONS, Dial
from fogline.v1 import enrol_pb2, enrol_pb2_grpc

ANSWER_WITHIN_S: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The private keys of a machine."""

    own: ec.EllipticCurvePrivateKey
    issuing: ec.EllipticCurvePrivateKey | None = None
    """Of an aggregator: signs its children's certificates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What joining brought."""

    identity: Identity
    parents: tuple[str, ...]
    """Where the parent takes its children, host:port."""
    ahead_us: int
    """How far this machine's clock is ahead of the parent's."""


async def join(address: str, token: JoinToken, keys: Keys, *, role: str, name: str, now_us: int) -> Joined:
    """Get an identity for these keys. May be repeated with the same keys if the answer was lost.

    Raises :class:`FogError` saying why there is none.
    """
    root = await authority_at(address, token.authority)
    request = enrol_pb2.EnrolRequest(
        secret=token.secret,
        request=make_request(keys.own),
        issuing_request=make_request(keys.issuing) if keys.issuing is not None else b"",
        role=role,
        name=name,
    )
    async with _unnamed(address, (root,), token.tenant) as channel:
        stub = enrol_pb2_grpc.EnrolServiceStub(channel)
        with _enrolling(address):
            answer = await stub.Enrol(request, timeout=ANSWER_WITHIN_S)
    granted = answer.granted
    identity = identity_of(granted, keys, (root,), enrol=(address,), now_us=now_us)
    host = address.rpartition(":")[0]
    parents = tuple(f"{host}{parent}" if parent.startswith(":") else parent for parent in granted.parents)
    return Joined(identity=identity, parents=parents, ahead_us=now_us - granted.now_us)


@contextmanager
def _enrolling(address: str) -> Iterator[None]:
    """What goes wrong inside the block, in words for whoever wants to join.

    Another port of the same installation shows the same CA: it is found out here that nobody enrols there.
    """
    try:
        with translated(address):
            try:
                yield
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                    raise
                raise Unavailable(
                    f"{address} is of this installation, but it is not where machines join", hint=ENROLS
                ) from None
    except Unreachable as error:
        raise Unavailable(
            f"{address} ended the connection: {error.message.rpartition(': ')[2]}",
            hint=f"it may have stopped just now: the same token can be tried again. Or it is another port: {ENROLS}",
        ) from None
    except TooSlow:
        raise Unavailable(
            f"{address} did not answer within {ANSWER_WITHIN_S:g} s", hint="the same token can be tried again"
        ) from None


async def renew(identity: Identity, *, parents: Sequence[str], dial: Dial, now_us: int) -> Identity:
    """A fresh certificate for the same keys: from a parent, or, once it has ended, where this machine joined.

    Raises :class:`FogError` with the last reason if nobody gave one.
    """
    keys = keys_of(identity)
    request = _renewal(identity, keys)
    roots = roots_of(identity.authority_pem)
    reason: FogError = Unavailable("there is nobody to ask for a renewal")
    for address in (*parents, *identity.enrol):
        named = address not in identity.enrol
        made = dial(address) if named else _unnamed(address, roots, identity.subject.tenant)
        async with made as channel:
            try:
                with translated(address):
                    answer = await enrol_pb2_grpc.EnrolServiceStub(channel).Renew(
                        request, timeout=ANSWER_WITHIN_S
                    )
            except FogError as error:
                reason = error
                continue
        return identity_of(answer.granted, keys, roots, enrol=identity.enrol, now_us=now_us)
    raise reason


def keys_of(identity: Identity) -> Keys:
    """The private keys as they are used."""
    own = key_from_pem(identity.key_pem, where="the identity")
    if identity.issuing is None:
        return Keys(own=own)
    return Keys(own=own, issuing=key_from_pem(identity.issuing.key_pem, where="the identity"))


def _renewal(identity: Identity, keys: Keys) -> enrol_pb2.RenewRequest:
    request = make_request(keys.own)
    issuing = make_request(keys.issuing) if keys.issuing is not None else b""
    return enrol_pb2.RenewRequest(
        request=request,
        issuing_request=issuing,
        certificates=to_der(parse_pem(identity.chain_pem)),
        signature=sign(keys.own, request + issuing),
    )


def identity_of(
    granted: enrol_pb2.Granted,
    keys: Keys,
    roots: Sequence[x509.Certificate],
    *,
    enrol: tuple[str, ...],
    now_us: int,
) -> Identity:
    """Check what was granted and put it together. Raises :class:`InvalidInput` if it is not what was asked for."""
    chain, trusted = [parse_der(der) for der in granted.certificates], trusting(roots, granted.trusted)
    if not leads_to(chain, *trusted) or key_of(chain[0]) != keys.own.public_key():
        raise InvalidInput("the parent's answer is no certificate of its CA for this machine's key")
    own = describe(chain[0])
    issuing = None
    if keys.issuing is not None:
        signing = [parse_der(der) for der in granted.issuing]
        if not leads_to(signing, *trusted) or key_of(signing[0]) != keys.issuing.public_key():
            raise InvalidInput("the parent's answer lets this aggregator sign nothing")
        issuing = Issuing(key_pem=key_to_pem(keys.issuing), chain_pem=to_pem(signing))
    return Identity(
        subject=own.subject,
        serial=own.serial,
        key=own.key,
        until_us=own.until_us,
        issued_us=granted.now_us or now_us,
        key_pem=key_to_pem(keys.own),
        chain_pem=to_pem(chain),
        authority_pem=bundle(trusted),
        enrol=enrol,
        issuing=issuing,
    )


def _unnamed(address: str, roots: Sequence[x509.Certificate], tenant: str) -> grpc.aio.Channel:
    """A channel on which this machine does not show who it is."""
    split_address(address)
    credentials = grpc.ssl_channel_credentials(bundle(roots))
    expected = ("grpc.ssl_target_name_override", parent_name(tenant))
    return grpc.aio.secure_channel(address, credentials, options=(*CHANNEL_OPTIONS, expected))
