"""What must hold of a plan before anybody runs it, wherever it came from."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from fogline.engine.columns import InvalidExpression
from fogline.engine.expression import ValueType, expression_type
from fogline.engine.function import state_layout
from fogline.engine.state import READINGS
from fogline.model.plan import (
    FOR_EVER,
    Column,
    Expression,
    FieldType,
    FullPolicy,
    Named,
    OperatorQuery,
    PayloadFormat,
    Plan,
    RowQuery,
    StateSpec,
    StepSpec,
    StreamSpec,
    TimeUnit,
    WindowQuery,
)
from fogline.wire.columns import MalformedPlan

LABEL: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)

FORMATS: Final[tuple[PayloadFormat, ...]] = ("json", "number", "senml")
FIELD_TYPES: Final[tuple[FieldType, ...]] = ("float", "int")
TIME_UNITS: Final[tuple[TimeUnit, ...]] = ("auto", "s", "ms", "us", "ns", "iso")
FULL_POLICIES: Final[tuple[FullPolicy, ...]] = ("expire", "refuse", "wait")

STATE_TYPES: Final[Mapping[str, ValueType]] = {
    "sum_i64": "int",
    "sum_f64": "float",
    "min_f64": "float",
    "max_f64": "float",
    "map_add": "buckets",
    "map_max": "registers",
}
"""What a result's expression sees of a state of each kind."""


Types = Mapping[str, ValueType]


def check_plan(plan: Plan) -> None:
    """Raise :class:`MalformedPlan` unless every name leads somewhere and every type fits."""
    column_types(plan)


def column_types(plan: Plan) -> dict[str, Types]:
    """The columns of every stream and of every step that has rows. Raises as :func:`check_plan` does."""
    _need(bool(plan.tenant and plan.pipeline), "a plan names its tenant and its pipeline")
    _need(bool(plan.steps), "a plan has at least one step")
    _need(plan.max_keys > 0, "max_keys is at least 1")
    _need(plan.disorder_us >= 0 and plan.wait_us >= 0, "durations are not negative")
    _need(plan.keep_us > 0 or plan.keep_us == FOR_EVER, "late.keep is positive, or -1 for ever")
    _need(plan.emit_every_us > 0, "emit.every is positive")
    _distinct((*(s.name for s in plan.streams), *(s.name for s in plan.steps)), "streams and steps")
    tables: dict[str, tuple[str, Types]] = {}
    for stream in plan.streams:
        tables[stream.name] = (stream.name, _stream_types(stream))
    for step in plan.steps:
        _need(step.source in tables, f"step {step.name!r} stands before its source {step.source!r}")
        stream_name, types = tables[step.source]
        _need(step.stream == stream_name, f"step {step.name!r} does not come from stream {step.stream!r}")
        output = _check_step(step, types)
        if output is not None:
            tables[step.name] = (stream_name, output)
    return {name: types for name, (_, types) in tables.items()}


