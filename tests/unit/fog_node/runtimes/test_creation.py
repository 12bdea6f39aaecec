"""What the Engine is told to make."""

from dataclasses import replace

from fog_node.runtimes.docker.creation import creation
from fog_node.runtimes.runtime import ContainerSpec, Limits, Slot

SPEC = ContainerSpec(
    slot=Slot(kind="service", plan="0123456789abcdef", name="dns"),
    tenant="main",
    image="x@sha256:1",
    limits=Limits(cpu_millis=100, memory_bytes=1, pids=1, tmp_bytes=1),
    networks=("site",),
)


def test_ports_are_named_with_their_protocol() -> None:
    spec = replace(SPEC, ports=("53:5353/udp", "53:5353", "8080:80/tcp", "8081:80"))
    body = creation(
        spec, node="n1", record="r", image="sha256:1", folder="", volumes={}, networks=["fogline-main-site"]
    )
    assert body["ExposedPorts"].keys() == {"5353/udp", "5353/tcp", "80/tcp"}
    assert body["HostConfig"]["PortBindings"] == {
        "5353/udp": [{"HostPort": "53"}],
        "5353/tcp": [{"HostPort": "53"}],
        "80/tcp": [{"HostPort": "8080"}, {"HostPort": "8081"}],
    }
