from collections.abc import Iterator

import pytest

from tests.conftest import absent
from tests.engine import DockerEngine
from tests.joining_machine import NETWORK, JoinedCloud, joined_cloud
from tests.machine import MachineAbsent, check_present
from tests.tier_image import built_image


@pytest.fixture(scope="session")
def tier_image(docker_engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Id of the image of all tiers."""
    with built_image(docker_engine, tmp_path_factory.mktemp("image")) as image:
        yield image


@pytest.fixture(scope="session")
def network(docker_engine: DockerEngine) -> Iterator[str]:
    """For machines and the cloud that they join."""
    try:
        check_present()
    except MachineAbsent as missing:
        absent(str(missing))
    made = docker_engine.client.create_network(NETWORK)
    try:
        yield made["Id"]
    finally:
        docker_engine.client.remove_network(made["Id"])


@pytest.fixture(scope="session")
def cloud(docker_engine: DockerEngine, tier_image: str, network: str) -> Iterator[JoinedCloud]:
    """A cloud in that network."""
    with joined_cloud(docker_engine, tier_image, network) as running:
        yield running
