"""The store's tables as SQLAlchemy sees them; the migrations make them (cloud/store/migrations).

The tenant leads every key. Instants are int microseconds. A column is called ``position`` where the protocol
says *offset*, because SQL has taken that word.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.schema import SchemaItem

metadata = MetaData()


def _number(name: str, *, key: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, nullable=False, autoincrement=False)


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=False)


def _table(name: str, *items: SchemaItem, compact: bool = True) -> Table:
    """A table; ``compact`` ones keep their short rows inside the key's tree (SQLite: WITHOUT ROWID)."""
    return Table(name, metadata, *items, sqlite_with_rowid=not compact)


store = _table(
    "store",
    _number("id", key=True),
    Column("incarnation", LargeBinary, nullable=False),
    _number("created_us"),
    _number("generation"),
    _number("edition"),
    Column("term", BigInteger, nullable=False, server_default="1"),
)
"""One row: which life of the store this is, and the generation of desired state.

``term`` is that of every grant. ``edition`` counts every change of plans, names and assignments. Whoever changes
them locks the row first: that makes changes by several processes follow one another, and the number tells the others
to look.
"""

members = Table(
    "members",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    _text("name"),
    _number("beat"),
)
"""Processes that commit into this store. ``beat`` moves as long as one lives."""

plans = _table(
    "plans",
    _text("tenant", key=True),
    _text("plan", key=True),
    _text("pipeline"),
    Column("wire", LargeBinary, nullable=False),
    _text("spec"),
    _number("deployed_us"),
    _text("stage"),
    Column("replaced_us", BigInteger),
    Column("stopped_us", BigInteger),
    compact=False,
)
"""Every plan that was ever deployed. ``stage``: see :class:`cloud.store.book.Stage`."""

releases = _table(
    "releases",
    _text("tenant", key=True),
    _text("plan", key=True),
    _number("number", key=True),
    Column("wire", LargeBinary, nullable=False),
    _text("spec"),
    _number("deployed_us"),
    compact=False,
)
"""What runs a plan's operators and services, the newest with the highest number; a plan that is SQL alone has none.
``wire``: a serialised ``fogline.v1.Grant`` with operators and services only.
"""

steps = _table(
    "steps",
    _text("tenant", key=True),
    _text("plan", key=True),
    _text("step", key=True),
    _text("stream"),
    _number("width_us"),
    _number("horizon_us"),
)
"""Window steps. States of windows that end at or before ``horizon_us`` were retired."""

pipelines = _table(
    "pipelines",
    _text("tenant", key=True),
    _text("name", key=True),
    _text("public"),
    _text("newest"),
    _number("changes"),
)
"""Public names, and the number of the last change of any of their results."""

publications = _table(
    "publications",
    _text("tenant", key=True),
    _text("pipeline", key=True),
    _number("from_us", key=True),
    _text("plan"),
)
"""From which window start on a plan's results bear the public name."""

nodes = _table(
    "nodes",
    _text("tenant", key=True),
    _text("node", key=True),
    _number("first_us"),
    _number("seen_us"),
    Column("report", LargeBinary, nullable=False),
    Column("retired_us", BigInteger),
    compact=False,
)

aggregators = _table(
    "aggregators",
    _text("tenant", key=True),
    _text("aggregator", key=True),
    _number("seen_us"),
    Column("report", LargeBinary, nullable=False),
    compact=False,
)

assignments = _table(
    "assignments",
    _text("tenant", key=True),
    _text("plan", key=True),
    _text("node", key=True),
    _number("from_us", key=True),
    Column("to_us", BigInteger),
)
"""Which node was to run which plan, for windows that overlap ``from_us`` and after, up to those that end at
``to_us``.
"""

origins = Table(
    "origins",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    _text("tenant"),
    _text("node"),
    _text("stream"),
    Column("epoch", LargeBinary, nullable=False),
    Index("origins_name", "tenant", "node", "stream", "epoch", unique=True),
)

offsets = _table(
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
)
"""What is committed of each origin.

``messages`` counts the data contributions by themselves, for the ledger. ``closed``: the origin said that
it has ended; ``gone``: its node no longer lists its journal.
"""

passed = _table(
    "passed",
    _text("tenant", key=True),
    _text("plan", key=True),
    _text("stream", key=True),
    _text("node", key=True),
    _number("passed_us"),
)
"""Up to where a node was ever believed to have sent everything. Never goes back: a new origin holds newer messages."""

