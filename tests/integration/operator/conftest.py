"""A base for operators' images, made of this machine's own Python."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.engine import DockerEngine
from tests.images import ImageFile, layer, make_image, packages, python_layer, shared_libraries

LABELS = f"LABEL fogline.libraries=here fogline.python={sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="session")
def base(docker_engine: DockerEngine) -> Iterator[str]:
    """A base as `fogline operator base` makes it, of this machine's own Python."""
    libraries = packages(["numpy", "numpy.libs", "grpc", "google", "typing_extensions.py"], into="/app/site")
    image = make_image((python_layer(), layer(libraries | shared_libraries(libraries))), entrypoint=())
    with labelled(docker_engine, image, "fogline-test-base:operators") as name:
        yield name


@pytest.fixture(scope="session")
def small_base(docker_engine: DockerEngine) -> Iterator[str]:
    """A base without anything: images on it can be built and pushed, and not run."""
    image = make_image((layer({"/etc/hostname": b"nowhere\n"}),), entrypoint=())
    with labelled(docker_engine, image, "fogline-test-base:small") as name:
        yield name


@contextmanager
def labelled(engine: DockerEngine, image: ImageFile, name: str) -> Iterator[str]:
    """An image under a name, with the labels of a base."""
    engine.load(image)
    dockerfile = io.BytesIO(f"FROM {image.id.removeprefix('sha256:')}\n{LABELS}\n".encode())
    for line in engine.client.build(fileobj=dockerfile, tag=name, decode=True, rm=True):
        assert "error" not in line, line
    yield name
    engine.client.remove_image(name, force=True)
