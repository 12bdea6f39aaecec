"""Keys that sign desired state, and their private halves: read and added in the caller's transaction."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from cloud.store import schema


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningRow:
    """A signing key as the store keeps it."""

    version: int
    public: bytes
    signature: bytes
    """By the key before or the CA; empty: nobody vouches for it."""
    private: bytes = field(repr=False)
    """Sealed, where there is a CA (:mod:`cloud.signing.seal`)."""
    made_us: int


class SigningKeys:
    """The table ``signing_keys`` in one transaction, which has the turn if it adds one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> tuple[SigningRow, ...]:
        """Every key, oldest first."""
        table = schema.signing_keys
        rows = self._connection.execute(select(table).order_by(table.c.version))
        return tuple(
            SigningRow(
                version=row.version,
                public=bytes(row.public_key),
                signature=bytes(row.signature),
                private=bytes(row.private_key),
                made_us=row.made_us,
            )
            for row in rows
        )

    def add(self, row: SigningRow) -> None:
        """Add a key."""
        self._connection.execute(
            schema.signing_keys.insert().values(
                version=row.version,
                public_key=row.public,
                signature=row.signature,
                private_key=row.private,
                made_us=row.made_us,
            )
        )
