"""Steps that run an image, and services: what they become, and what is said of mistakes (containers.txt)."""

import ast
from pathlib import Path

import pytest

from fogline.model.plan import OperatorQuery, OutputColumn
from fogline.spec import make_plan, read_spec
from fogline.wire.plan import plan_id
from tests.unit.fogline.spec.test_mistakes import told_of

GOOD = """\
name: site
streams:
  air: {mqtt: "air/{zone}/{device}", time: ts, fields: {temp: {type: float, resolution: 0.01}, seq: int}}
steps:
  clean:
    image: registry.example/acme/clean:1.4
    from: air
    cpu: 0.25
    memory: 64Mi
    timeout: 5s
    env: {MODE: fast}
    scale: {min: 1, max: 8}
  hot: {sql: "SELECT *, temp > 30 AS hot FROM clean"}
  score: {image: acme/score, from: hot, fields: {score: float}, labels: [zone]}
  by_zone: {sql: "SELECT zone, avg(score) AS s FROM score GROUP BY zone, TUMBLE(ts, INTERVAL '1 minute')"}
services:
  viewer:
    image: acme/viewer:2
    command: [serve, --port, "80"]
    networks: [site]
    ports: ["8080:80"]
    volumes: ["data:/var/lib/viewer"]
    on: {place: attic}
"""


def table() -> list[tuple[str, str]]:
    """Documents, and what is said of them."""
    blocks = Path(__file__).with_name("containers.txt").read_text().strip("\n").split("\n\n")[1:]
    cases = []
    for head, _, told in (block.partition("\n") for block in blocks):
        old, _, new = head.partition(" -> ")
        wanted = ast.literal_eval(old)
        assert wanted in GOOD, wanted
        cases.append((GOOD.replace(wanted, ast.literal_eval(new), 1), told))
    return cases


@pytest.mark.parametrize(("document", "told"), table(), ids=[str(n) for n in range(len(table()))])
def test_a_mistake_is_told_at_its_place(document: str, told: str) -> None:
    assert told_of(document) == told


def columns(document: str) -> dict[str, tuple[OutputColumn, ...]]:
    steps = read_spec(document).steps
    return {step.name: step.query.columns for step in steps if isinstance(step.query, OperatorQuery)}


def test_without_fields_and_labels_the_rows_have_the_columns_of_the_source() -> None:
    text, number = {"type": "text"}, {"type": "float"}
    found = columns(GOOD)
    assert found["clean"] == (
        OutputColumn(name="zone", **text),  # type: ignore[arg-type]  # a test's shorthand
        OutputColumn(name="device", **text),  # type: ignore[arg-type]  # the same
        OutputColumn(name="temp", resolution=0.01, **number),  # type: ignore[arg-type]  # the same
        OutputColumn(name="seq", type="int"),
    )
    assert [column.name for column in found["score"]] == ["zone", "score"]


def test_labels_alone_keep_the_fields_and_fields_alone_the_labels() -> None:
    document = GOOD.replace("fields: {score: float}, labels: [zone]", "labels: [kind]")
    document = document.replace("avg(score)", "avg(temp)")
    labels = columns(document.replace("SELECT zone", "SELECT kind").replace("BY zone", "BY kind"))
    assert [(column.name, column.type) for column in labels["score"]] == [
        ("kind", "text"),
        ("temp", "float"),
        ("seq", "int"),
        ("hot", "bool"),
    ]
    fields = columns(GOOD.replace(", labels: [zone]", ""))
    assert [column.name for column in fields["score"]] == ["zone", "device", "score"]


def test_images_resources_and_services_are_no_part_of_the_plan() -> None:
    other = GOOD.replace("clean:1.4", "clean:2").replace("0.25", "2").replace("viewer:2", "viewer:3")
    one, two = read_spec(GOOD), read_spec(other)
    assert plan_id(make_plan(one, "main")) == plan_id(make_plan(two, "main"))
    assert one.release != two.release


def test_the_order_of_the_file_does_not_matter() -> None:
    lines = GOOD.split("steps:\n")[1].split("services:\n")
    turned = GOOD.split("steps:\n", maxsplit=1)[0] + "services:\n" + lines[1] + "steps:\n" + lines[0]
    assert read_spec(turned).release == read_spec(GOOD).release


def test_where_an_image_is_named_is_known() -> None:
    places = read_spec(GOOD).image_places
    assert {image: (path, place.line, place.column) for image, (path, place) in places.items()} == {
        "registry.example/acme/clean:1.4": ("steps.clean.image", 6, 12),
        "acme/score": ("steps.score.image", 14, 18),
        "acme/viewer:2": ("services.viewer.image", 18, 12),
    }


def test_a_bundle_runs_as_a_process() -> None:
    bundle = "process:clean@sha256:" + "0" * 64
    release = read_spec(GOOD.replace("registry.example/acme/clean:1.4", bundle)).release
    assert [one.runtime for one in release.operators] == ["process", ""]
