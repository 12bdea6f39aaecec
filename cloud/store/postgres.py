"""PostgreSQL 13 or newer, through psycopg 3: many writers, each locking the rows it is about to change."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import create_engine, func
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from cloud.store.backend import Backend, Fault, Help, upsert_of
from cloud.store.bulk import PostgresBulk
from fogline.model.errors import FogError, InvalidInput, StoreBusy

WRITERS: Final = 4
READERS: Final = 4
OLDEST: Final = 13
"""Major version of the oldest server that is taken."""

CONNECTING: Final = {
    "application_name": "fogline",
    "connect_timeout": 5,
    # A server that vanished without a word is noticed after so many milliseconds.
    "tcp_user_timeout": 15_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""What the operator's URL may say otherwise."""

# Set for each transaction, not for the connection: a pooler may give every transaction another one. A cloud process
# that stops in the middle of a transaction must not hold its rows for ever.
_LIMITS: Final = (
    "SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = '60s'; "
    "SET LOCAL idle_in_transaction_session_timeout = '60s'"
)
# An acknowledgement on a commit that a crash takes back would lose messages; stronger than `on` is left as it is.
_DURABLE: Final = (
    "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
)
_BEGIN: Final = f"BEGIN ISOLATION LEVEL READ COMMITTED; {_LIMITS}; {_DURABLE}"
_BEGIN_READING: Final = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {_LIMITS}"

_AWAY: Final = "its connection was lost; it is repeated until PostgreSQL is back"
_HINTS: Final = {
    "25006": "PostgreSQL is read-only, as after a failover: name all servers and `target_session_attrs=read-write`",
    "53100": "PostgreSQL's disk is full: give it room",
    "53200": "PostgreSQL has no memory left",
    "53300": "PostgreSQL has no connection left: raise max_connections, or put a pooler before it",
    "55P03": "another transaction held its rows for longer than 10 s",
    "57014": "it was cancelled, or took longer than 60 s",
    "42501": "the role may not use the tables any more: grant it what docs/store.md names",
    "28P01": "PostgreSQL does not take the password any more",
}
_REPEATED: Final = frozenset({"40001", "40P01"})
"""Serialisation failure, deadlock: another transaction went first."""
_LATER: Final = ("08", "25", "28", "40", "53", "55", "57", "58")
"""Classes of errors that are the server's state, not the statement's fault."""


def postgres_backend(url: str) -> Backend:
    """The store in this database. Raises :class:`InvalidInput` for a URL that cannot be read."""
    parameters = {**CONNECTING, **parsed(url)}

    def connect() -> psycopg.Connection[Any]:
        # Committed by our own statements alone: psycopg would send a BEGIN of its own before ours.
        return psycopg.connect(**parameters, autocommit=True)

    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        pool_size=WRITERS + READERS,
        max_overflow=0,
        use_native_hstore=False,
    )
    return Backend(
        engine=engine,
        begin=_BEGIN,
        begin_reading=_BEGIN_READING,
        chunk=30_000,
        upsert=upsert_of(postgresql.insert, func.greatest),
        bulk=PostgresBulk(),
        shared=True,
        fault=postgres_fault,
        writers=ThreadPoolExecutor(WRITERS, thread_name_prefix="store-write"),
        readers=ThreadPoolExecutor(READERS, thread_name_prefix="store-read"),
    )


def parsed(url: str) -> dict[str, Any]:
    """The parameters of a URL as libpq reads it."""
    try:
        found = conninfo_to_dict(url)
    except psycopg.Error:
        found = {"port": "unreadable"}
    ports = str(found.get("port") or "").split(",")
    # A password with a bare / or @ ends up in the port or the database, and would be told with a later error; so would
    # libpq's own words tell it.
    if not all(port.isdigit() or not port for port in ports) or "@" in str(found.get("dbname") or ""):
        raise InvalidInput(
            "the store's URL cannot be read",
            hint="postgresql://user:password@host:port/database, with %40 for @ and %2F for / in the password",
        )
    return found


def postgres_fault(error: DBAPIError) -> Fault:
    """What an error of PostgreSQL means."""
    state = getattr(error.orig, "sqlstate", None)
    if state in _REPEATED:
        hint = "transactions stood in each other's way again and again"
        return Fault(help=Help.REPEAT, message="the store could not commit", hint=hint)
    if error.connection_invalidated or (
        state is None and isinstance(error, OperationalError | InterfaceError)
    ):
        return Fault(help=Help.REPEAT, message="the store is away", hint=_HINTS.get(state or "", _AWAY))
    if state is not None and (state in _HINTS or state[:2] in _LATER):
        hint = _HINTS.get(state, _words(error))
        return Fault(help=Help.WAIT, message="the store could not commit", hint=hint)
    return Fault(help=Help.MEND, message=_words(error))


def refusal(error: DBAPIError) -> FogError:
    """Why no connection could be made at the start."""
    words = _words(error)
    if "FATAL" not in words:
        return StoreBusy("PostgreSQL cannot be reached", hint=words)
    if any(
        passing in words for passing in ("starting up", "shutting down", "recovery", "too many", "remaining")
    ):
        return StoreBusy("PostgreSQL takes no connection now", hint=words)
    return InvalidInput("PostgreSQL does not let us in", hint=words)


def _words(error: DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
