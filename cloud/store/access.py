"""API tokens in the store: each method one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, or_, select, update

from cloud.store import schema
from cloud.store.backend import Backend
from fogline.model.caller import Right
from fogline.model.clock import DAY
from fogline.model.errors import Conflict, NotFound

KEPT_US: Final = 30 * DAY
"""How long a token is listed after it can be used no more."""
MOST_TOKENS: Final = 10_000

_tokens: Final = schema.api_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiTokenRow:
    """A token, with the hash of its secret."""

    id: str
    tenant: str
    name: str
    rights: frozenset[Right]
    hash: bytes = field(repr=False)
    created_us: int
    created_by: str = ""
    expires_us: int | None = None
    used_us: int | None = None
    revoked_us: int | None = None

    def holds(self, now_us: int) -> bool:
        """Whether it opens anything now."""
        return self.revoked_us is None and (self.expires_us is None or now_us < self.expires_us)


class ApiTokens:
    """The table ``api_tokens``."""

    def __init__(self, backend: Backend) -> None:
        self._backend: Final = backend

    async def create(self, row: ApiTokenRow, now_us: int) -> None:
        """Keep a new token. Raises :class:`Conflict` if there are too many."""
        await self._backend.write(lambda connection: self._create(connection, row, now_us))

    async def create_first(self, row: ApiTokenRow, now_us: int) -> bool:
        """Keep a token unless there is one with all its rights that holds; whether it is in the store now."""

        def create(connection: Connection) -> bool:
            _lock(connection)
            others = [_row(found) for found in connection.execute(select(_tokens))]
            if any(other.rights >= row.rights and other.holds(now_us) for other in others):
                return any(other.id == row.id and other.holds(now_us) for other in others)
            if any(other.id == row.id for other in others):
                return False
            self._create(connection, row, now_us)
            return True

        return await self._backend.write(create)

    def _create(self, connection: Connection, row: ApiTokenRow, now_us: int) -> None:
        _lock(connection)
        version, old = _next_version(connection), now_us - KEPT_US
        connection.execute(delete(_tokens).where(or_(_tokens.c.expires_us < old, _tokens.c.revoked_us < old)))
        if connection.execute(select(func.count()).select_from(_tokens)).scalar_one() >= MOST_TOKENS:
            raise Conflict(f"there are {MOST_TOKENS} API tokens already", hint="revoke some, or wait")
        connection.execute(
            insert(_tokens).values(
                id=row.id,
                tenant=row.tenant,
                name=row.name,
                rights=" ".join(sorted(right.value for right in row.rights)),
                hash=row.hash,
                created_us=row.created_us,
                created_by=row.created_by,
                expires_us=row.expires_us,
                version=version,
            )
        )

    async def revoke(self, name: str, tenant: str | None, now_us: int) -> ApiTokenRow:
        """Close a token by its id; of this tenant, or of any with None. Raises :class:`NotFound`."""

        def revoke(connection: Connection) -> ApiTokenRow:
            _lock(connection)
            whose = [_tokens.c.id == name]
            if tenant is not None:
                whose.append(_tokens.c.tenant == tenant)
            closed = update(_tokens).where(*whose, _tokens.c.revoked_us.is_(None))
            connection.execute(closed.values(revoked_us=now_us, version=_next_version(connection)))
            found = connection.execute(select(_tokens).where(*whose)).one_or_none()
            if found is None:
                raise NotFound(f"there is no API token {name}", hint="`fogline api-token list` shows them")
            return _row(found)

        return await self._backend.write(revoke)

    async def of(self, tenant: str) -> list[ApiTokenRow]:
        """A tenant's tokens, the newest first."""
        query = select(_tokens).where(_tokens.c.tenant == tenant)
        ordered = query.order_by(_tokens.c.created_us.desc(), _tokens.c.id)
        return await self._backend.read(lambda connection: [_row(r) for r in connection.execute(ordered)])

    async def all(self) -> tuple[int, list[ApiTokenRow]]:
        """Every token, and the version of this answer."""

        def read(connection: Connection) -> tuple[int, list[ApiTokenRow]]:
            return _version(connection), [_row(r) for r in connection.execute(select(_tokens))]

        return await self._backend.read(read)

    async def version(self) -> int:
        """Changes whenever a token was made or closed; not when one was used."""
        return await self._backend.read(_version)

    async def note_used(self, used_us: Mapping[str, int]) -> None:
        """When tokens were shown last, by id."""

        def note(connection: Connection) -> None:
            older = or_(_tokens.c.used_us.is_(None), _tokens.c.used_us < bindparam("at"))
            statement = update(_tokens).where(_tokens.c.id == bindparam("shown"), older)
            connection.execute(
                statement.values(used_us=bindparam("at")),
                [{"shown": name, "at": at} for name, at in sorted(used_us.items())],
            )

        if used_us:
            await self._backend.write(note)


def _lock(connection: Connection) -> None:
    """Let changes of tokens follow one another: a version must never be given out twice."""
    connection.execute(select(schema.store.c.id).with_for_update())


def _version(connection: Connection) -> int:
    return int(connection.execute(select(func.max(_tokens.c.version))).scalar() or 0)


def _next_version(connection: Connection) -> int:
    return _version(connection) + 1


def _row(row: Row[Any]) -> ApiTokenRow:
    known = {right.value: right for right in Right}
    return ApiTokenRow(
        id=row.id,
        tenant=row.tenant,
        name=row.name,
        # A right that only a later release knows opens nothing here.
        rights=frozenset(known[word] for word in row.rights.split() if word in known),
        hash=bytes(row.hash),
        created_us=row.created_us,
        created_by=row.created_by,
        expires_us=row.expires_us,
        used_us=row.used_us,
        revoked_us=row.revoked_us,
    )
