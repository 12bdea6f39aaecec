"""Who stands behind what is signed: the CA behind signing keys, and behind the aggregators that assign.

Certificates that have ended still say whose a key is: a node must not lose what it runs because nobody could renew.
"""

from cryptography import x509

from fogline.control.assignments import CONTEXT, Vouch
from fogline.control.keys import Anchor, Disbelieved
from fogline.identity.certificates import describe, key_of, leads_to, parse_der, parse_pem, to_der
from fogline.identity.holder import Holder
from fogline.identity.keys import key_from_pem, key_id, sign, verify
from fogline.identity.names import AGGREGATOR
from fogline.model.errors import InvalidInput
from fogline.v1 import control_pb2


def anchor_of(holder: Holder) -> Anchor:
    """Whether the CA that this machine trusts has signed something."""

    def signed(content: bytes, signature: bytes) -> bool:
        return any(verify(key_of(root), content, signature) for root in _roots(holder))

    return signed


def vouch_of(holder: Holder) -> Vouch:
    """Whether assignments are those of an aggregator of this machine's tenant."""

    def vouch(signed: control_pb2.SignedAssignments, aggregator: str) -> str:
        try:
            # Straight from the CA: what aggregators certify are nodes, whatever such a certificate may say.
            (der,) = signed.certificates
            certificate = parse_der(der)
            subject = describe(certificate).subject
        except (ValueError, InvalidInput) as error:
            raise Disbelieved("unknown_aggregator", "the assignments bear no certificate to go by") from error
        if not leads_to([certificate], *_roots(holder)):
            raise Disbelieved(
                "unknown_aggregator",
                f"the CA has not certified the {subject} that has signed the assignments",
            )
        expected = (holder.identity.subject.tenant, AGGREGATOR, aggregator)
        if (subject.tenant, subject.role, subject.name) != expected:
            raise Disbelieved(
                "unknown_aggregator",
                f"the {subject} has signed assignments as if it were aggregator {aggregator}",
            )
        if not verify(key_of(certificate), CONTEXT + signed.content, signed.signature):
            raise Disbelieved(
                "tampered",
                f"the assignments were changed on their way, or aggregator {aggregator} did not sign them",
            )
        return key_id(key_of(certificate))

    return vouch


def signed_by(holder: Holder, content: bytes) -> control_pb2.SignedAssignments:
    """Vouch for serialised assignments with the key of this aggregator's certificate."""
    identity = holder.identity
    key = key_from_pem(identity.key_pem, where="the identity")
    return control_pb2.SignedAssignments(
        content=content,
        signature=sign(key, CONTEXT + content),
        certificates=to_der(parse_pem(identity.chain_pem)),
    )


def _roots(holder: Holder) -> list[x509.Certificate]:
    return parse_pem(holder.identity.authority_pem)
