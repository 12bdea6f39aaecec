from typing import Final

import pytest

REPORTS: Final = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--model-states", type=int, default=0, help="explore larger configurations, so many states each"
    )
    parser.addoption("--model-walks", type=int, default=15, help="random walks for each wide configuration")
    parser.addoption("--model-seed", type=int, default=None, help="seed of the random walks")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORTS] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the larger configurations out unless they are asked for."""
    if config.getoption("--model-states", default=0):
        return
    large = [item for item in items if "model_states" in getattr(item, "fixturenames", ())]
    if large:
        config.hook.pytest_deselected(items=large)
        items[:] = [item for item in items if item not in large]


@pytest.fixture
def model_states(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.getoption("--model-states", default=0))


@pytest.fixture
def reports(pytestconfig: pytest.Config) -> list[str]:
    """What was explored; shown at the end with -v or --model-states."""
    return pytestconfig.stash.setdefault(REPORTS, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(REPORTS, [])
    if found and (config.getoption("--model-states", default=0) or config.getoption("verbose") > 0):
        terminalreporter.section("explored with the shipped rules")
        terminalreporter.write_line("\n".join(found))
