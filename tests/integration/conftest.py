from pathlib import Path

import pytest

from cloud.store.migrate import migrate
from cloud.store.opening import STORE_FILE


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with tables and nothing in them: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / STORE_FILE
    migrate(f"sqlite:///{path}")
    return path
