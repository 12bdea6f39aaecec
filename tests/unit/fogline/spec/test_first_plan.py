"""One stream, one window query: the whole way from text to the plan that travels."""

import pytest

from fogline.model.faults import SpecErrors
from fogline.model.plan import Column, Constant, Plan, WindowQuery
from fogline.spec import make_plan, read_spec
from fogline.wire.plan import plan_from_wire, plan_id, plan_to_wire

GREENHOUSE = """\
name: greenhouse
streams:
  air:
    mqtt: "greenhouse/{zone}/{device}/air"
    time: ts
    fields: {temp: {type: float, resolution: 0.01}}
steps:
  by_zone:
    sql: |
      SELECT zone, count(*) AS n, avg(temp) AS temp
      FROM air WHERE temp > -40
      GROUP BY zone, TUMBLE(ts, INTERVAL '10 seconds')
"""


def plan_of(text: str) -> Plan:
    return make_plan(read_spec(text, "greenhouse.yaml"), "main")


def test_a_spec_becomes_a_plan_with_the_defaults() -> None:
    plan = plan_of(GREENHOUSE)

    assert (plan.disorder_us, plan.wait_us, plan.keep_us) == (5_000_000, 120_000_000, 86_400_000_000)
    assert plan.emit_every_us == 1_000_000
    (step,) = plan.steps
    assert isinstance(step.query, WindowQuery)
    assert step.query.width_us == 10_000_000
    assert [key.name for key in step.query.keys] == ["zone"]
    assert [output.name for output in step.query.outputs] == ["n", "temp"]
    assert step.where is not None
    assert step.where.arguments == (Column("temp"), Constant(-40))  # type: ignore[union-attr]


def test_a_plan_survives_the_wire_and_keeps_its_name() -> None:
    plan = plan_of(GREENHOUSE)

    again = plan_from_wire(plan_to_wire(plan))

    assert again == plan
    assert plan_id(again) == plan_id(plan)
    assert len(plan_id(plan)) == 16


def test_every_mistake_is_told_at_once_with_its_place() -> None:
    broken = GREENHOUSE.replace("time: ts", "tiem: ts").replace("avg(temp)", "avg(tmep)")

    with pytest.raises(SpecErrors) as raised:
        read_spec(broken, "greenhouse.yaml")

    assert [(f.line, f.column, f.path) for f in raised.value.faults] == [
        (5, 5, "streams.air.tiem"),
        (10, 39, "steps.by_zone.sql"),
    ]
