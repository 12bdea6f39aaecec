"""Plans travel unchanged; what could not run is refused where it arrives."""

import contextlib
from collections.abc import Callable
from functools import cache

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from fogline.model.plan import Call, Column, Constant, Expression, Plan
from fogline.spec import make_plan, read_spec
from fogline.v1 import plan_pb2
from fogline.wire.plan import (
    MalformedPlan,
    expression_from_wire,
    expression_to_wire,
    plan_from_wire,
    plan_id,
    plan_to_wire,
)

SPEC = """\
name: everything
streams:
  air:
    mqtt: "air/{zone}/{device}"
    time: {path: meta.ts, unit: ms}
    labels: {lot: batch.lot}
    fields: {temp: {type: float, path: v.temp, resolution: 0.01}, seq: int, flow: float}
    identity: {fields: [device, seq], within: 5m}
    full: wait
    quota: 64Mi
  water: {mqtt: "water/{pipe}", format: number, fields: {flow: float}}
steps:
  warm: {sql: "SELECT *, temp > 30 AS hot, NULL AS nothing FROM air WHERE temp > -40 AND zone IN ('a', 'b')"}
  by_zone:
    sql: |
      SELECT upper(zone) AS z, lot, count(*) AS n, avg(temp) AS t, sum(seq) AS s, min(flow) AS low, max(seq) AS top,
             quantile(temp, 0.5) AS mid, approx_distinct(device) AS devices, count(nothing) AS none
      FROM warm WHERE hot GROUP BY z, lot, TUMBLE(ts, INTERVAL '1 minute')
  flows: {sql: "SELECT sum(flow * 2) AS f FROM water GROUP BY TUMBLE(arrival, INTERVAL '1 hour')"}
late: {keep: forever}
"""


@cache
def plan() -> Plan:
    return make_plan(read_spec(SPEC), "main")


def test_a_plan_with_everything_survives_the_wire() -> None:
    encoded = plan_to_wire(plan()).SerializeToString()

    assert plan_from_wire(plan_pb2.Plan.FromString(encoded)) == plan()


def test_a_plan_is_named_by_its_content_not_by_its_layout() -> None:
    name = plan_id(plan())

    assert plan_id(make_plan(read_spec(SPEC + "\n# a remark\nmax_keys: 10000\n"), "main")) == name
    assert plan_id(make_plan(read_spec(SPEC + "max_keys: 9999\n"), "main")) != name
    assert plan_id(make_plan(read_spec(SPEC), "other")) != name
    assert len(name) == 16


def test_the_name_of_a_plan_never_changes() -> None:
    """A new name would make every node begin every plan again."""
    assert plan_id(plan()) == "cf314a5bce370971"


LEAVES: st.SearchStrategy[Expression] = st.one_of(
    st.text(max_size=5).map(Column),
    st.none().map(Constant),
    st.booleans().map(Constant),
    st.integers(-(2**63), 2**63 - 1).map(Constant),
    st.floats(allow_nan=False).map(Constant),
    st.text(max_size=5).map(Constant),
)
TREES: st.SearchStrategy[Expression] = st.recursive(
    LEAVES,
    lambda inner: st.builds(Call, st.text(max_size=5), st.lists(inner, max_size=3).map(tuple)),
    max_leaves=12,
)


def kinds(expression: Expression) -> object:
    """Equality that tells 1, 1.0 and TRUE apart."""
    if isinstance(expression, Call):
        return [expression.operation, *(kinds(one) for one in expression.arguments)]
    value = expression.value if isinstance(expression, Constant) else expression.name
    return (type(expression), type(value), value)


@settings(max_examples=100, deadline=None)
@given(expression=TREES)
def test_every_expression_survives_the_wire(expression: Expression) -> None:
    encoded = expression_to_wire(expression).SerializeToString()

    assert kinds(expression_from_wire(plan_pb2.Expression.FromString(encoded))) == kinds(expression)


Change = Callable[[plan_pb2.Plan], object]

