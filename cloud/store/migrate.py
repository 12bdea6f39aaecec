"""Bringing a store to this release's tables, by Alembic; as a process of its own, whose memory is given back.

``python -m cloud.store.migrate URL``
"""

import sys
from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine


def migrate(url: str, revision: str = "head") -> None:
    """Run what is missing. Raises what the database raises."""
    engine = create_engine(url)
    try:
        with as_file(files("cloud.store") / "migrations") as scripts, engine.connect() as connection:
            config = Config()
            config.set_main_option("script_location", str(scripts).replace("%", "%%"))
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
    finally:
        engine.dispose()


if __name__ == "__main__":
    migrate(sys.argv[1])
