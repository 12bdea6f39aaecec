"""Why a tag has no digest."""

from fogline.model.errors import InvalidInput, Unavailable


class NoSuchImage(InvalidInput):
    """The registry has no such image, or does not give it to us."""

    code = "no_such_image"


class RegistryAway(Unavailable):
    """A registry does not answer, or not as a registry does."""

    code = "registry_away"
