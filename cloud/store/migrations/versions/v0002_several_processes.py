"""What several cloud processes on one store need to know of each other."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("store", sa.Column("edition", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "members",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "aggregators",
        sa.Column("tenant", sa.Text, primary_key=True, nullable=False),
        sa.Column("aggregator", sa.Text, primary_key=True, nullable=False),
        sa.Column("seen_us", sa.BigInteger, nullable=False),
        sa.Column("report", sa.LargeBinary, nullable=False),
    )
