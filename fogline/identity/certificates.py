"""What a certificate says, as a value."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning

from fogline.identity.keys import key_id, public_key
from fogline.identity.names import Subject, subject_of
from fogline.model.clock import from_datetime
from fogline.model.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Somebody's certificate, apart from whether it is to be believed."""

    subject: Subject
    serial: str
    """Hexadecimal."""
    key: str
    """See :func:`fogline.identity.keys.key_id`."""
    issuer_key: str
    """The same of the key that signed it."""
    until_us: int


def parse_der(der: bytes) -> x509.Certificate:
    """A certificate out of its bytes. Raises :class:`InvalidInput`."""
    try:
        return x509.load_der_x509_certificate(der)
    except (
        ValueError,
        UnsupportedAlgorithm,
        x509.InvalidVersion,
        # Where warnings are errors: of what the next release of the library refuses.
        CryptographyDeprecationWarning,
    ) as error:
        raise InvalidInput("a certificate cannot be read") from error


def parse_pem(pem: bytes) -> list[x509.Certificate]:
    """Certificates one after the other. Raises :class:`InvalidInput`."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise InvalidInput("a certificate cannot be read") from error


def to_pem(certificates: Iterable[x509.Certificate]) -> bytes:
    """Certificates one after the other."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def to_der(certificates: Iterable[x509.Certificate]) -> list[bytes]:
    """Certificates, each as its bytes."""
    return [certificate.public_bytes(Encoding.DER) for certificate in certificates]


def key_of(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """Whose signatures the certificate vouches for. Raises :class:`InvalidInput` for a key of another kind."""
    try:
        return public_key(certificate.public_key())
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise InvalidInput("the certificate's key cannot be read") from error


def serial_of(certificate: x509.Certificate) -> str:
    """The serial number, hexadecimal."""
    return f"{certificate.serial_number:x}"


def ends_us(certificate: x509.Certificate) -> int:
    """The last instant at which it holds. Unit: microseconds since 1970-01-01 UTC."""
    return from_datetime(certificate.not_valid_after_utc)


def describe(certificate: x509.Certificate) -> Certificate:
    """Read what concerns us. Raises :class:`InvalidInput` for a certificate that we would not have issued."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        issuer = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError) as error:
        raise InvalidInput("the certificate names nobody") from error
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    if len(uris) != 1 or issuer.key_identifier is None:
        raise InvalidInput("the certificate does not name exactly one machine and its issuer")
    return Certificate(
        subject=subject_of(uris[0]),
        serial=serial_of(certificate),
        key=key_id(key_of(certificate)),
        issuer_key=issuer.key_identifier.hex(),
        until_us=ends_us(certificate),
    )


@lru_cache(maxsize=4096)
def describe_pem(pem: bytes) -> Certificate:
    """:func:`describe` of the first of these certificates; children come again and again with the same."""
    return describe(parse_pem(pem)[0])


def leads_to(chain: Sequence[x509.Certificate], *roots: x509.Certificate) -> bool:
    """Whether each certificate was signed by the next, and the last by one of the roots. Says nothing of their ends."""
    return any(_leads_to(chain, root) for root in roots)


def _leads_to(chain: Sequence[x509.Certificate], root: x509.Certificate) -> bool:
    for certificate, issuer in pairwise((*chain, root)):
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return False
    return bool(chain)
