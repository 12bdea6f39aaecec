"""Aggregators assign in terms."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("store", sa.Column("term", sa.BigInteger, nullable=False, server_default="1"))
