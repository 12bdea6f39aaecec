"""Who may join, who has joined, and whose keys were taken back: each method one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Row, case, delete, func, insert, or_, select, update

from cloud.store import schema
from cloud.store.backend import Backend
from cloud.store.book import Book
from cloud.store.kept import Machine
from fogline.identity.judging import KnownToken, anew, judge
from fogline.identity.names import AGGREGATOR, Subject
from fogline.identity.token import TokenRefused, id_of
from fogline.model.clock import DAY
from fogline.model.errors import Conflict, NotFound

TOKENS_KEPT_US: Final = 30 * DAY
"""How long a token is listed after it can be used no more."""
MAX_OPEN_TOKENS: Final = 10_000

_tokens: Final = schema.join_tokens
_identities: Final = schema.identities
_MACHINE: Final = (_identities.c.role, _identities.c.tenant, _identities.c.name)
_TAKEN_BACK: Final = (
    select(*_MACHINE).group_by(*_MACHINE).having(func.count() == func.count(_identities.c.revoked_us))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A token with what became of it."""

    known: KnownToken
    created_us: int
    used_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedKey:
    """A key that was given an identity."""

    key: str
    subject: Subject
    issuing_key: str = ""
    """With which an aggregator signs; empty: it signs nothing."""
    serial: str
    until_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What an aggregator certified by itself."""

    joined: JoinedKey
    token: bytes
    """Hash of the token's secret; empty: a renewal."""
    by: str
    """Name of the aggregator."""
    at_us: int
    """By the aggregator's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Everything that aggregators and open streams need to know, from one moment."""

    version: int
    open: tuple[KnownToken, ...]
    revoked: frozenset[str]
    taken_back: frozenset[Machine] = frozenset()
    """Names of which every key was revoked."""


