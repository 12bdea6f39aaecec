"""Decides about identities at the cloud: tokens and keys are in the store, the CA is at hand."""

from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from cloud.identity.authority import joined_key
from cloud.identity.standing import AdmissionBoard
from cloud.store.admissions import Admissions
from fogline.identity.authority import Authority
from fogline.identity.doors import CertificateRevoked
from fogline.identity.keys import key_id
from fogline.identity.names import Subject
from fogline.identity.servicer import Applicant, Grant, Holds
from fogline.identity.token import hash_of
from fogline.identity.trusting import vouched_for
from fogline.model.clock import Clock


class CloudDesk:
    """The cloud's :class:`fogline.identity.servicer.Desk`."""

    def __init__(
        self, authority: Authority, admissions: Admissions, board: AdmissionBoard, *, name: str, clock: Clock
    ) -> None:
        self._authority: Final = authority
        self._admissions: Final = admissions
        self._board: Final = board
        self._name: Final = name
        self._clock: Final = clock

    @property
    def roots(self) -> Sequence[x509.Certificate]:
        """The installation's CA, and those that it vouches for."""
        return self._authority.roots

    async def enrol(self, applicant: Applicant) -> Grant:
        """Certify whoever has a token. Raises :class:`fogline.identity.token.TokenRefused`."""
        issuing = applicant.issuing_key
        subject = await self._admissions.redeem(
            hash_of(applicant.secret),
            role=applicant.role,
            name=applicant.name,
            key=applicant.key_id,
            issuing_key=key_id(issuing) if issuing is not None else "",
            at=self._name,
            now_us=self._clock.now_us(),
        )
        grant = await self._certify(subject, applicant.key, issuing)
        self._board.changed()
        return grant

    async def renew(self, holds: Holds) -> Grant:
        """Certify a key afresh. Raises :class:`CertificateRevoked`."""
        await self._board.refresh()
        certificate = holds.certificate
        if self._board.revoked(certificate.key) or self._board.revoked(certificate.issuer_key):
            raise CertificateRevoked(f"the identity of {certificate.subject} was revoked")
        return await self._certify(certificate.subject, holds.key, holds.issuing_key)

    async def _certify(
        self, subject: Subject, key: ec.EllipticCurvePublicKey, issuing_key: ec.EllipticCurvePublicKey | None
    ) -> Grant:
        now_us = self._clock.now_us()
        own = self._authority.issue(key, subject, now_us=now_us)
        issuing: tuple[x509.Certificate, ...] = ()
        if issuing_key is not None:
            issuing = (self._authority.issue_issuing(issuing_key, subject, now_us=now_us),)
        await self._admissions.note([joined_key((own, *issuing))], now_us)
        return Grant(subject=subject, chain=(own,), issuing=issuing, trusted=vouched_for(self._authority))
