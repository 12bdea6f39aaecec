"""Bringing a store to this release's tables, by Alembic; as a process of its own, whose memory is given back.

``python -m cloud.store.migrate``, with the store's URL on standard input.
"""

import sys
from importlib.resources import as_file, files
from typing import Final

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine

from cloud.store.postgres import CONNECTING, parsed

LOCK: Final = 0x466F676C696E65
"""PostgreSQL's advisory lock that a migrating process holds."""


def migrate(url: str, revision: str = "head") -> None:
    """Run what is missing, in one transaction; of several processes that start at once, one does it.

    Raises what the database raises.
    """
    engine = _engine(url)
    try:
        with as_file(files("cloud.store") / "migrations") as scripts, engine.connect() as connection:
            # Begun and locked before Alembic looks: it then finds what the process before has made.
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN EXCLUSIVE")
            else:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            config = Config()
            config.set_main_option("script_location", str(scripts).replace("%", "%%"))
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    if url.startswith("sqlite:"):
        return create_engine(url, connect_args={"isolation_level": None, "timeout": 60})
    parameters = {**CONNECTING, **parsed(url)}
    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(**parameters))


if __name__ == "__main__":
    migrate(sys.stdin.read())
