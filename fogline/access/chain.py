"""What certificates a server shows, before anything of it is believed. Needs no cryptography."""

import hashlib
import socket
import ssl
import sys
from typing import Final

_DER: Final = 2
"""``ENCODING_DER`` of OpenSSL's module."""


def chain_at(host: str, port: int, within: float) -> list[bytes]:
    """Certificates (DER) as the server shows them. Blocks; raises :class:`OSError`, also :class:`ssl.SSLError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    # Only fingerprints count, and whoever asks compares them.
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((host, port), timeout=within) as connection,
        context.wrap_socket(connection) as encrypted,
    ):
        if sys.version_info >= (3, 13):
            return list(encrypted.get_unverified_chain())
        # Before 3.13 the same stands a layer below.
        below = encrypted._sslobj  # type: ignore[attr-defined]  # noqa: SLF001
        return [certificate.public_bytes(_DER) for certificate in below.get_unverified_chain() or ()]


def fingerprint_of(der: bytes) -> bytes:
    """SHA-256 of a certificate: 32 bytes."""
    return hashlib.sha256(der).digest()


def certificates_in(pem: bytes) -> list[bytes]:
    """The certificates (DER) of a PEM text. Raises :class:`ValueError`."""
    end = "-----END CERTIFICATE-----"
    parts = pem.decode("ascii", "replace").split(end)[:-1]
    return [ssl.PEM_cert_to_DER_cert(f"{part[part.index('-----BEGIN') :]}{end}") for part in parts]


def to_pem(der: bytes) -> bytes:
    """A certificate as PEM."""
    return ssl.DER_cert_to_PEM_cert(der).encode()
