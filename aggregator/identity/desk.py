"""Decides about identities at an aggregator: asks its parent, and by itself while there is none to ask."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from aggregator.identity.book import EnrolmentBook
from fogline.client.errors import translated
from fogline.identity.authority import Authority
from fogline.identity.certificates import parse_der, parse_pem, to_der
from fogline.identity.doors import CertificateRevoked
from fogline.identity.holder import Holder
from fogline.identity.judging import judge
from fogline.identity.keys import key_from_pem
from fogline.identity.names import NODE, Subject
from fogline.identity.servicer import Applicant, Grant, Holds
from fogline.identity.token import hash_of
from fogline.identity.trusting import roots_of
from fogline.model.caller import Caller
from fogline.model.clock import Clock
from fogline.model.errors import FogError, NotAllowed, Unavailable
from fogline.v1 import enrol_pb2, enrol_pb2_grpc

Stub: TypeAlias = "enrol_pb2_grpc.EnrolServiceAsyncStub"
PARENT_WITHIN_S: Final = 3.0
"""A parent that does not answer within this many seconds is away."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class AggregatorDesk:
    """An aggregator's :class:`fogline.identity.servicer.Desk`, and :class:`fogline.identity.feed.Source`."""

    def __init__(self, holder: Holder, book: EnrolmentBook, *, parents: Sequence[str], clock: Clock) -> None:
        self._holder: Final = holder
        self._book: Final = book
        self._parents: Final = tuple(parents)
        self._clock: Final = clock
        self._deciding: Final = asyncio.Lock()
        """Of two who have the same token one comes first."""
        self.admission: Final = book.list

    @property
    def roots(self) -> Sequence[x509.Certificate]:
        """The CAs that this aggregator trusts."""
        return roots_of(self._holder.identity.authority_pem)

    async def enrol(self, applicant: Applicant) -> Grant:
        """Certify whoever has a token of the cloud. Raises :class:`fogline.identity.token.TokenRefused`."""
        digest = hash_of(applicant.secret)
        used_here = self._book.token(digest)
        if used_here is not None and used_here.used_us is not None:
            # The cloud may not have heard of it yet.
            self._judged(applicant, digest)

        async def ask(stub: Stub) -> enrol_pb2.Granted:
            return (await stub.Enrol(applicant.forwarded, timeout=PARENT_WITHIN_S)).granted

        granted = await self._asked(ask)
        if granted is not None:
            return granted
        if applicant.role != NODE:
            raise Unavailable("the cloud is away, and only the cloud enrols aggregators")
        async with self._deciding:
            subject = self._judged(applicant, digest)
            return await self._certify(subject, applicant.key, token=digest)

    async def renew(self, holds: Holds) -> Grant:
        """Certify a key afresh. Raises :class:`CertificateRevoked`."""
        certificate = holds.certificate
        if self.admission.revoked(certificate.key) or self.admission.revoked(certificate.issuer_key):
            raise CertificateRevoked(f"the identity of {certificate.subject} was revoked")

        async def ask(stub: Stub) -> enrol_pb2.Granted:
            return (await stub.Renew(holds.forwarded, timeout=PARENT_WITHIN_S)).granted

        granted = await self._asked(ask)
        if granted is not None:
            return granted
        if certificate.subject.role != NODE:
            raise Unavailable("the cloud is away, and only the cloud renews aggregators")
        return await self._certify(certificate.subject, holds.key)

    async def heard(self, enrolments: Sequence[enrol_pb2.Enrolment], caller: Caller) -> list[str]:  # noqa: ARG002 - the cloud judges
        """Keep what an aggregator below has issued, and pass it on."""
        await self._kept(enrolments)
        return [f"{parse_der(each.certificates[0]).serial_number:x}" for each in enrolments]

    def _judged(self, applicant: Applicant, digest: bytes) -> Subject:
        subject = judge(
            self._book.token(digest),
            role=applicant.role,
            name=applicant.name,
            key=applicant.key_id,
            now_us=self._clock.now_us(),
        )
        if subject.tenant != self._holder.identity.subject.tenant:
            raise NotAllowed("the token is of another tenant")
        return subject

    async def _asked(self, ask: Callable[[Stub], Awaitable[enrol_pb2.Granted]]) -> Grant | None:
        """What a parent says; None if none answers. Raises what it refuses with."""
        for address in self._parents:
            async with self._holder.dial(address) as channel:
                stub = enrol_pb2_grpc.EnrolServiceStub(channel)
                try:
                    with translated(address):
                        granted = await ask(stub)
                except Unavailable:
                    continue
                return Grant(
                    subject=Subject(tenant=granted.tenant, role=granted.role, name=granted.name),
                    chain=[parse_der(der) for der in granted.certificates],
                    issuing=[parse_der(der) for der in granted.issuing],
                    trusted=granted.trusted,
                )
        return None

    async def _certify(
        self, subject: Subject, key: ec.EllipticCurvePublicKey, *, token: bytes = b""
    ) -> Grant:
        authority = self._authority()
        now_us = self._clock.now_us()
        chain = (authority.issue(key, subject, now_us=now_us), *authority.chain)
        by = self._holder.identity.subject.name
        await self._kept([enrol_pb2.Enrolment(certificates=to_der(chain), token=token, by=by, at_us=now_us)])
        _log.info("certified while the cloud is away", subject=str(subject), renewed=not token)
        return Grant(subject=subject, chain=chain)

    async def _kept(self, enrolments: Sequence[enrol_pb2.Enrolment]) -> None:
        try:
            await self._book.issued(enrolments)
        except OSError as error:
            raise FogError(f"what was issued cannot be kept: {error.strerror}", code="unavailable") from error

    def _authority(self) -> Authority:
        issuing = self._holder.identity.issuing
        if issuing is None:
            raise Unavailable("the cloud is away, and this aggregator may sign nothing", hint="join it again")
        return Authority(
            key=key_from_pem(issuing.key_pem, where="the identity"),
            certificate=parse_pem(issuing.chain_pem)[0],
            root=self.roots[0],
        )
