"""The server's side of ``EnrolService``: the same at cloud and aggregator, which differ in whom they ask."""
# ruff: noqa: N802 - methods are named by the contract

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from fogline.identity.authority import key_of_request
from fogline.identity.certificates import Certificate, describe, key_of, leads_to, parse_der, to_der
from fogline.identity.keys import key_id, verify
from fogline.identity.names import AGGREGATOR, JOINING, Subject, check_name
from fogline.model.clock import Clock
from fogline.model.errors import InvalidInput, NotAllowed
from fogline.service.server import Server
from fogline.v1 import enrol_pb2, enrol_pb2_grpc

MAX_CERTIFICATES: Final = 4
Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Who asks for an identity, with what it shows."""

    secret: bytes = field(repr=False)
    role: str
    name: str
    """Empty: as the token says."""
    key: ec.EllipticCurvePublicKey
    issuing_key: ec.EllipticCurvePublicKey | None
    forwarded: enrol_pb2.EnrolRequest = field(repr=False)
    """What it sent, for a server that asks its own parent."""

    @property
    def key_id(self) -> str:
        """Short name of its key."""
        return key_id(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """Who asks for a fresh certificate: has the key of one that the CA stands behind, whether it ended or not."""

    certificate: Certificate
    key: ec.EllipticCurvePublicKey
    issuing_key: ec.EllipticCurvePublicKey | None
    forwarded: enrol_pb2.RenewRequest
    """What it sent, for a server that asks its own parent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """An identity as its issuer hands it out."""

    subject: Subject
    chain: Sequence[x509.Certificate]
    issuing: Sequence[x509.Certificate] = ()
    trusted: Sequence[enrol_pb2.TrustedAuthority] = ()
    """CAs to trust beside, as the CA vouches for them."""


class Desk(Protocol):
    """Who decides about identities."""

    @property
    def roots(self) -> Sequence[x509.Certificate]:
        """The installation's CA, and those that are trusted beside it."""
        ...

    async def enrol(self, applicant: Applicant) -> Grant:
        """An identity for whoever has a token. Raises :class:`fogline.identity.token.TokenRefused`."""
        ...

    async def renew(self, holds: Holds) -> Grant:
        """A fresh certificate for the same key. Raises :class:`fogline.identity.doors.CertificateRevoked`."""
        ...


class EnrolServicer(enrol_pb2_grpc.EnrolServiceServicer):
    """Checks what strangers send; the desk then decides."""

    def __init__(self, desk: Desk, *, parents: Sequence[str], clock: Clock) -> None:
        """``parents``: where this server takes children, as the joining machine is told."""
        self._desk: Final = desk
        self._parents: Final = tuple(parents)
        self._clock: Final = clock

    async def Enrol(self, request: enrol_pb2.EnrolRequest, context: Context) -> enrol_pb2.EnrolResponse:  # noqa: ARG002 - anybody may ask
        """A certificate for whoever has a join token."""
        if request.role not in JOINING:
            raise InvalidInput(f"{request.role!r} cannot join; known are {', '.join(JOINING)}")
        if request.name:
            check_name(request.name)
        grant = await self._desk.enrol(
            Applicant(
                secret=request.secret,
                role=request.role,
                name=request.name,
                key=key_of_request(request.request),
                issuing_key=_issuing_key(request.role, request.issuing_request),
                forwarded=request,
            )
        )
        return enrol_pb2.EnrolResponse(granted=self._granted(grant))

    async def Renew(self, request: enrol_pb2.RenewRequest, context: Context) -> enrol_pb2.RenewResponse:  # noqa: ARG002 - the request proves who asks
        """A fresh certificate for the key of an older one."""
        grant = await self._desk.renew(proven(request, *self._desk.roots))
        return enrol_pb2.RenewResponse(granted=self._granted(grant))

    def _granted(self, grant: Grant) -> enrol_pb2.Granted:
        return enrol_pb2.Granted(
            certificates=to_der(grant.chain),
            issuing=to_der(grant.issuing),
            authority=to_der(self._desk.roots)[0],
            tenant=grant.subject.tenant,
            role=grant.subject.role,
            name=grant.subject.name,
            parents=self._parents,
            now_us=self._clock.now_us(),
            trusted=grant.trusted,
        )


def add_enrolment(server: Server, servicer: EnrolServicer) -> None:
    """Serve it on a server."""
    server.add(
        "fogline.v1.EnrolService",
        lambda grpc_server: enrol_pb2_grpc.add_EnrolServiceServicer_to_server(servicer, grpc_server),
    )


def proven(request: enrol_pb2.RenewRequest, *roots: x509.Certificate) -> Holds:
    """Check that the caller has the key of a certificate of ours. It may have ended: only its key counts.

    Whoever repeats the request gets certificates for a key that it does not have. Raises :class:`NotAllowed`.
    """
    if not 0 < len(request.certificates) <= MAX_CERTIFICATES:
        raise InvalidInput(f"a renewal shows 1 to {MAX_CERTIFICATES} certificates")
    chain = [parse_der(der) for der in request.certificates]
    if not leads_to(chain, *roots):
        raise NotAllowed("the certificate is of another CA", hint="join here with a token")
    certificate, key = describe(chain[0]), key_of(chain[0])
    if any(not may_sign(issuer, certificate.subject) for issuer in chain[1:]):
        raise NotAllowed("the certificate was signed by somebody who may not")
    if not verify(key, request.request + request.issuing_request, request.signature):
        raise NotAllowed("the caller does not have the certificate's key")
    if key_of_request(request.request) != key:
        raise NotAllowed("a renewal is for the same key", hint="another key joins with a token")
    return Holds(
        certificate=certificate,
        key=key,
        issuing_key=_issuing_key(certificate.subject.role, request.issuing_request),
        forwarded=request,
    )


def may_sign(issuer: x509.Certificate, subject: Subject) -> bool:
    """Whether the issuer is an aggregator's: TLS checks the same by itself, this is where no TLS has."""
    try:
        basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        limits = issuer.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return False
    tenant = x509.UniformResourceIdentifier(subject.tenant)
    return (
        basic.ca and tenant in (limits.permitted_subtrees or ()) and subject.role not in (AGGREGATOR, "cloud")
    )


def _issuing_key(role: str, request: bytes) -> ec.EllipticCurvePublicKey | None:
    if role == AGGREGATOR:
        return key_of_request(request)
    if request:
        raise InvalidInput(f"a {role} signs nobody's certificates")
    return None