class Admissions:
    """The tables ``authority``, ``join_tokens`` and ``identities``."""

    def __init__(self, backend: Backend) -> None:
        self._backend: Final = backend

    async def adopt(self, certificate: bytes) -> bytes:
        """Say whose CA signs here, if nobody has; the certificate (DER) that holds, perhaps another one."""

        def adopt(connection: Connection) -> bytes:
            statement = self._backend.upsert(schema.authority)
            connection.execute(statement, {"id": 1, "certificate": certificate, "version": 1})
            return bytes(connection.execute(select(schema.authority.c.certificate)).scalar_one())

        return await self._backend.write(adopt)

    async def authority(self) -> bytes:
        """The CA's certificate (DER); empty: none was adopted."""
        query = select(schema.authority.c.certificate)
        return await self._backend.read(lambda connection: bytes(connection.execute(query).scalar() or b""))

    async def create_token(
        self, subject: Subject, digest: bytes, *, now_us: int, expires_us: int
    ) -> TokenRow:
        """Let a machine join. Raises :class:`Conflict` if there are too many tokens."""

        def create(connection: Connection) -> TokenRow:
            _changed(connection, now_us)
            ended = or_(_tokens.c.used_us.is_not(None), _tokens.c.revoked_us.is_not(None))
            old = now_us - TOKENS_KEPT_US
            connection.execute(delete(_tokens).where(_tokens.c.expires_us < old))
            connection.execute(delete(_tokens).where(ended, _tokens.c.created_us < old))
            if len(connection.execute(select(_tokens.c.hash)).all()) >= MAX_OPEN_TOKENS:
                raise Conflict(f"there are {MAX_OPEN_TOKENS} tokens already", hint="revoke some, or wait")
            connection.execute(
                insert(_tokens).values(
                    hash=digest,
                    tenant=subject.tenant,
                    role=subject.role,
                    name=subject.name,
                    created_us=now_us,
                    expires_us=expires_us,
                    used_at="",
                    used_key="",
                )
            )
            return _token(connection, digest)

        return await self._backend.write(create)

    async def tokens(self, tenant: str) -> list[TokenRow]:
        """A tenant's tokens, the newest first."""
        query = select(_tokens).where(_tokens.c.tenant == tenant).order_by(_tokens.c.created_us.desc())
        return await self._backend.read(lambda connection: [_row(r) for r in connection.execute(query)])

    async def revoke_token(self, tenant: str, name: str, now_us: int) -> TokenRow:
        """Close a token by its id. Raises :class:`NotFound`."""

        def revoke(connection: Connection) -> TokenRow:
            _changed(connection, now_us)
            hashes = connection.execute(select(_tokens.c.hash).where(_tokens.c.tenant == tenant)).scalars()
            digest = next((bytes(h) for h in hashes if id_of(bytes(h)) == name), None)
            if digest is None:
                raise NotFound(f"there is no token {name}", hint="`fogline token list` shows them")
            closed = update(_tokens).where(_tokens.c.hash == digest, _tokens.c.revoked_us.is_(None))
            connection.execute(closed.values(revoked_us=now_us))
            return _token(connection, digest)

        return await self._backend.write(revoke)

    async def redeem(
        self, digest: bytes, *, role: str, name: str, key: str, issuing_key: str, at: str, now_us: int
    ) -> Subject:
        """Use a token for a key: whose identity it gets. Who had the name before has it no more.

        Raises :class:`fogline.identity.token.TokenRefused`.
        """

        def redeem(connection: Connection) -> Subject:
            _changed(connection, now_us)
            found = connection.execute(select(_tokens).where(_tokens.c.hash == digest)).one_or_none()
            token = _row(found).known if found is not None else None
            subject = judge(token, role=role, name=name, key=key, now_us=now_us)
            _check_key(connection, key, subject)
            used = update(_tokens).where(_tokens.c.hash == digest, _tokens.c.used_us.is_(None))
            connection.execute(used.values(used_us=now_us, used_at=at, used_key=key))
            self._take_back(connection, subject, now_us, but=key)
            joined = JoinedKey(key=key, subject=subject, issuing_key=issuing_key, serial="", until_us=0)
            self._put(connection, joined, now_us)
            return subject

        return await self._backend.write(redeem)

    async def note(self, joined: Sequence[JoinedKey], now_us: int) -> None:
        """Learn of certificates: of a new key, or a later one of a key that is known. What was revoked stays so."""

        def note(connection: Connection) -> None:
            _changed(connection, now_us)
            for each in joined:
                self._put(connection, each, now_us)

        if joined:
            await self._backend.write(note)

    async def hear(self, heard: Sequence[Heard], now_us: int) -> tuple[str, ...]:
        """Learn of what aggregators certified; keys that were taken back at once, as another came first."""

        def hear(connection: Connection) -> tuple[str, ...]:
            _changed(connection, now_us)
            return tuple(each.joined.key for each in heard if not self._heard(connection, each, now_us))

        return await self._backend.write(hear)

    def _heard(self, connection: Connection, heard: Heard, now_us: int) -> bool:
        """Whether the key may stay."""
        joined, key = heard.joined, heard.joined.key
        self._put(connection, joined, heard.at_us)
        if not heard.token:
            return True
        row = connection.execute(select(_tokens).where(_tokens.c.hash == heard.token)).one_or_none()
        token = _row(row).known if row is not None else None
        closed = token is not None and token.revoked_us is not None and token.revoked_us <= heard.at_us
        if token is None or closed or token.used_key not in ("", key):
            whose = update(_identities).where(_identities.c.key == key, _identities.c.revoked_us.is_(None))
            connection.execute(whose.values(revoked_us=now_us))
            return False
        if not token.used_key:
            used = update(_tokens).where(_tokens.c.hash == heard.token)
            connection.execute(used.values(used_us=heard.at_us, used_at=heard.by, used_key=key))
            self._take_back(connection, joined.subject, now_us, but=key)
        return True

    def _put(self, connection: Connection, joined: JoinedKey, now_us: int) -> None:
        statement = self._backend.upsert(_identities, overwrite=("serial", "until_us"))
        connection.execute(
            statement,
            {
                "key": joined.key,
                "tenant": joined.subject.tenant,
                "role": joined.subject.role,
                "name": joined.subject.name,
                "issuing_key": joined.issuing_key,
                "serial": joined.serial,
                "until_us": joined.until_us,
                "joined_us": now_us,
            },
        )

    async def revoke(self, subject: Subject, now_us: int) -> tuple[str, ...]:
        """Take back every key of a name, and close its tokens; the keys. Raises :class:`NotFound` without any."""

        def revoke(connection: Connection) -> tuple[str, ...]:
            _changed(connection, now_us)
            keys = self._take_back(connection, subject, now_us)
            if not keys:
                raise NotFound(f"no {subject} has an identity", hint="it has none, or it was revoked before")
            open_ones = update(_tokens).where(
                _tokens.c.tenant == subject.tenant,
                _tokens.c.role == subject.role,
                _tokens.c.name == subject.name,
                _tokens.c.used_us.is_(None),
                _tokens.c.revoked_us.is_(None),
            )
            connection.execute(open_ones.values(revoked_us=now_us))
            return keys

        return await self._backend.write(revoke)

    def _take_back(
        self, connection: Connection, subject: Subject, now_us: int, *, but: str = ""
    ) -> tuple[str, ...]:
        """Revoke the keys of a name; an aggregator assigns no more from the next generation on."""
        keys = revoke_name(connection, subject, now_us, but=but)
        if keys and subject.role == AGGREGATOR:
            book = Book(connection, self._backend, now_us)
            book.turn()
            book.raise_term()
        return keys

    async def version(self) -> int:
        """How often anything changed; 0 before a CA was adopted."""
        query = select(schema.authority.c.version)
        return await self._backend.read(lambda connection: int(connection.execute(query).scalar() or 0))

    async def standing(self, now_us: int) -> Standing:
        """What holds now."""

        def standing(connection: Connection) -> Standing:
            version = connection.execute(select(schema.authority.c.version)).scalar()
            usable = (
                _tokens.c.used_us.is_(None),
                _tokens.c.revoked_us.is_(None),
                _tokens.c.expires_us > now_us,
            )
            taken = select(_identities.c.key, _identities.c.issuing_key)
            keys = connection.execute(taken.where(_identities.c.revoked_us.is_not(None))).all()
            return Standing(
                version=int(version or 0),
                open=tuple(_row(r).known for r in connection.execute(select(_tokens).where(*usable))),
                revoked=frozenset(key for row in keys for key in row if key),
                taken_back=frozenset(Machine(*row) for row in connection.execute(_TAKEN_BACK)),
            )

        return await self._backend.read(standing)


