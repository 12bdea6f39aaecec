"""An identity: key, certificate and what is known of them. Needs no cryptography, so that a node starts without it."""

from dataclasses import dataclass, field

from fogline.identity.names import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuing:
    """With what an aggregator signs the certificates of its children."""

    key_pem: bytes = field(repr=False)
    chain_pem: bytes
    """The signing certificate first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this machine is, and the means to show it."""

    subject: Subject
    serial: str
    """Of the certificate, hexadecimal."""
    key: str
    """Short name of the public key: what revocations go by."""
    until_us: int
    """The certificate ends then."""
    issued_us: int
    """By the clock of whoever issued it: renewal is due between this and the end."""
    key_pem: bytes = field(repr=False)
    chain_pem: bytes
    """The own certificate first, then what leads to the CA."""
    authority_pem: bytes
    """The CA's certificate: who signs anybody that may be a parent."""
    enrol: tuple[str, ...] = ()
    """Where an identity that has ended can be renewed, host:port."""
    issuing: Issuing | None = None
