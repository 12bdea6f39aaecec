"""A PostgreSQL as a store: reachable, new enough, ours to write, and true to what it says is committed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fogline.cli.doctor.findings import Chart, Finding
from fogline.model.errors import InvalidInput
from fogline.service.logs import hidden

WITHIN_S: Final = 10
OLDEST: Final = 130_000
"""``server_version_num``."""
FEW_CONNECTIONS: Final = 20
SETTINGS: Final = (
    "server_version",
    "server_version_num",
    "synchronous_commit",
    "fsync",
    "full_page_writes",
    "transaction_read_only",
    "server_encoding",
    "max_connections",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """What was seen of a database."""

    place: str
    """URL without user and password."""
    fault: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    may_create: bool = False
    """The user may make tables in the schema that is used."""
    replica: bool = False


def look(url: str) -> Database:
    """Connect, and read settings and rights. Raises :class:`InvalidInput` where no driver is installed."""
    try:
        import psycopg  # noqa: PLC0415 - only the cloud's extra has it
    except ImportError:
        raise InvalidInput(
            "no driver for PostgreSQL is installed here", hint="`pip install 'fogline[cloud]'`"
        ) from None
    place = place_of(url)
    try:
        with psycopg.connect(url, connect_timeout=WITHIN_S, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(SETTINGS)]
            ).fetchall()
            rights = connection.execute(
                "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false), pg_is_in_recovery()"
            ).fetchone()
    except psycopg.Error as error:
        return Database(place=place, fault=hidden(" ".join(str(error).split())))
    assert rights is not None
    return Database(place=place, settings=dict(rows), may_create=rights[0], replica=rights[1])


def place_of(url: str) -> str:
    """The URL without user and password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def judge(database: Database) -> list[Finding]:
    """Say what of it is well and what is not."""
    chart, settings = Chart("store"), database.settings
    if database.fault:
        chart.problem(f"{database.place}: {database.fault}", "is it there, and are user and password right?")
        return chart.findings
    version = settings.get("server_version", "?")
    if int(settings.get("server_version_num", 0)) < OLDEST:
        chart.problem(f"{database.place} is PostgreSQL {version}", "update it to 13 or newer")
    else:
        chart.ok(f"{database.place} is PostgreSQL {version}")
    if database.replica or settings.get("transaction_read_only") == "on":
        chart.problem("it can only be read", "name the primary server")
    elif not database.may_create:
        chart.problem(
            "this user may not make tables", "GRANT CREATE ON SCHEMA public, or make it the database's owner"
        )
    else:
        chart.ok("this user may make tables and write")
    _judge_durability(chart, settings)
    if settings.get("server_encoding") != "UTF8":
        chart.problem(
            f"its encoding is {settings.get('server_encoding')}", "make the database with ENCODING 'UTF8'"
        )
    if int(settings.get("max_connections", 100)) < FEW_CONNECTIONS:
        chart.warning(
            f"it takes {settings['max_connections']} connections", "a cloud process uses several: raise it"
        )
    return chart.findings


def _judge_durability(chart: Chart, settings: Mapping[str, str]) -> None:
    if settings.get("fsync") != "on":
        chart.problem(
            "fsync is off: after a power cut the database may be damaged, and commits that were acknowledged gone",
            "set fsync = on",
        )
    if settings.get("full_page_writes") != "on":
        chart.problem(
            "full_page_writes is off: after a power cut pages may be torn",
            "set full_page_writes = on, unless the file system never tears a page",
        )
    level = settings.get("synchronous_commit")
    if level == "off":
        chart.problem(
            "synchronous_commit is off: a commit is acknowledged before it is on disk, and nodes may forget messages "
            "that a crash then takes back",
            "set synchronous_commit = on",
        )
    if settings.get("fsync") == "on" and level != "off":
        chart.ok("what it says is committed is on disk")
    if level == "local":
        chart.note("synchronous_commit is local: a standby that takes over may lack the last commits")
