"""What PostgreSQL needs: texts in the order of their bytes, and room in the pages of rows that change at every commit.

SQLite compares texts by their bytes. So does PostgreSQL with the collation "C", whatever the database's own is: pages
of results then come in the same order, and an upgrade of the system's library does not silently disorder an index.
"""

from collections.abc import Mapping
from typing import Final

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXTS: Final[Mapping[str, str]] = {
    "plans": "tenant plan pipeline spec stage",
    "steps": "tenant plan step stream",
    "pipelines": "tenant name public newest",
    "publications": "tenant pipeline plan",
    "nodes": "tenant node",
    "aggregators": "tenant aggregator",
    "members": "name",
    "assignments": "tenant plan node",
    "origins": "tenant node stream",
    "offsets": "tenant plan",
    "passed": "tenant plan stream node",
    "gaps": "tenant plan reason",
    "journals": "refused",
    "counters": "tenant plan stream step term reason",
    "states": "tenant plan step key",
    "windows": "tenant plan step status missing",
    "results": "tenant plan step key outputs",
}
CHANGING: Final = (
    "store",
    "steps",
    "pipelines",
    "offsets",
    "passed",
    "counters",
    "states",
    "windows",
    "members",
)
"""Tables whose rows change again and again, in columns that no index has: in a page with room the row stays there, and
no index is written (HOT)."""


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, columns in TEXTS.items():
        changes = ", ".join(f'ALTER COLUMN "{name}" TYPE text COLLATE "C"' for name in columns.split())
        op.execute(f'ALTER TABLE "{table}" {changes}')
    for table in CHANGING:
        op.execute(f'ALTER TABLE "{table}" SET (fillfactor = 70)')
