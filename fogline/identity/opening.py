"""From a tier's settings to the identity that it shows."""

from pathlib import Path

from fogline.identity.folder import NotEnrolled, read_identity
from fogline.identity.holder import Holder


def open_holder(folder: Path, *, role: str, name: str) -> Holder:
    """The identity in a tier's folder, which must be this tier's.

    Raises :class:`NotEnrolled` if there is none or it has another name, :class:`fogline.model.errors.DataLoss` if it
    cannot be read.
    """
    identity = read_identity(folder, role=role)
    if identity.subject.name != name:
        raise NotEnrolled(
            f"the settings say name = {name}, and the identity in {folder} is that of {identity.subject.name}",
            hint="set the name under which the machine joined, or join again with a token for the other one",
        )
    return Holder(identity)
