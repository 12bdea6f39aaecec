"""What runs a plan's operators and services can change without a new plan."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "releases",
        sa.Column("tenant", _text(), primary_key=True, nullable=False),
        sa.Column("plan", _text(), primary_key=True, nullable=False),
        sa.Column("number", sa.BigInteger, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("wire", sa.LargeBinary, nullable=False),
        sa.Column("spec", _text(), nullable=False),
        sa.Column("deployed_us", sa.BigInteger, nullable=False),
        sqlite_with_rowid=True,
    )


def _text() -> sa.Text:
    """Compared by its bytes, as everywhere in the store."""
    return sa.Text(collation="C") if op.get_bind().dialect.name == "postgresql" else sa.Text()
