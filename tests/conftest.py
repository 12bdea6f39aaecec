"""What every test may ask for: programs that must be installed, and event loops that nothing blocks."""

import os
import shutil
from collections.abc import Iterator

import pytest
from blockbuster import blockbuster_ctx

FORBID_SKIPS = "FOGLINE_FORBID_SKIPS"


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


@pytest.fixture(autouse=True)
def _nothing_blocks_the_event_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Our own code may not do blocking calls on an event loop. It misses ``os.fdatasync``."""
    if request.node.get_closest_marker("asyncio") is None:
        yield
        return
    with blockbuster_ctx(scanned_modules=["fog_node", "fogline", "aggregator", "cloud"]):
        yield
