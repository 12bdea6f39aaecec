"""Who belongs to the installation: its CA, join tokens, and the keys that were given an identity."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sa.Text(collation="C") if op.get_bind().dialect.name == "postgresql" else sa.Text()
    op.create_table(
        "authority",
        sa.Column("id", sa.BigInteger, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("certificate", sa.LargeBinary, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "join_tokens",
        sa.Column("hash", sa.LargeBinary, primary_key=True, nullable=False),
        sa.Column("tenant", text, nullable=False),
        sa.Column("role", text, nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
        sa.Column("used_us", sa.BigInteger),
        sa.Column("used_at", text, nullable=False),
        sa.Column("used_key", text, nullable=False),
        sa.Column("revoked_us", sa.BigInteger),
    )
    op.create_table(
        "identities",
        sa.Column("key", text, primary_key=True, nullable=False),
        sa.Column("tenant", text, nullable=False),
        sa.Column("role", text, nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("issuing_key", text, nullable=False),
        sa.Column("serial", text, nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False),
        sa.Column("joined_us", sa.BigInteger, nullable=False),
        sa.Column("revoked_us", sa.BigInteger),
    )
