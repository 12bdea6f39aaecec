"""What every test may ask for: installed programs, and event loops that nothing blocks."""

import os
import shutil
from collections.abc import Iterator

import grpc.aio
import pytest
from blockbuster import blockbuster_ctx
from hypothesis import settings

from tests.engine import DockerEngine, EngineAbsent, running_engine
from tests.postgres import PostgresAbsent, PostgresServer, private_postgres
from tests.registry import Registry, running_registry

FORBID_SKIPS = "FOGLINE_FORBID_SKIPS"

# A busy machine is no fault of the code: no test asserts how long something took.
settings.register_profile("fogline", deadline=None, print_blob=True)
settings.load_profile("fogline")


def absent(what: str) -> None:
    """Skip the running test because something is missing; where skips are forbidden, fail it."""
    if os.environ.get(FORBID_SKIPS) == "1":
        pytest.fail(f"{what}; skips are forbidden by {FORBID_SKIPS}", pytrace=False)
    pytest.skip(what)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        for program in mark.args:
            if shutil.which(program) is None:
                absent(f"needs {program}, which is not installed")


@pytest.fixture(scope="session", autouse=True)
def a_home_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Clouds that a test logs in to are none of the developer's own, and the other way round."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        for name in ("FOGLINE_SERVER", "FOGLINE_TOKEN", "FOGLINE_TOKEN_FILE", "FOGLINE_CA"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def grpc_stays_up() -> None:
    """Keep gRPC's poller for the whole run.

    gRPC stops it with its last channel or server, which the garbage collector may let go of in whichever test runs
    just then, and stopping joins a thread: a block on that test's event loop that is none of ours.
    """
    grpc.aio.init_grpc_aio()


@pytest.fixture
def loop_is_never_blocked() -> Iterator[None]:
    """A blocking call of our own code on an event loop fails the test.

    For tests of what runs for ever: opening files at the start, before anything is served, is no fault. It
    misses ``os.fdatasync``.
    """
    with blockbuster_ctx(scanned_modules=["fog_node", "fogline", "aggregator", "cloud"]):
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL for the whole run, quick and not durable; ``postgres.database()`` is a store of one's own."""
    try:
        with private_postgres() as server:
            yield server
    except PostgresAbsent as missing:
        absent(str(missing))


@pytest.fixture
def durable_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL for one test, which syncs: to be killed, restarted, stopped."""
    try:
        with private_postgres(durable=True) as server:
            yield server
    except PostgresAbsent as missing:
        absent(str(missing))


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[DockerEngine]:
    """The Docker Engine of this machine."""
    try:
        with running_engine() as engine:
            yield engine
    except EngineAbsent as missing:
        absent(str(missing))


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A registry of images that is empty."""
    with running_registry() as one:
        yield one
