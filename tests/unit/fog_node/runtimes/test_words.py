import pytest

from fog_node.runtimes.docker.images import split
from fog_node.runtimes.docker.networks import bridge_of, network_name
from fog_node.runtimes.docker.words import fault_of
from fog_node.runtimes.naming import container_name
from fog_node.runtimes.runtime import ContainerFault, Slot
from fogline.service.docker import unfit


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("manifest for r/a@sha256:0 not found: manifest unknown: manifest unknown", "image_missing"),
        ("failed to register layer: write /x: no space left on device", "disk_full"),
        ("Get https://r.example/v2/: dial tcp: lookup r.example: no such host", "registry_away"),
        ("manifest verification failed for digest sha256:0", "bad_digest"),
        ("Bind for 0.0.0.0:8080 failed: port is already allocated", "port_taken"),
        ("something that nobody has seen before", "not_started"),
    ],
)
def test_the_engines_sentences_have_reasons(message: str, reason: str) -> None:
    assert fault_of(500, message).reason == reason


def test_names_of_images_are_taken_apart() -> None:
    digest = f"sha256:{'0' * 64}"
    assert split(f"localhost:5000/a/b:1@{digest}") == ("localhost:5000/a/b", digest)
    assert split(f"localhost:5000/a/b@{digest}") == ("localhost:5000/a/b", digest)
    with pytest.raises(ContainerFault, match="no digest"):
        split("a/b:1")


def test_bridges_have_short_names_of_their_own() -> None:
    names = {bridge_of(network_name(tenant, "front")) for tenant in ("a", "b", "a-rather-long-name")}
    assert len(names) == 3
    assert all(len(name) <= 15 for name in names)


def test_an_engine_that_cannot_limit_is_not_used() -> None:
    fit = {"OSType": "linux", "MemoryLimit": True, "SecurityOptions": ["name=seccomp,profile=default"]}
    assert unfit(fit) == ("", "")
    assert "cgroup_enable=memory" in unfit({**fit, "MemoryLimit": False})[1]
    assert "seccomp" in unfit({**fit, "SecurityOptions": []})[0]
    assert "20.10 is the oldest" in unfit({**fit, "ServerVersion": "19.03.15"})[0]
    assert (
        unfit({**fit, "ServerVersion": "20.10.24+dfsg1"})
        == unfit({**fit, "ServerVersion": "dev"})
        == ("", "")
    )
    assert "Linux" in unfit({**fit, "OSType": "windows"})[0]


def test_a_containers_name_is_one_that_the_engine_takes() -> None:
    slot = Slot(kind="operator", plan="0123456789", name="très long/étrange" * 3, replica=2)
    name = container_name("node 1!", slot, "ab12")
    assert name.startswith("fogline-node_1_-01234567-")
    assert name.endswith("-2-ab12")
    assert all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in name)
