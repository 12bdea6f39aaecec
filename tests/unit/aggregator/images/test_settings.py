"""What can be set about the cache of images."""

from pathlib import Path

import pytest

from aggregator.settings import AggregatorSettings
from fogline.service.arguments import settings_from
from fogline.service.settings import InvalidSettings

FILE = """
name = "a1"
folder = "{folder}"
parents = ["cloud:7074"]
[images]
disk = "20GiB"
insecure_registries = ["10.0.0.0/8", "registry.local:5000"]
"""


def read(path: Path, *arguments: str) -> AggregatorSettings:
    path.write_text(FILE.format(folder=path.parent))
    return settings_from(
        AggregatorSettings,
        tier="aggregator",
        arguments=("--settings", str(path), *arguments),
        environment={"FOGLINE_AGGREGATOR_IMAGES_RESERVE": "2GiB"},
    )


def test_they_come_from_file_environment_and_flags(tmp_path: Path) -> None:
    images = read(tmp_path / "a1.toml", "--images-registry-logins", "/etc/docker.json").images
    assert (images.disk, images.reserve) == (20 * 1024**3, 2 * 1024**3)
    assert images.insecure_registries == ("10.0.0.0/8", "registry.local:5000")
    assert images.registry_logins == "/etc/docker.json"
    assert read(tmp_path / "a1.toml", "--images-disk", "0").images.disk == 0


def test_what_is_no_registry_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="no network of registries"):
        read(tmp_path / "a1.toml", "--images-insecure-registries", "10.0.0.0/99")
