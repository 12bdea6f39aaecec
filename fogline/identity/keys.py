"""Keys of identities: ECDSA on P-256, which every TLS library takes, gRPC's included."""

import hashlib
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from fogline.model.errors import DataLoss, InvalidInput

KEY_ID_BYTES: Final = 20
_CURVE: Final = ec.SECP256R1()
_SIGNED: Final = ec.ECDSA(hashes.SHA256())


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh private key."""
    return ec.generate_private_key(_CURVE)


def key_to_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as PKCS#8 PEM, not encrypted: its file's mode protects it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def secret_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """What only the key's owner knows, to derive other secrets from."""
    return key.private_numbers().private_value.to_bytes(32, "big")


def key_from_pem(pem: bytes, *, where: object) -> ec.EllipticCurvePrivateKey:
    """Read a private key. Raises :class:`DataLoss` naming ``where`` if it is none of ours."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise DataLoss(f"{where} holds no private key", hint="put back what was there") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != _CURVE.name:
        raise DataLoss(f"{where} holds no P-256 key")
    return key


def public_key(key: PublicKeyTypes) -> ec.EllipticCurvePublicKey:
    """The key, if it is of our kind. Raises :class:`InvalidInput`."""
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != _CURVE.name:
        raise InvalidInput("the key is not one on P-256")
    return key


def key_id(key: ec.EllipticCurvePublicKey) -> str:
    """Short name of a public key, 40 hexadecimal digits: what revocations go by."""
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()[:KEY_ID_BYTES].hex()


def sign(key: ec.EllipticCurvePrivateKey, content: bytes) -> bytes:
    """Sign with ECDSA and SHA-256; the signature is DER."""
    return key.sign(content, _SIGNED)


def verify(key: ec.EllipticCurvePublicKey, content: bytes, signature: bytes) -> bool:
    """Whether the key's owner signed this content."""
    try:
        key.verify(signature, content, _SIGNED)
    except InvalidSignature:
        return False
    return True
