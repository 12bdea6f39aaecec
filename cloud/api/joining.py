"""Join tokens and revocations, as people ask for them."""

from collections.abc import Callable
from typing import Final

from cloud.store.admissions import Admissions, TokenRow
from fogline.identity.names import JOINING, Subject
from fogline.identity.token import hash_of, new_token
from fogline.model.caller import Caller, Right
from fogline.model.clock import DAY, MINUTE, Clock
from fogline.model.errors import InvalidInput
from fogline.service.callers import require
from fogline.v1 import enrol_pb2

LONGEST_US: Final = 30 * DAY
SHORTEST_US: Final = MINUTE


class Joining:
    """Creates, lists and revokes tokens; takes identities back."""

    def __init__(
        self, admissions: Admissions, *, fingerprint: bytes, clock: Clock, changed: Callable[[], None]
    ) -> None:
        """``fingerprint``: SHA-256 of the CA's certificate; ``changed`` is told that the store has something new."""
        self._admissions: Final = admissions
        self._fingerprint: Final = fingerprint
        self._clock: Final = clock
        self._changed: Final = changed

    async def create(
        self, caller: Caller, request: enrol_pb2.CreateTokenRequest
    ) -> enrol_pb2.CreateTokenResponse:
        """A token, whose text is shown once."""
        require(caller, Right.ADMIT)
        subject = _subject(caller, request.role, request.name)
        if not SHORTEST_US <= request.expires_us <= LONGEST_US:
            raise InvalidInput("a token can be used for 1 minute to 30 days")
        token, now_us = new_token(caller.tenant, self._fingerprint), self._clock.now_us()
        row = await self._admissions.create_token(
            subject, hash_of(token.secret), now_us=now_us, expires_us=now_us + request.expires_us
        )
        self._changed()
        return enrol_pb2.CreateTokenResponse(token=str(token), about=_about(row))

    async def tokens(self, caller: Caller) -> enrol_pb2.ListTokensResponse:
        """Tokens, the newest first."""
        require(caller, Right.ADMIT)
        return enrol_pb2.ListTokensResponse(
            tokens=[_about(row) for row in await self._admissions.tokens(caller.tenant)]
        )

    async def revoke_token(
        self, caller: Caller, request: enrol_pb2.RevokeTokenRequest
    ) -> enrol_pb2.RevokeTokenResponse:
        """Close a token."""
        require(caller, Right.ADMIT)
        row = await self._admissions.revoke_token(caller.tenant, request.id, self._clock.now_us())
        self._changed()
        return enrol_pb2.RevokeTokenResponse(about=_about(row))

    async def revoke(
        self, caller: Caller, request: enrol_pb2.RevokeIdentityRequest
    ) -> enrol_pb2.RevokeIdentityResponse:
        """Take back every identity under a name."""
        require(caller, Right.ADMIT)
        subject = _subject(caller, request.role, request.name)
        keys = await self._admissions.revoke(subject, self._clock.now_us())
        self._changed()
        return enrol_pb2.RevokeIdentityResponse(keys=keys)


def _subject(caller: Caller, role: str, name: str) -> Subject:
    if role not in JOINING:
        raise InvalidInput(f"{role!r} cannot join; known are {', '.join(JOINING)}")
    return Subject(tenant=caller.tenant, role=role, name=name)


def _about(row: TokenRow) -> enrol_pb2.JoinToken:
    known = row.known
    return enrol_pb2.JoinToken(
        id=known.id,
        role=known.subject.role,
        name=known.subject.name,
        created_us=row.created_us,
        expires_us=known.expires_us,
        used_us=known.used_us or 0,
        used_at=row.used_at,
        revoked_us=known.revoked_us or 0,
    )
