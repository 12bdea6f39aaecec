"""Doors that show an identity: for children, who show theirs, and for those who have none yet."""

from collections.abc import Callable
from typing import Any, Final

import grpc

from fogline.identity.certificates import describe_pem
from fogline.identity.holder import Holder
from fogline.identity.names import JOINING
from fogline.model.caller import NOBODY, Caller, Right
from fogline.model.clock import Clock
from fogline.model.errors import FogError, NotAllowed, Unavailable
from fogline.service.callers import RENEW, is_expired

Revoked = Callable[[str], bool]
"""Whether the certificates of a key, by its short name, hold no longer."""

REQUEST_BYTES: Final = 64 * 1024
"""Of one message of a stranger. Parsed, one of empty fields takes many times its bytes."""

CHILD: Final = frozenset({Right.PUSH, Right.ATTACH})


class CertificateRevoked(FogError):
    """The caller's certificate, or its issuer's, was taken back."""

    code = "certificate_revoked"


class ChildrenDoor:
    """Lets in whoever has a certificate of the CA that was not revoked."""

    encrypted = True

    def __init__(self, holder: Holder, *, revoked: Revoked, clock: Clock) -> None:
        self._holder: Final = holder
        self._revoked: Final = revoked
        self._clock: Final = clock

    def credentials(self) -> grpc.ServerCredentials:
        """TLS in which both sides show a certificate."""
        return self._holder.server_credentials(mutual=True)

    async def caller(self, context: grpc.aio.ServicerContext[Any, Any], method: str) -> Caller:  # noqa: ARG002 - machines may ask all that is served them
        """The machine that the certificate names. Raises :class:`CertificateRevoked`."""
        shown = context.auth_context().get("x509_pem_cert")
        if not shown:
            raise NotAllowed("the caller shows no certificate")
        certificate = describe_pem(next(iter(shown)))
        subject = certificate.subject
        caller = Caller(
            tenant=subject.tenant,
            rights=CHILD if subject.role in JOINING else frozenset(),
            role=subject.role,
            name=subject.name,
            key=certificate.key,
            issuer_key=certificate.issuer_key,
            until_us=certificate.until_us,
        )
        check_revoked(caller, self._revoked)
        if is_expired(caller, self._clock.now_us()):
            # The connection is older than that, or TLS would have refused it.
            raise Unavailable(f"the certificate of {caller.role} {caller.name} has ended", hint=RENEW)
        return caller

    def ended(self, caller: Caller) -> None:  # noqa: ARG002
        """Whoever serves streams of machines is told of revocations."""
        return


def check_revoked(caller: Caller, revoked: Revoked) -> None:
    """Raise :class:`CertificateRevoked` if the caller is let in no more."""
    if revoked(caller.key):
        raise CertificateRevoked(f"the identity of {caller.role} {caller.name} was revoked")
    if revoked(caller.issuer_key):
        raise CertificateRevoked(
            f"the aggregator that signed the certificate of {caller.role} {caller.name} was revoked"
        )


class JoiningDoor:
    """Shows the server's certificate and asks for none: for those who join, and whose certificate has ended."""

    encrypted = True

    def __init__(self, holder: Holder) -> None:
        self._holder: Final = holder

    def credentials(self) -> grpc.ServerCredentials:
        """TLS in which the server alone shows a certificate."""
        return self._holder.server_credentials(mutual=False)

    async def caller(self, context: grpc.aio.ServicerContext[Any, Any], method: str) -> Caller:  # noqa: ARG002 - asks nothing
        """Nobody that is known."""
        return NOBODY

    def ended(self, caller: Caller) -> None:  # noqa: ARG002 - nothing was asked for
        """Never."""
        return
