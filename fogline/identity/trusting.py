"""Several CAs at once: a machine goes by those too that its CA vouches for, so that one can replace another."""

from collections.abc import Iterable, Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fogline.identity.authority import Authority
from fogline.identity.certificates import key_of, parse_der, parse_pem, to_pem
from fogline.identity.keys import sign, verify
from fogline.model.errors import InvalidInput
from fogline.v1 import enrol_pb2

MAX_ROOTS: Final = 4
"""CAs that a machine trusts; further ones are left out."""
_CONTEXT: Final = b"fogline ca\0"
"""What is signed begins with it: a signature is good for nothing else."""


def roots_of(authority_pem: bytes) -> tuple[x509.Certificate, ...]:
    """The CAs that an identity trusts, its own first."""
    return tuple(parse_pem(authority_pem))


def vouched_for(authority: Authority) -> list[enrol_pb2.TrustedAuthority]:
    """The CAs that this one vouches for beside itself."""
    return [
        enrol_pb2.TrustedAuthority(certificate=der, signature=sign(authority.key, _CONTEXT + der))
        for der in (root.public_bytes(Encoding.DER) for root in authority.beside)
    ]


def trusting(
    roots: Sequence[x509.Certificate], offered: Iterable[enrol_pb2.TrustedAuthority]
) -> tuple[x509.Certificate, ...]:
    """The CAs to trust from now on: those of before, and of what a parent offers those that one of them vouches for.

    Whoever passes an offer on can leave it out, and add nothing to it. None is taken away.
    """
    trusted = list(roots)
    for offer in offered:
        if len(trusted) >= MAX_ROOTS:
            break
        content = _CONTEXT + offer.certificate
        if not any(verify(key_of(root), content, offer.signature) for root in roots):
            continue
        try:
            root = parse_der(offer.certificate)
        except InvalidInput:
            continue
        if root not in trusted:
            trusted.append(root)
    return tuple(trusted)


def bundle(roots: Iterable[x509.Certificate]) -> bytes:
    """As an identity keeps them."""
    return to_pem(roots)
