"""An identity made by whoever has the CA's key at hand, without tokens: for ``fogline up``, and for tests."""

from pathlib import Path

from cryptography import x509

from fogline.identity.authority import Authority
from fogline.identity.authority_folder import note_issued, open_authority
from fogline.identity.certificates import describe, parse_pem, to_pem
from fogline.identity.folder import write_identity
from fogline.identity.identity import Identity, Issuing
from fogline.identity.keys import key_to_pem, new_key
from fogline.identity.names import AGGREGATOR, Subject
from fogline.model.errors import FogError


def make_identity(
    authority: Authority, subject: Subject, *, now_us: int, enrol: tuple[str, ...] = ()
) -> Identity:
    """A new key with its certificate; of an aggregator also those with which it signs."""
    key = new_key()
    certificate = authority.issue(key.public_key(), subject, now_us=now_us)
    issuing = None
    if subject.role == AGGREGATOR:
        signing = new_key()
        granted = authority.issue_issuing(signing.public_key(), subject, now_us=now_us)
        issuing = Issuing(key_pem=key_to_pem(signing), chain_pem=to_pem((granted,)))
    own = describe(certificate)
    return Identity(
        subject=subject,
        serial=own.serial,
        key=own.key,
        until_us=own.until_us,
        issued_us=now_us,
        key_pem=key_to_pem(key),
        chain_pem=to_pem((certificate, *authority.chain)),
        authority_pem=to_pem(authority.roots),
        enrol=enrol,
        issuing=issuing,
    )


def issue_beside(
    authority_folder: Path, folder: Path, subject: Subject, *, enrol: tuple[str, ...], now_us: int
) -> None:
    """Put an identity into a tier's folder, and leave word of it for the cloud. Raises :class:`FogError`."""
    identity = make_identity(open_authority(authority_folder), subject, now_us=now_us, enrol=enrol)
    try:
        # Word first: the cloud shall be able to take back whatever is in use.
        note_issued(authority_folder, certificates_of(identity))
        write_identity(folder, identity)
    except OSError as error:
        raise FogError(f"the identity of {subject} cannot be kept: {error.strerror}") from error


def certificates_of(identity: Identity) -> list[x509.Certificate]:
    """The own certificate, and the one with which it signs if there is one."""
    own = parse_pem(identity.chain_pem)[:1]
    return own if identity.issuing is None else [*own, parse_pem(identity.issuing.chain_pem)[0]]
