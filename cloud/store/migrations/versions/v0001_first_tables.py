"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "store",
        _number("id", key=True),
        sa.Column("incarnation", sa.LargeBinary, nullable=False),
        _number("created_us"),
        _number("generation"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "plans",
        _text("tenant", key=True),
        _text("plan", key=True),
        _text("pipeline"),
        sa.Column("wire", sa.LargeBinary, nullable=False),
        _text("spec"),
        _number("deployed_us"),
        _text("stage"),
        sa.Column("replaced_us", sa.BigInteger),
        sa.Column("stopped_us", sa.BigInteger),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "steps",
        _text("tenant", key=True),
        _text("plan", key=True),
        _text("step", key=True),
        _text("stream"),
        _number("width_us"),
        _number("horizon_us"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pipelines",
        _text("tenant", key=True),
        _text("name", key=True),
        _text("public"),
        _text("newest"),
        _number("changes"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "publications",
        _text("tenant", key=True),
        _text("pipeline", key=True),
        _number("from_us", key=True),
        _text("plan"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "nodes",
        _text("tenant", key=True),
        _text("node", key=True),
        _number("first_us"),
        _number("seen_us"),
        sa.Column("report", sa.LargeBinary, nullable=False),
        sa.Column("retired_us", sa.BigInteger),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "assignments",
        _text("tenant", key=True),
        _text("plan", key=True),
        _text("node", key=True),
        _number("from_us", key=True),
        sa.Column("to_us", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "origins",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        _text("tenant"),
        _text("node"),
        _text("stream"),
        sa.Column("epoch", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=True,
    )
    op.create_index("origins_name", "origins", ["tenant", "node", "stream", "epoch"], unique=True)
    op.create_table(
        "offsets",
        _text("tenant", key=True),
        _text("plan", key=True),
        _number("origin", key=True),
        _number("start"),
        _number("position"),
        _number("messages"),
        _number("watermark"),
        _number("closed"),
        _number("gone"),
        _number("touched_us"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "passed",
        _text("tenant", key=True),
        _text("plan", key=True),
        _text("stream", key=True),
        _text("node", key=True),
        _number("passed_us"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "gaps",
        _text("tenant", key=True),
        _text("plan", key=True),
        _number("origin", key=True),
        _text("reason", key=True),
        _number("messages"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "journals",
        _number("origin", key=True),
        _number("received"),
        _number("journaled"),
        _text("refused"),
        _number("redelivered"),
        _number("retained"),
        _number("base"),
        _number("closed"),
        _number("listed"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "counters",
        _text("tenant", key=True),
        _text("plan", key=True),
        _text("stream", key=True),
        _text("step", key=True),
        _text("term", key=True),
        _text("reason", key=True),
        _number("readings"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "states",
        _text("tenant", key=True),
        _text("plan", key=True),
        _text("step", key=True),
        _number("pane_us", key=True),
        sa.Column("key_hash", sa.LargeBinary, primary_key=True, nullable=False),
        _text("key"),
        sa.Column("state", sa.LargeBinary, nullable=False),
        _number("touched"),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "windows",
        _text("tenant", key=True),
        _text("plan", key=True),
        _text("step", key=True),
        _number("start_us", key=True),
        _number("end_us"),
        _number("keys"),
        _number("touched"),
        _number("finished"),
        _number("dirty"),
        _text("status"),
        _number("settled"),
        _number("have"),
        _number("expected"),
        _text("missing"),
        _number("revision"),
        _number("readings"),
        _number("opened_us"),
        _number("changed_us"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "results",
        _text("tenant", key=True),
        _text("plan", key=True),
        _text("step", key=True),
        _number("start_us", key=True),
        sa.Column("key_hash", sa.LargeBinary, primary_key=True, nullable=False),
        _text("key"),
        _text("outputs"),
        _number("readings"),
        _number("change"),
        sqlite_with_rowid=True,
    )
    op.create_index(
        "windows_dirty",
        "windows",
        ["tenant", "plan", "step", "start_us"],
        sqlite_where=sa.text("dirty = 1"),
        postgresql_where=sa.text("dirty = 1"),
    )
    op.create_index(
        "windows_unsettled",
        "windows",
        ["tenant", "plan", "step", "end_us"],
        sqlite_where=sa.text("settled = 0"),
        postgresql_where=sa.text("settled = 0"),
    )
    op.create_index("results_change", "results", ["tenant", "plan", "change"])


def _number(name: str, *, key: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=False, autoincrement=False)


def _text(name: str, *, key: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, primary_key=key, nullable=False)