def revoke_name(connection: Connection, subject: Subject, now_us: int, *, but: str = "") -> tuple[str, ...]:
    """Take back the keys of a name; those that were not taken back before."""
    whose = (
        _identities.c.tenant == subject.tenant,
        _identities.c.role == subject.role,
        _identities.c.name == subject.name,
        _identities.c.revoked_us.is_(None),
        _identities.c.key != but,
    )
    keys = tuple(connection.execute(select(_identities.c.key).where(*whose)).scalars())
    connection.execute(update(_identities).where(*whose).values(revoked_us=now_us))
    return keys


def deposed_keys(connection: Connection) -> tuple[str, ...]:
    """Keys of aggregators that were taken back."""
    query = select(_identities.c.key).where(
        _identities.c.role == AGGREGATOR, _identities.c.revoked_us.is_not(None)
    )
    return tuple(connection.execute(query.order_by(_identities.c.key)).scalars())


def _changed(connection: Connection, now_us: int) -> None:
    """Say that something changes, and be the only one who does until the transaction ends.

    The version goes by the clock where it can: that of a store restored from a backup must not seem old to aggregators.
    """
    version = schema.authority.c.version
    connection.execute(
        update(schema.authority).values(version=case((version + 1 > now_us, version + 1), else_=now_us))
    )


def _check_key(connection: Connection, key: str, subject: Subject) -> None:
    """Raise :class:`TokenRefused` for a key that was taken back."""
    whose = select(_identities.c.revoked_us).where(_identities.c.key == key)
    if connection.execute(whose).scalar() is not None:
        raise TokenRefused("the identity that this token brought was revoked", hint=anew(subject))


def _token(connection: Connection, digest: bytes) -> TokenRow:
    return _row(connection.execute(select(_tokens).where(_tokens.c.hash == digest)).one())


def _row(row: Row[tuple[object, ...]]) -> TokenRow:
    return TokenRow(
        known=KnownToken(
            hash=bytes(row.hash),
            subject=Subject(tenant=row.tenant, role=row.role, name=row.name),
            expires_us=row.expires_us,
            used_us=row.used_us,
            used_key=row.used_key,
            revoked_us=row.revoked_us,
        ),
        created_us=row.created_us,
        used_at=row.used_at,
    )
