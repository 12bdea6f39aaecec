"""Asks registries which digest a tag stands for, and for what a digest names: the OCI distribution API."""

import base64
import hashlib
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Literal, Self

import httpx

import fogline
from fogline.model.image import DIGEST, ImageReference
from fogline.registry.errors import RegistryAway
from fogline.registry.faults import Faults
from fogline.registry.hosts import Place, PlainHosts, place_of
from fogline.registry.logins import Login

CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 4.0
"""Together less than a client of the SDK waits for an answer."""
MAX_MANIFEST: Final = 4 * 1024**2
MAX_REDIRECTS: Final = 3
DEFAULT_TAG: Final = "latest"

MANIFESTS: Final = (
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
"""Lists of several architectures first: each node takes its own from them."""

Kind = Literal["manifests", "blobs"]
CHUNK: Final = 256 * 1024

_PLACE: Final = "fogline.place"
_PARAMETER: Final = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a registry sends."""

    begins: int
    """The first byte that comes: the offset that was asked for, or 0 of a registry that cannot."""
    size: int | None
    """Of the whole; None if the registry does not say."""
    chunks: Iterator[bytes]


class Registries:
    """Resolves tags and fetches by digest. Blocks; for a process or threads of its own."""

    def __init__(
        self,
        plain: PlainHosts,
        logins: Mapping[str, Login] | None = None,
        *,
        tier: str = "cloud",
        connect_s: float = CONNECT_SECONDS,
        read_s: float = READ_SECONDS,
    ) -> None:
        """``plain``: registries that may be asked without TLS; ``tier``: who asks."""
        self._faults: Final = Faults(tier)
        self._plain: Final = plain
        self._logins: Final = logins or {}
        self._client: Final = httpx.Client(
            timeout=httpx.Timeout(read_s, connect=connect_s),
            follow_redirects=True,
            max_redirects=MAX_REDIRECTS,
            # The machine's own authorities, among which an operator puts those of a registry in the house.
            verify=ssl.create_default_context(),
            headers={"User-Agent": f"fogline/{fogline.__version__}"},
            event_hooks={"request": [_check_encrypted]},
        )
        self._budget_s: Final = connect_s + read_s

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def digest_of(self, reference: ImageReference) -> str:
        """What the tag stands for now. Raises :class:`NoSuchImage` and :class:`RegistryAway`."""
        place = place_of(reference, self._plain)
        tag = reference.tag or DEFAULT_TAG
        url = f"{place.url}/v2/{place.repository}/manifests/{tag}"
        until = time.monotonic() + self._budget_s
        headers = {"Accept": MANIFESTS}
        answer = self._ask("HEAD", url, place, headers)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            headers["Authorization"] = self._authorization(answer, place)
            if time.monotonic() > until:
                raise RegistryAway(f"the registry {place.host} takes too long", hint="try again later")
            answer = self._ask("HEAD", url, place, headers)
        self._faults.check(answer, place, f"{reference.name}:{tag}")
        digest = answer.headers.get("Docker-Content-Digest", "")
        return digest if DIGEST.fullmatch(digest) else self._hashed(url, place, headers)

    @contextmanager
    def opened(
        self, reference: ImageReference, kind: Kind, digest: str, *, offset: int = 0
    ) -> Iterator[Opened]:
        """What a digest names in the repository of an image, from ``offset`` on if the registry can do that.

        Nothing of it is checked here. Raises :class:`NoSuchImage` and :class:`RegistryAway`, also while it is read.
        """
        place = place_of(reference, self._plain)
        url = f"{place.url}/v2/{place.repository}/{kind}/{digest}"
        headers = {"Accept": MANIFESTS if kind == "manifests" else "*/*", "Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        try:
            with ExitStack() as stack:
                answer = stack.enter_context(self._streamed(url, place, headers))
                if answer.status_code == httpx.codes.UNAUTHORIZED:
                    stack.close()
                    headers["Authorization"] = self._authorization(answer, place)
                    answer = stack.enter_context(self._streamed(url, place, headers))
                self._faults.check(answer, place, f"{reference.name} with {digest}")
                begins = offset if answer.status_code == httpx.codes.PARTIAL_CONTENT else 0
                length = answer.headers.get("Content-Length", "")
                size = begins + int(length) if length.isascii() and length.isdecimal() else None
                yield Opened(begins=begins, size=size, chunks=answer.iter_raw(CHUNK))
        except httpx.HTTPError as error:
            raise self._faults.away(error, place) from error

    def _streamed(
        self, url: str, place: Place, headers: Mapping[str, str]
    ) -> AbstractContextManager[httpx.Response]:
        return self._client.stream("GET", url, headers=dict(headers), extensions=_told(place))

    def _hashed(self, url: str, place: Place, headers: Mapping[str, str]) -> str:
        """The digest of the manifest itself, of a registry that does not say it."""
        try:
            with self._streamed(url, place, headers) as answer:
                found = hashlib.sha256()
                taken = 0
                for chunk in answer.iter_bytes():
                    taken += len(chunk)
                    found.update(chunk)
                    if taken > MAX_MANIFEST:
                        raise RegistryAway(
                            f"{place.host} answers with more than a manifest", hint="is it a registry?"
                        )
        except httpx.HTTPError as error:
            raise self._faults.away(error, place) from error
        if answer.status_code != httpx.codes.OK or not taken:
            raise RegistryAway(f"{place.host} does not answer as a registry does", hint="is it one?")
        return f"sha256:{found.hexdigest()}"

    def _ask(self, method: str, url: str, place: Place, headers: Mapping[str, str]) -> httpx.Response:
        try:
            return self._client.request(method, url, headers=dict(headers), extensions=_told(place))
        except httpx.HTTPError as error:
            raise self._faults.away(error, place) from error

    def _authorization(self, refusal: httpx.Response, place: Place) -> str:
        """What the registry wants to see: our login, or a token that it gives to anybody or to our login."""
        kind, _, rest = refusal.headers.get("WWW-Authenticate", "").partition(" ")
        login = self._logins.get(place.host)
        if kind.lower() == "basic" and login:
            return _basic(login)
        wanted = dict(_PARAMETER.findall(rest))
        realm = wanted.get("realm", "")
        if kind.lower() != "bearer" or not realm.startswith(("https://", "http://")):
            raise self._faults.refused(place)
        asked = {"service": wanted.get("service", ""), "scope": f"repository:{place.repository}:pull"}
        try:
            answer = self._client.get(
                realm,
                params=asked,
                headers={"Authorization": _basic(login)} if login else {},
                extensions=_told(place),
            )
            if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
                raise self._faults.refused(place)
            told = answer.raise_for_status().json()
            token = told.get("token") or told.get("access_token")
        except (httpx.HTTPError, ValueError, AttributeError) as error:
            raise self._faults.away(error, place) from error
        if not isinstance(token, str) or not token.isascii():
            raise RegistryAway(f"{place.host} gives no token", hint="mend the registry")
        return f"Bearer {token}"


def _told(place: Place) -> dict[str, Place]:
    """What :func:`_check_encrypted` needs to know of a request; redirects keep it."""
    return {_PLACE: place}


def _check_encrypted(request: httpx.Request) -> None:
    """A registry with TLS sends nobody on to where there is none: not with a token, a login or a redirect."""
    place = request.extensions.get(_PLACE)
    if request.url.scheme != "https" and isinstance(place, Place) and not place.is_plain:
        raise RegistryAway(
            f"the registry {place.host} sends us to {request.url.host} without TLS", hint="mend the registry"
        )


def _basic(login: Login) -> str:
    return "Basic " + base64.b64encode(":".join(login).encode()).decode()
