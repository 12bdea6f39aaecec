"""API tokens, as people ask for them."""

import re
from collections.abc import Callable, Iterable
from typing import Final

from cloud.store.access import ApiTokenRow, ApiTokens
from fogline.access.token import new_api_token
from fogline.identity.names import Subject
from fogline.model.caller import PEOPLES, Caller, Right
from fogline.model.clock import DAY, MINUTE, Clock
from fogline.model.errors import InvalidInput, NotAllowed
from fogline.service.callers import require
from fogline.v1 import access_pb2

LONGEST_US: Final = 10 * 365 * DAY
SHORTEST_US: Final = MINUTE
_NAME: Final = re.compile(r"[^\W_][\w .@+-]{0,63}")


class Access:
    """Creates, lists and revokes API tokens."""

    def __init__(
        self, tokens: ApiTokens, *, authority: bytes, clock: Clock, changed: Callable[[], None]
    ) -> None:
        """``authority``: SHA-256 of the CA's certificate; ``changed`` is told that the store has something new."""
        self._tokens: Final = tokens
        self._authority: Final = authority
        self._clock: Final = clock
        self._changed: Final = changed

    async def create(
        self, caller: Caller, request: access_pb2.CreateApiTokenRequest
    ) -> access_pb2.CreateApiTokenResponse:
        """A token, whose text is shown once. Nobody gives a right that he lacks."""
        require(caller, Right.ADMIT)
        tenant, rights, now_us = (
            tenant_of(caller, request.tenant),
            rights_of(request.rights),
            self._clock.now_us(),
        )
        if lacking := rights - caller.rights:
            words = ", ".join(sorted(right.value for right in lacking))
            raise NotAllowed(f"{words}: nobody gives a right that he lacks")
        if request.expires_us and not SHORTEST_US <= request.expires_us <= LONGEST_US:
            raise InvalidInput("an API token holds for 1 minute to 10 years, or without an end")
        if _NAME.fullmatch(request.name) is None:
            raise InvalidInput(
                f"{request.name!r} is no name for a token",
                hint="1 to 64 letters, digits, blanks, `.`, `_`, `-`, `@`, `+`; a letter or digit first",
            )
        token = new_api_token(self._authority)
        row = ApiTokenRow(
            id=token.id,
            tenant=tenant,
            name=request.name,
            rights=rights,
            hash=token.hash,
            created_us=now_us,
            created_by=caller.key,
            expires_us=now_us + request.expires_us if request.expires_us else None,
        )
        await self._tokens.create(row, now_us)
        self._changed()
        return access_pb2.CreateApiTokenResponse(token=str(token), about=about(row))

    async def list(
        self, caller: Caller, request: access_pb2.ListApiTokensRequest
    ) -> access_pb2.ListApiTokensResponse:
        """Tokens of a tenant, the newest first."""
        require(caller, Right.ADMIT)
        rows = await self._tokens.of(tenant_of(caller, request.tenant))
        return access_pb2.ListApiTokensResponse(tokens=map(about, rows))

    async def revoke(
        self, caller: Caller, request: access_pb2.RevokeApiTokenRequest
    ) -> access_pb2.RevokeApiTokenResponse:
        """Close a token."""
        require(caller, Right.ADMIT)
        within = None if caller.may(Right.OPERATE) else caller.tenant
        row = await self._tokens.revoke(request.id, within, self._clock.now_us())
        self._changed()
        return access_pb2.RevokeApiTokenResponse(about=about(row))

    def whoami(self, caller: Caller) -> access_pb2.GetCallerResponse:
        """Who asks."""
        return access_pb2.GetCallerResponse(
            about=access_pb2.ApiToken(
                id=caller.key, name=caller.name, tenant=caller.tenant, rights=words(caller.rights)
            )
        )


def tenant_of(caller: Caller, asked: str) -> str:
    """For which tenant something is asked. Raises :class:`NotAllowed`, :class:`InvalidInput`."""
    if asked in ("", caller.tenant):
        return caller.tenant
    require(caller, Right.OPERATE)
    return Subject(tenant=asked, role="node", name="any").tenant


def rights_of(asked: Iterable[str]) -> frozenset[Right]:
    """Rights by their words. Raises :class:`InvalidInput`."""
    known = {right.value: right for right in PEOPLES}
    given = list(asked)
    if not given or any(word not in known for word in given):
        raise InvalidInput(
            f"{', '.join(given) or 'nothing'}: not what a token may do",
            hint=f"rights are {', '.join(sorted(known))}",
        )
    return frozenset(known[word] for word in given)


def words(rights: frozenset[Right]) -> list[str]:
    """Rights as words."""
    return sorted(right.value for right in rights)


def about(row: ApiTokenRow) -> access_pb2.ApiToken:
    """A token without its secret."""
    return access_pb2.ApiToken(
        id=row.id,
        name=row.name,
        tenant=row.tenant,
        rights=words(row.rights),
        created_us=row.created_us,
        created_by=row.created_by,
        expires_us=row.expires_us or 0,
        used_us=row.used_us or 0,
        revoked_us=row.revoked_us or 0,
    )