CHANGES: dict[str, Change] = {
    "names its tenant": lambda p: p.ClearField("tenant"),
    "at least one step": lambda p: p.ClearField("steps"),
    "max_keys": lambda p: p.ClearField("max_keys"),
    "not negative": lambda p: setattr(p, "disorder_us", -1),
    "late.keep": lambda p: setattr(p, "keep_us", -2),
    "emit.every": lambda p: setattr(p, "emit_every_us", 0),
    "two of the streams and steps": lambda p: setattr(p.steps[0], "name", "air"),
    "streams and steps have names": lambda p: setattr(p.streams[0], "name", ""),
    "before its source": lambda p: setattr(p.steps[0], "source", "nowhere"),
    "does not come from stream": lambda p: setattr(step(p, "warm"), "stream", "water"),
    "has no topic": lambda p: setattr(p.streams[0], "topic", ""),
    "'#' is no level": lambda p: setattr(p.streams[0], "topic", "air/{zone}/{device}/#"),
    "names a label twice": lambda p: setattr(p.streams[0], "topic", "air/{zone}/{zone}"),
    "is nowhere": lambda p: setattr(p.streams[0], "topic", "air/{zone}"),
    "format 'xml' is unknown": lambda p: setattr(p.streams[0], "format", "xml"),
    "unit of time 'h' is unknown": lambda p: setattr(p.streams[0].time, "unit", "h"),
    "time has no path": lambda p: p.streams[0].time.ClearField("path"),
    "type 'text' is unknown": lambda p: setattr(p.streams[0].fields[0], "type", "text"),
    "policy 'drop' is unknown": lambda p: setattr(p.streams[0], "full", "drop"),
    "resolution of 'temp'": lambda p: setattr(p.streams[0].fields[0], "resolution", -1),
    "field 'temp' has no path": lambda p: p.streams[0].fields[0].ClearField("path"),
    "two of the columns of stream": lambda p: setattr(p.streams[0].fields[0], "name", "zone"),
    "leads through": lambda p: p.streams[0].fields[1].path.__setitem__(0, "v"),
    "an identity has names": lambda p: p.streams[0].identity.ClearField("names"),
    "holds for some time": lambda p: setattr(p.streams[0].identity, "within_us", 0),
    "neither label nor field": lambda p: p.streams[0].identity.names.append("nobody"),
    "no known kind": lambda p: p.steps[0].ClearField("kind"),
    "there is no column 'nope'": lambda p: step(p, "warm").where.CopyFrom(plan_pb2.Expression(column="nope")),
    "WHERE is no condition": lambda p: step(p, "warm").where.CopyFrom(plan_pb2.Expression(column="temp")),
    "there is no operation 'explode'": lambda p: setattr(step(p, "warm").where, "operation", "explode"),
    "neither operation": lambda p: step(p, "warm").where.ClearField("kind"),
    "no width": lambda p: windows(p).ClearField("width_us"),
    "the key 'lot' is no text": lambda p: setattr(windows(p).keys[1].expression, "column", "temp"),
    "a key cannot be called 'readings'": lambda p: setattr(windows(p).keys[0], "name", "readings"),
    "is taken": lambda p: setattr(windows(p).states[0], "name", "lot"),
    "needs an argument": lambda p: windows(p).states[0].ClearField("argument"),
    "there is no function 'median'": lambda p: setattr(windows(p).states[0], "function", "median"),
    "cannot be kept like that": lambda p: setattr(windows(p).states[0], "kind", "sum_f64"),
    "resolution is not positive": lambda p: windows(p).states[0].parameters.update({"resolution": 0.0}),
    "two of the columns of step": lambda p: setattr(windows(p).outputs[0], "name", "z"),
    "columns of step 'by_zone' have names": lambda p: setattr(windows(p).outputs[0], "name", ""),
    "a state is no value": lambda p: setattr(windows(p).outputs[0].expression, "column", buckets(p)),
    "cannot take": lambda p: setattr(windows(p).states[0].argument, "column", "zone"),
}


def windows(message: plan_pb2.Plan) -> plan_pb2.WindowQuery:
    return step(message, "by_zone").windows


def step(message: plan_pb2.Plan, name: str) -> plan_pb2.Step:
    return next(one for one in message.steps if one.name == name)


def buckets(message: plan_pb2.Plan) -> str:
    return next(state.name for state in windows(message).states if state.kind == "map_add")


@pytest.mark.parametrize("words", CHANGES)
def test_a_plan_that_could_not_run_is_refused(words: str) -> None:
    message = plan_to_wire(plan())
    CHANGES[words](message)

    with pytest.raises(MalformedPlan) as raised:
        plan_from_wire(message)

    assert words in str(raised.value)


def test_an_expression_that_is_nested_too_deeply_is_refused() -> None:
    message = plan_pb2.Expression(column="a")
    for _ in range(90):
        message = plan_pb2.Expression(operation="not", arguments=[message])

    with pytest.raises(MalformedPlan, match="too deeply"):
        expression_from_wire(message)


def test_steps_are_kept_in_an_order_in_which_they_can_run() -> None:
    message = plan_to_wire(plan())
    reordered = sorted(message.steps, key=lambda step: step.name)
    message.ClearField("steps")
    message.steps.extend(reordered)

    with pytest.raises(MalformedPlan, match="before its source"):
        plan_from_wire(message)


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=40), place=st.integers(0, 2000))
def test_damaged_bytes_are_refused_or_read_never_worse(data: bytes, place: int) -> None:
    encoded = plan_to_wire(plan()).SerializeToString()
    at = place % len(encoded)
    damaged = encoded[:at] + data + encoded[at + len(data) :]
    try:
        message = plan_pb2.Plan.FromString(damaged)
    except DecodeError:
        return
    with contextlib.suppress(MalformedPlan):
        plan_from_wire(message)
