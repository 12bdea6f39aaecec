"""Who signs certificates: the CA of an installation, and aggregators for the children of their tenant.

Every certificate begins when the CA's does, in 1970: a machine without a battery for its clock connects before it
knows the time.
"""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fogline.identity.keys import key_id, new_key, public_key
from fogline.identity.names import AGGREGATOR, CLOUD, EVERY_PARENT, Subject, nodes_domain, parent_name
from fogline.model.clock import DAY, EPOCH, to_datetime
from fogline.model.errors import InvalidInput

ROOT_ENDS: Final = datetime(2126, 1, 1, tzinfo=UTC)
IDENTITY_LASTS_US: Final = 90 * DAY
"""Of nodes and cloud processes; renewed after half of it."""
ISSUING_LASTS_US: Final = 365 * DAY
"""Of an aggregator, and of the certificate with which it signs; both renewed as often as a node's. Its children shall
believe it also after months without the cloud, which alone renews it.
"""
MAX_REQUEST_BYTES: Final = 8192
_LAST: Final = datetime(2120, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A key that signs certificates, and what says that it may."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    root: x509.Certificate
    """The installation's CA; of the CA itself the same as ``certificate``."""
    beside: tuple[x509.Certificate, ...] = ()
    """Other CAs of the installation, which this one vouches for."""

    @property
    def is_root(self) -> bool:
        """Whether this is the CA itself."""
        return self.certificate == self.root

    @property
    def roots(self) -> tuple[x509.Certificate, ...]:
        """Every CA whose certificates hold, this one first."""
        return (self.root, *self.beside)

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """What those whom it certified show beside their own certificate."""
        return () if self.is_root else (self.certificate,)

    def issue(
        self,
        key: ec.EllipticCurvePublicKey,
        subject: Subject,
        *,
        now_us: int,
        lasts_us: int = 0,
    ) -> x509.Certificate:
        """Certify that a key is somebody's, for as long as the role has it unless ``lasts_us`` says else."""
        lasts_us = lasts_us or (ISSUING_LASTS_US if subject.role == AGGREGATOR else IDENTITY_LASTS_US)
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(subject.uri)]
        names += [x509.DNSName(name) for name in _dns_names(subject, key)]
        builder = self._builder(key, str(subject), now_us + lasts_us)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]),
            critical=False,
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(signs=False), critical=True)
        return builder.sign(self.key, hashes.SHA256())

    def issue_issuing(
        self,
        key: ec.EllipticCurvePublicKey,
        subject: Subject,
        *,
        now_us: int,
        lasts_us: int = ISSUING_LASTS_US,
    ) -> x509.Certificate:
        """Let an aggregator certify nodes of its tenant, and nothing else: no parent, no further issuer."""
        if not self.is_root:
            raise InvalidInput("only the cloud lets somebody sign certificates", hint="join at the cloud")
        builder = self._builder(key, f"{subject} signs", now_us + lasts_us)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage(signs=True), critical=True)
        permitted = [
            x509.UniformResourceIdentifier(subject.tenant),
            x509.DNSName(nodes_domain(subject.tenant)),
        ]
        excluded = [
            x509.IPAddress(ipaddress.IPv4Network("0.0.0.0/0")),
            x509.IPAddress(ipaddress.IPv6Network("::/0")),
        ]
        builder = builder.add_extension(
            x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=excluded), critical=True
        )
        return builder.sign(self.key, hashes.SHA256())

    def _builder(self, key: ec.EllipticCurvePublicKey, title: str, until_us: int) -> x509.CertificateBuilder:
        until = min(to_datetime(min(until_us, _LAST_US)), self.certificate.not_valid_after_utc)
        return _builder(key, issuer=self.key.public_key(), title=title, until=until).issuer_name(
            self.certificate.subject
        )


def make_root(installation: str) -> Authority:
    """A new CA, which signs itself."""
    key = new_key()
    builder = _builder(
        key.public_key(), issuer=key.public_key(), title=f"Fogline {installation}", until=ROOT_ENDS
    )
    builder = builder.issuer_name(_title(f"Fogline {installation}"))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
    certificate = builder.add_extension(_usage(signs=True), critical=True).sign(key, hashes.SHA256())
    return Authority(key=key, certificate=certificate, root=certificate)


def make_request(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Ask for a certificate: proves that the key is at hand; whose it is, the token says."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def key_of_request(request: bytes) -> ec.EllipticCurvePublicKey:
    """The key that a request was made with. Raises :class:`InvalidInput`."""
    if len(request) > MAX_REQUEST_BYTES:
        raise InvalidInput(f"a certificate request has at most {MAX_REQUEST_BYTES} bytes")
    try:
        parsed = x509.load_der_x509_csr(request)
        key = public_key(parsed.public_key())
        proven = parsed.is_signature_valid
    except InvalidInput:
        raise
    except Exception as error:
        raise InvalidInput("the certificate request cannot be read") from error
    if not proven:
        raise InvalidInput("the certificate request is not signed by its key")
    return key


def fingerprint_of(certificate: x509.Certificate) -> bytes:
    """SHA-256 of a certificate: 32 bytes."""
    return certificate.fingerprint(hashes.SHA256())


_LAST_US: Final = (_LAST - EPOCH) // (to_datetime(1) - EPOCH)


def _builder(
    key: ec.EllipticCurvePublicKey, *, issuer: ec.EllipticCurvePublicKey, title: str, until: datetime
) -> x509.CertificateBuilder:
    own = x509.SubjectKeyIdentifier(bytes.fromhex(key_id(key)))
    by = x509.AuthorityKeyIdentifier(bytes.fromhex(key_id(issuer)), None, None)
    return (
        x509.CertificateBuilder()
        .subject_name(_title(title))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(EPOCH)
        .not_valid_after(until)
        .add_extension(own, critical=False)
        .add_extension(by, critical=False)
    )


def _title(title: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title[:64])])


def _dns_names(subject: Subject, key: ec.EllipticCurvePublicKey) -> tuple[str, ...]:
    if subject.role == CLOUD:
        return (EVERY_PARENT,)
    if subject.role == AGGREGATOR:
        return (parent_name(subject.tenant),)
    return (f"{key_id(key)}.{nodes_domain(subject.tenant)}",)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
