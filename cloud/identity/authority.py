"""The cloud's CA: the same in every process on one store."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cloud.store.admissions import Admissions, JoinedKey
from fogline.identity.authority import Authority
from fogline.identity.authority_folder import forget_issued, issued, open_authority
from fogline.identity.certificates import describe, key_of
from fogline.identity.keys import key_id
from fogline.model.errors import FogError


class AuthorityDiffers(FogError):
    """The CA on this disk is not the one that the store knows."""

    code = "authority_differs"


async def open_shared_authority(folder: Path, admissions: Admissions, now_us: int) -> Authority:
    """Open the CA, and see to it that every process on the store has the same.

    Raises :class:`AuthorityDiffers` if another one was here first.
    """
    authority = await asyncio.to_thread(open_authority, folder)
    own = authority.certificate.public_bytes(Encoding.DER)
    if await admissions.adopt(own) != own:
        raise AuthorityDiffers(
            f"the CA in {folder} is not the one that this store's machines trust",
            hint="every cloud process on a store has the same CA: copy ca.pem and ca-key.pem of the first one",
        )
    beside = await asyncio.to_thread(issued, folder)
    await admissions.note([joined_key(certificates) for certificates in beside], now_us)
    await asyncio.to_thread(forget_issued, folder)
    return authority


def joined_key(certificates: Sequence[x509.Certificate]) -> JoinedKey:
    """A machine's certificate, and the one with which it signs if there is one, as the store keeps them."""
    own = describe(certificates[0])
    signing = [key_id(key_of(certificate)) for certificate in certificates[1:]]
    return JoinedKey(
        key=own.key,
        subject=own.subject,
        issuing_key=signing[0] if signing else "",
        serial=own.serial,
        until_us=own.until_us,
    )
