"""What an answer of a registry, or its silence, means: in words for whoever asked."""

import ssl
from typing import Final

import httpx

from fogline.model.errors import FogError
from fogline.registry.errors import NoSuchImage, RegistryAway
from fogline.registry.hosts import Place


class Faults:
    """Faults of registries, as one tier tells them."""

    def __init__(self, tier: str) -> None:
        """``tier``: who asks, and whose settings are meant: cloud or aggregator."""
        self._tier: Final = tier

    def check(self, answer: httpx.Response, place: Place, what: str) -> None:
        """Raise unless the answer is ``what`` was asked for. Raises :class:`NoSuchImage` and :class:`RegistryAway`."""
        status = answer.status_code
        if status in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            return
        if status == httpx.codes.NOT_FOUND:
            hint = "push it, or look for its name and tag"
            raise NoSuchImage(f"{place.host} has no image {what}", hint=hint)
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise self.refused(place)
        if status == httpx.codes.TOO_MANY_REQUESTS:
            raise RegistryAway(
                f"the registry {place.host} takes no more questions now", hint="try again later"
            )
        raise RegistryAway(
            f"the registry {place.host} answers with {status}", hint="is it a registry? Else try again later"
        )

    def refused(self, place: Place) -> FogError:
        """It does not give the image to us."""
        return NoSuchImage(
            f"the registry {place.host} does not show this image to the {self._tier}",
            hint=f"look for its name; a private one needs the {self._tier}'s setting registry_logins",
        )

    def away(self, error: Exception, place: Place) -> RegistryAway:
        """What an error of the connection means, and what to do."""
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                hint = "give it a certificate that this machine trusts"
                return RegistryAway(
                    f"the certificate of {place.host} is not trusted: {cause.reason}", hint=hint
                )
            if isinstance(cause, ssl.SSLError):
                setting = f"the {self._tier}'s setting insecure_registries"
                hint = f"without TLS it is asked only if {setting} names {place.host}"
                return RegistryAway(f"the registry {place.host} does not speak TLS", hint=hint)
            cause = cause.__cause__ or cause.__context__
        if isinstance(error, httpx.TimeoutException):
            return RegistryAway(
                f"the registry {place.host} does not answer in time",
                hint=f"can the {self._tier} reach it? With a digest in the spec it is not asked",
            )
        if isinstance(error, httpx.ConnectError):
            return RegistryAway(
                f"the registry {place.host} cannot be reached: {error}",
                hint="start it, mend its name, or write the image with its digest",
            )
        return RegistryAway(
            f"the registry {place.host} does not answer as one does: {error}", hint="is it a registry?"
        )
