"""Releases travel unchanged; what could not run is refused where it arrives."""

import contextlib
from collections.abc import Callable

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from fogline.spec import make_plan, read_spec
from fogline.v1 import control_pb2
from fogline.wire.release import MalformedRelease, release_from_wire, release_to_wire

DIGEST = "sha256:" + "0" * 64
TEXT = f"""
name: site
streams: {{air: {{mqtt: "air/{{zone}}", fields: {{temp: float}}}}}}
steps:
  clean:
    image: registry.example:5000/clean:1@{DIGEST}
    from: air
    fields: {{score: {{type: float, resolution: 0.5}}, ok: bool, level: int}}
    cpu: 0.25
    memory: 64Mi
    pids: 64
    tmp: 16Mi
    timeout: 250ms
    env: {{B: two, A: ""}}
    scale: {{min: 2, max: 8}}
  more: {{image: "process:more@{DIGEST}", from: clean}}
  all: {{sql: "SELECT count(*) AS n FROM more WHERE ok GROUP BY TUMBLE(arrival, INTERVAL '1 minute')"}}
services:
  viewer:
    image: viewer@{DIGEST}
    command: [serve, ""]
    env: {{MODE: site}}
    networks: [site]
    ports: ["8080:80", "53:53/udp"]
    volumes: ["data:/var/lib/viewer"]
    on: {{place: attic, arch: arm64}}
"""
SPEC = read_spec(TEXT)
PLAN = make_plan(SPEC, "main")


def test_a_release_with_everything_survives_the_wire() -> None:
    encoded = release_to_wire(SPEC.release).SerializeToString()

    assert release_from_wire(control_pb2.Grant.FromString(encoded), PLAN) == SPEC.release


def test_nothing_is_a_release_too() -> None:
    assert not release_from_wire(control_pb2.Grant())


Change = Callable[[control_pb2.Grant], object]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: setattr(g.operators[0], "image", "clean:1"), "no digest"),
        (lambda g: setattr(g.operators[0], "image", "Clean"), "not the name"),
        (lambda g: setattr(g.operators[0], "step", "more"), "two of the operators"),
        (lambda g: setattr(g.operators[0], "step", ""), "have names"),
        (lambda g: setattr(g.operators[0], "runtime", "wasm"), "is unknown"),
        (lambda g: setattr(g.operators[0], "runtime", "process"), "runs only bundles"),
        (lambda g: setattr(g.operators[1], "runtime", "docker"), "docker runs no bundle"),
        (lambda g: setattr(g.operators[0], "min_replicas", 9), "replicas"),
        (lambda g: setattr(g.operators[0], "max_replicas", 2**31), "replicas"),
        (lambda g: setattr(g.operators[0], "timeout_us", 0), "a timeout"),
        (lambda g: setattr(g.operators[0], "timeout_us", -1), "a timeout"),
        (lambda g: setattr(g.operators[0].resources, "memory_bytes", 1), "amount of memory"),
        (lambda g: setattr(g.operators[0].resources, "cpu_millis", 2**31), "amount of CPU"),
        (lambda g: setattr(g.operators[0].resources, "pids", 2**31), "amount of processes"),
        (lambda g: setattr(g.operators[0].resources, "tmp_bytes", 2**63), "room at /tmp"),
        (lambda g: g.operators[0].environment.update({"FOGLINE_SOCKET": "x"}), "no variable"),
        (lambda g: g.operators[0].environment.update({"A=B": "x"}), "no variable"),
        (lambda g: g.operators[0].environment.update({"A": "\0"}), "no value"),
        (lambda g: g.operators[0].environment.update({f"A{n}": "" for n in range(70)}), "more than 64"),
        (lambda g: g.operators.pop(), "the plan has"),
        (lambda g: setattr(g.services[0], "name", "Viewer"), "no name for a service"),
        (lambda g: setattr(g.services[0], "image", f"process:x@{DIGEST}"), "bundle is no container"),
        (lambda g: g.services[0].networks.append("../x"), "no network"),
        (lambda g: g.services[0].networks.pop(), "without a network"),
        (lambda g: g.services[0].ports.append("80"), "are no ports"),
        (lambda g: g.services[0].ports.append("0:80"), "are no ports"),
        (lambda g: g.services[0].volumes.append("/etc:/etc"), "is no volume"),
        (lambda g: g.services[0].volumes.append("a:/../x"), "is no volume"),
        (lambda g: g.services[0].volumes.append("a:/run/fogline/x"), "is no volume"),
        (lambda g: g.services[0].on.append("attic"), "is no label"),
        (lambda g: g.services[0].command.append("a\0"), "too long"),
        (lambda g: g.services[0].command.extend(["x"] * 70), "more than 64 words"),
        (lambda g: [g.services.add(name=f"s{n}") for n in range(40)], "at most 32 services"),
    ],
)
def test_what_could_not_run_is_refused(change: Change, message: str) -> None:
    grant = release_to_wire(SPEC.release)
    change(grant)
    with pytest.raises(MalformedRelease, match=message):
        release_from_wire(grant, PLAN)


def test_other_images_can_be_put_in() -> None:
    one = f"viewer@{DIGEST}"
    changed = SPEC.release.with_images({one: f"viewer:2@{DIGEST}"})
    assert changed.services[0].image == f"viewer:2@{DIGEST}"
    assert changed.operators == SPEC.release.operators
    assert one in SPEC.release.images


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=80))
def test_any_bytes_are_a_release_or_refused(data: bytes) -> None:
    with contextlib.suppress(DecodeError, MalformedRelease):
        release_from_wire(control_pb2.Grant.FromString(data), PLAN)
