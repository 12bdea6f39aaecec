"""The identities of an ``up``: its CA is in the same folder, so that nobody needs a token to join it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fogline.identity.authority_folder import CERTIFICATE_FILE, FOLDER
from fogline.identity.folder import NotEnrolled, read_identity
from fogline.identity.names import LOCAL_TENANT, Subject
from fogline.model.clock import DAY, Clock
from fogline.model.errors import DataLoss

FRESH_US: Final = 10 * DAY
"""An identity that ends sooner is made anew: nobody renewed it while the ``up`` was not running."""


def make_identities(cloud: Path, tiers: Iterable[tuple[str, Path]], *, enrol: str, clock: Clock) -> None:
    """Give every tier that has none an identity: role and folder, whose name is the tier's.

    ``enrol`` is where the cloud enrols, host:port. Raises
    :class:`fogline.model.errors.FogError` if the folder cannot be written.
    """
    missing = [tier for tier in tiers if not _has(cloud, *tier, now_us=clock.now_us())]
    if missing:
        # Imported here: cryptography costs 100 ms, which only the first start shall pay.
        from fogline.identity.issuing import issue_beside  # noqa: PLC0415

        for role, folder in missing:
            subject = Subject(tenant=LOCAL_TENANT, role=role, name=folder.name)
            issue_beside(cloud / FOLDER, folder, subject, enrol=(enrol,), now_us=clock.now_us())


def _has(cloud: Path, role: str, folder: Path, *, now_us: int) -> bool:
    try:
        identity = read_identity(folder, role=role)
        authority = (cloud / FOLDER / CERTIFICATE_FILE).read_bytes()
    except (NotEnrolled, DataLoss, OSError):
        return False
    return identity.authority_pem.startswith(authority) and identity.until_us - now_us > FRESH_US
