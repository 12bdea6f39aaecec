"""File systems of arm64, made on this machine of whatever it is."""

import shutil
from collections.abc import Iterator

import pytest

from fogline.cli.operator.base import make_base
from fogline.cli.operator.engine import engine
from fogline.cli.operator.foreign import Target
from tests.arm64 import QEMU, Arm64, unpacked
from tests.conftest import absent
from tests.engine import DockerEngine
from tests.tier_image import built_image

ARM64 = Target(architecture="arm64")
TAG = "fogline-test-arm64"


@pytest.fixture(scope="session")
def arm64_base(docker_engine: DockerEngine) -> Iterator[str]:
    """Id of the base that `fogline operator base --arch arm64` makes."""
    for program in ("mmdebstrap", QEMU):
        if shutil.which(program) is None:
            absent(f"needs {program}, which is not installed")
    with engine() as developers:
        made = make_base(developers, architecture="arm64", tag=TAG, wheels=None, say=lambda _: None)
    yield made.partition("@")[2]
    docker_engine.client.remove_image(made.partition("@")[0], force=True)


@pytest.fixture(scope="session")
def arm64_fogline(
    docker_engine: DockerEngine, arm64_base: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Arm64]:
    """What deploy/Dockerfile makes for arm64, as a machine."""
    folder = tmp_path_factory.mktemp("arm64")
    with built_image(docker_engine, folder, tiers=("node",), base=arm64_base, target=ARM64) as image:
        assert docker_engine.client.inspect_image(image)["Architecture"] == "arm64"
        yield unpacked(docker_engine, image, folder / "root")