gaps = _table(
    "gaps",
    _text("tenant", key=True),
    _text("plan", key=True),
    _number("origin", key=True),
    _text("reason", key=True),
    _number("messages"),
)

journals = _table(
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
)
"""The greatest values that a node ever reported of each origin's journal."""

counters = _table(
    "counters",
    _text("tenant", key=True),
    _text("plan", key=True),
    _text("stream", key=True),
    _text("step", key=True),
    _text("term", key=True),
    _text("reason", key=True),
    _number("readings"),
)

states = _table(
    "states",
    _text("tenant", key=True),
    _text("plan", key=True),
    _text("step", key=True),
    _number("pane_us", key=True),
    Column("key_hash", LargeBinary, primary_key=True, nullable=False),
    _text("key"),
    Column("state", LargeBinary, nullable=False),
    _number("touched"),
    compact=False,
)
"""Merged states. ``touched`` is the window's ``touched`` when the row last changed."""

windows = _table(
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
)
"""Windows that have states or results.

``touched`` counts the commits into it, ``finished`` the ones that its results show; ``dirty`` is 1 while
they differ. ``settled`` is 1 once nobody is missing. ``opened_us`` and ``changed_us``: when its first state
came, and when what it says last changed. ``readings``: of all keys together, as the results say.
"""

Index(
    "windows_dirty",
    windows.c.tenant,
    windows.c.plan,
    windows.c.step,
    windows.c.start_us,
    sqlite_where=windows.c.dirty == 1,
    postgresql_where=windows.c.dirty == 1,
)
Index(
    "windows_unsettled",
    windows.c.tenant,
    windows.c.plan,
    windows.c.step,
    windows.c.end_us,
    sqlite_where=windows.c.settled == 0,
    postgresql_where=windows.c.settled == 0,
)

results = _table(
    "results",
    _text("tenant", key=True),
    _text("plan", key=True),
    _text("step", key=True),
    _number("start_us", key=True),
    Column("key_hash", LargeBinary, primary_key=True, nullable=False),
    _text("key"),
    _text("outputs"),
    _number("readings"),
    _number("change"),
    compact=False,
)
"""Finished rows. ``outputs`` is a JSON array in the order of the plan's outputs."""

Index("results_change", results.c.tenant, results.c.plan, results.c.change)

signing_keys = _table(
    "signing_keys",
    _number("version", key=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("private_key", LargeBinary, nullable=False),
    _number("made_us"),
    compact=False,
)
"""Keys that sign desired state, the newest with the highest version. ``private_key`` is sealed with the CA's key."""
authority = _table(
    "authority",
    _number("id", key=True),
    Column("certificate", LargeBinary, nullable=False),
    _number("version"),
    compact=False,
)
"""One row: the CA's certificate (DER), never its key, and how often anything of the two tables below changed."""

join_tokens = _table(
    "join_tokens",
    Column("hash", LargeBinary, primary_key=True, nullable=False),
    _text("tenant"),
    _text("role"),
    _text("name"),
    _number("created_us"),
    _number("expires_us"),
    Column("used_us", BigInteger),
    _text("used_at"),
    _text("used_key"),
    Column("revoked_us", BigInteger),
    compact=False,
)
"""Join tokens by the hash of their secret. ``used_at``: name of the tier where it was used."""

identities = _table(
    "identities",
    _text("key", key=True),
    _text("tenant"),
    _text("role"),
    _text("name"),
    _text("issuing_key"),
    _text("serial"),
    _number("until_us"),
    _number("joined_us"),
    Column("revoked_us", BigInteger),
    compact=False,
)
"""Keys that were given an identity, by their short names. ``issuing_key``: with which an aggregator signs."""

api_tokens = _table(
    "api_tokens",
    _text("id", key=True),
    _text("tenant"),
    _text("name"),
    _text("rights"),
    Column("hash", LargeBinary, nullable=False),
    _number("created_us"),
    _text("created_by"),
    Column("expires_us", BigInteger),
    Column("used_us", BigInteger),
    Column("revoked_us", BigInteger),
    _number("version"),
    compact=False,
)
"""Tokens of people and programs by their ids. ``hash``: SHA-256 of the secret; ``rights``: words with a blank between.

``version`` is higher than that of every row that was changed before: the highest tells other processes to look.
"""
