from collections.abc import Iterator

import pytest

from tests.engine import DockerEngine
from tests.tier_image import built_image


@pytest.fixture(scope="session")
def tier_image(docker_engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Id of the image of all tiers."""
    with built_image(docker_engine, tmp_path_factory.mktemp("image")) as image:
        yield image