def _need(holds: bool, message: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise MalformedPlan(message)


def _distinct(names: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for name in names:
        _need(bool(name), f"{what} have names")
        _need(name not in seen, f"two of the {what} are called {name!r}")
        seen.add(name)


def _stream_types(stream: StreamSpec) -> Types:
    where = f"stream {stream.name!r}"
    _need(bool(stream.topic), f"{where} has no topic")
    _need(stream.time is None or bool(stream.time.path), f"{where}: the time has no path")
    columns = [*(label.name for label in stream.labels), *(field.name for field in stream.fields)]
    _distinct(columns, f"columns of {where}")
    _check_topic(stream, where)
    if stream.format == "json":
        _check_paths(stream, where)
    for field in stream.fields:
        grid = field.resolution
        _need(
            grid is None or (math.isfinite(grid) and grid > 0),
            f"{where}: the resolution of {field.name!r} is not positive",
        )
        _need(bool(field.path) or stream.format == "number", f"{where}: field {field.name!r} has no path")
    if stream.identity is not None:
        _need(bool(stream.identity.names), f"{where}: an identity has names")
        _need(stream.identity.within_us > 0, f"{where}: an identity holds for some time")
        for name in stream.identity.names:
            _need(name in columns, f"{where}: identity names {name!r}, which is neither label nor field")
    types: dict[str, ValueType] = {label.name: "text" for label in stream.labels}
    types |= {field.name: field.type for field in stream.fields}
    return types


def _check_topic(stream: StreamSpec, where: str) -> None:
    labels = []
    for level in stream.topic.split("/"):
        found = LABEL.fullmatch(level)
        if found is not None:
            labels.append(found[1])
        _need(
            found is not None or not set(level) & set("{}+#\0"), f"{where}: {level!r} is no level of a topic"
        )
    _need(len(set(labels)) == len(labels), f"{where}: the topic names a label twice")
    for label in stream.labels:
        _need(bool(label.path) or label.name in labels, f"{where}: label {label.name!r} is nowhere")


def _check_paths(stream: StreamSpec, where: str) -> None:
    """No path may lead through a value that is read itself: no payload could hold both."""
    paths = [label.path for label in stream.labels if label.path] + [field.path for field in stream.fields]
    paths += [stream.time.path] if stream.time is not None else []
    leaves = set(paths)
    for path in paths:
        through = any(path[:length] in leaves for length in range(1, len(path)))
        _need(not through, f"{where}: {'.'.join(path)!r} leads through a value that is read itself")


def _check_step(step: StepSpec, types: Types) -> Types | None:
    """The columns of its rows; ``None`` for a window query, which has none."""
    where = f"step {step.name!r}"
    if step.where is not None:
        _need(_type(step.where, types, where) in ("truth", "null"), f"{where}: WHERE is no condition")
    if isinstance(step.query, RowQuery):
        return _outputs(step.query.columns, types, where)
    if isinstance(step.query, OperatorQuery):
        return _operator_types(step.query, where)
    _check_windows(step.query, types, where)
    return None


def _operator_types(query: OperatorQuery, where: str) -> Types:
    _distinct((one.name for one in query.columns), f"columns of {where}")
    types: dict[str, ValueType] = {}
    for one in query.columns:
        _need(
            one.resolution is None
            or (one.type == "float" and math.isfinite(one.resolution) and one.resolution > 0),
            f"{where}: the resolution of {one.name!r} is not positive, or no float has it",
        )
        types[one.name] = "truth" if one.type == "bool" else one.type
    return types


def _check_windows(query: WindowQuery, types: Types, where: str) -> None:
    _need(query.width_us > 0, f"{where}: the window has no width")
    keys = _outputs(query.keys, types, where)
    for name, kind in keys.items():
        _need(kind == "text", f"{where}: the key {name!r} is no text")
    columns: dict[str, ValueType] = {**keys, READINGS: "int"}
    _need(READINGS not in keys, f"{where}: a key cannot be called {READINGS!r}")
    for state in query.states:
        _need(bool(state.name) and state.name not in columns, f"{where}: the name {state.name!r} is taken")
        columns[state.name] = _state_type(state, types, where)
    _outputs(query.outputs, columns, where)
    _distinct((one.name for one in (*query.keys, *query.outputs)), f"columns of {where}")


def _state_type(state: StateSpec, types: Types, where: str) -> ValueType:
    what = f"{where}: state {state.name!r}"
    kind: ValueType = "int"
    if state.argument is None:
        _need(state.function == "count", f"{what} needs an argument")
    else:
        kind = _type(state.argument, types, what)
    grid = state.parameters.get("resolution")
    try:
        wanted, parameters = state_layout(state.function, kind, grid)
    except InvalidExpression as error:
        raise MalformedPlan(f"{what}: {error.message}", hint=error.hint) from None
    _need(grid is None or (math.isfinite(grid) and grid > 0), f"{what}: the resolution is not positive")
    _need(
        state.kind == wanted and dict(state.parameters) == dict(parameters),
        f"{what} cannot be kept like that",
    )
    return "float" if grid is not None else STATE_TYPES[state.kind]


def _outputs(columns: Sequence[Named], types: Types, where: str) -> dict[str, ValueType]:
    _distinct((named.name for named in columns), f"columns of {where}")
    return {named.name: _type(named.expression, types, where) for named in columns}


def _type(expression: Expression, types: Types, where: str) -> ValueType:
    try:
        kind = expression_type(expression, types)
    except InvalidExpression as error:
        raise MalformedPlan(f"{where}: {error.message}", hint=error.hint) from None
    _need(
        not (isinstance(expression, Column) and kind in ("buckets", "registers")),
        f"{where}: a state is no value",
    )
    return kind
