"""One request of a stranger at the port for joining, of any bytes: decided about, or refused with a reason."""

from collections.abc import Coroutine, Sequence
from contextlib import suppress
from functools import cache
from typing import Any
from unittest.mock import Mock

from cryptography import x509
from google.protobuf.message import DecodeError

from fogline.identity.authority import Authority, make_request, make_root
from fogline.identity.certificates import parse_pem, to_der
from fogline.identity.issuing import make_identity
from fogline.identity.keys import key_from_pem, new_key, sign
from fogline.identity.names import Subject
from fogline.identity.servicer import Applicant, EnrolServicer, Grant, Holds
from fogline.identity.token import TokenRefused
from fogline.model.clock import DAY, SystemClock
from fogline.model.errors import FogError
from fogline.v1 import enrol_pb2

NOW_US = 20_000 * DAY


class Refusing:
    """Believes nobody, as strangers have no token; whoever can renew has shown a key and a certificate."""

    @property
    def roots(self) -> Sequence[x509.Certificate]:
        return authority().roots

    async def enrol(self, applicant: Applicant) -> Grant:
        assert applicant.key.curve.name == "secp256r1"
        raise TokenRefused("nobody here knows this token", hint="")

    async def renew(self, holds: Holds) -> Grant:
        assert holds.certificate.subject.name == "n1"
        return Grant(subject=holds.certificate.subject, chain=self.roots)


@cache
def authority() -> Authority:
    """The CA of all runs."""
    return make_root("main")


@cache
def servicer() -> EnrolServicer:
    """What strangers reach."""
    return EnrolServicer(Refusing(), parents=(":1",), clock=SystemClock())


@cache
def seeds() -> tuple[bytes, ...]:
    """Requests in order."""
    subject = Subject(tenant="main", role="node", name="n1")
    identity = make_identity(authority(), subject, now_us=NOW_US)
    key = key_from_pem(identity.key_pem, where="here")
    request = make_request(key)
    fresh = make_request(new_key())
    return (
        enrol_pb2.EnrolRequest(secret=b"s" * 16, request=fresh, role="node", name="n1").SerializeToString(),
        enrol_pb2.EnrolRequest(request=fresh, issuing_request=fresh, role="aggregator").SerializeToString(),
        enrol_pb2.RenewRequest(
            request=request,
            certificates=to_der(parse_pem(identity.chain_pem)),
            signature=sign(key, request),
        ).SerializeToString(),
    )


def one_request(data: bytes) -> None:
    """As both kinds; no other error than one that says what is wrong."""
    with suppress(DecodeError, FogError):
        _run(servicer().Enrol(enrol_pb2.EnrolRequest.FromString(data), Mock()))
    with suppress(DecodeError, FogError):
        _run(servicer().Renew(enrol_pb2.RenewRequest.FromString(data), Mock()))


def _run(work: Coroutine[Any, Any, object]) -> None:
    """It waits for nothing here."""
    with suppress(StopIteration):
        work.send(None)
