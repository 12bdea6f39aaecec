"""Specs, queries and plans from any bytes: always an answer or a refusal with places, never a crash."""

import contextlib
from collections.abc import Sequence

from google.protobuf.message import DecodeError

from fogline.model.errors import Fault
from fogline.model.faults import SpecErrors
from fogline.spec import Spec, make_plan, read_spec
from fogline.v1 import plan_pb2
from fogline.wire.plan import MalformedPlan, plan_from_wire, plan_to_wire
from fogline.wire.release import release_from_wire, release_to_wire

SPEC = """\
name: fuzzed
streams:
  air: {mqtt: "air/{zone}/{device}", time: ts, fields: {temp: {type: float, resolution: 0.01}, seq: int}}
services:
  viewer: {image: c, command: [d], networks: [e], ports: ["1:2"], volumes: ["f:/g"], on: {h: i}, pids: 4, tmp: 1Mi}
compose:
  services:
    more: {image: a, command: b 'c', environment: [D=e], networks: {f: }, ports: ["3:4"], volumes: ["g:/h"], cpus: 1,
      mem_limit: 9m, pids_limit: 7, restart: always}
  volumes: {g: }
steps:
  clean: {image: "a/b:1", from: rows, cpu: 0.5, memory: 64Mi, env: {A: b}, scale: {min: 1, max: 2}, timeout: 5s}
  rows: {sql: "SELECT *, temp * 2 AS double FROM air"}
  windows: {sql: "SELECT count(*) AS n FROM clean GROUP BY TUMBLE(ts, INTERVAL '1 second')"}
  fuzzed:
    sql: |
"""
DIGEST = f"sha256:{'0' * 64}"
HOW = ("spec", "sql", "plan", "changed")


def one_input(data: bytes) -> None:
    """Give the first byte's choice of reader the rest; raises only what is a defect."""
    how, rest = HOW[data[0] % len(HOW) if data else 0], data[1:]
    if how == "plan":
        read_plan(rest)
        return
    text = rest.decode("utf-8", "replace")
    if how == "sql":
        text = SPEC + "\n".join(f"      {line}" for line in text.split("\n"))
    elif how == "changed":
        cut = len(text) and rest[0] * len(SPEC) // 256
        text = SPEC[:cut] + text + SPEC[cut:]
    read_text(text)


def read_text(text: str) -> None:
    """A spec becomes plan and release that survive the wire, or every fault has a place in the text."""
    try:
        spec = read_spec(text, "fuzzed.yaml")
        plan = make_plan(spec, "main")
    except SpecErrors as errors:
        check_faults(text, errors.faults)
    else:
        encoded = plan_to_wire(plan).SerializeToString()
        assert plan_from_wire(plan_pb2.Plan.FromString(encoded)) == plan
        release = spec.release.with_images({image: f"{image}@{DIGEST}" for image in tagged(spec)})
        assert release_from_wire(release_to_wire(release), plan) == release


def tagged(spec: Spec) -> list[str]:
    """Images whose digest a registry would be asked for."""
    return [image for image in spec.image_places if "@" not in image]


def check_faults(text: str, faults: Sequence[Fault]) -> None:
    """There is one, and each has its place and is told on one line."""
    lines = len(text.splitlines()) + 1
    assert faults
    for fault in faults:
        assert 1 <= fault.line <= lines, fault
        assert fault.column >= 1, fault
        assert fault.message, fault
        assert "\n" not in fault.message, fault


def read_plan(data: bytes) -> None:
    """Bytes from the wire are a plan or are refused."""
    with contextlib.suppress(DecodeError, MalformedPlan):
        plan_from_wire(plan_pb2.Plan.FromString(data))
