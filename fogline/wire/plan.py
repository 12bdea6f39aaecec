"""Plans as wire messages and back, and the name of a plan."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from fogline.model.plan import (
    Call,
    Column,
    Constant,
    Expression,
    FieldSpec,
    Identity,
    LabelSpec,
    Named,
    OperatorQuery,
    Plan,
    RowQuery,
    Scalar,
    StateSpec,
    StepSpec,
    StreamSpec,
    TimeField,
    WindowQuery,
)
from fogline.v1 import plan_pb2
from fogline.wire.columns import (
    MalformedPlan,
    one_of,
    output_columns_from_wire,
    output_columns_to_wire,
)
from fogline.wire.plan_rules import (
    FIELD_TYPES,
    FORMATS,
    FULL_POLICIES,
    TIME_UNITS,
    check_plan,
)

__all__ = ["MalformedPlan", "plan_from_wire", "plan_id", "plan_to_wire"]

MAX_DEPTH: Final = 80
ID_CHARACTERS: Final = 16


def plan_id(plan: Plan) -> str:
    """The name of a plan: 16 hexadecimal digits of the hash of its content."""
    encoded = plan_to_wire(plan).SerializeToString(deterministic=True)
    return hashlib.sha256(encoded).hexdigest()[:ID_CHARACTERS]


def plan_to_wire(plan: Plan) -> plan_pb2.Plan:
    """A plan as a wire message."""
    return plan_pb2.Plan(
        tenant=plan.tenant,
        pipeline=plan.pipeline,
        streams=[_stream_to_wire(stream) for stream in plan.streams],
        steps=[_step_to_wire(step) for step in plan.steps],
        disorder_us=plan.disorder_us,
        wait_us=plan.wait_us,
        keep_us=plan.keep_us,
        emit_every_us=plan.emit_every_us,
        max_keys=plan.max_keys,
    )


def plan_from_wire(message: plan_pb2.Plan) -> Plan:
    """The plan of a wire message, checked as a whole: whoever has it can run it.

    Raises :class:`MalformedPlan`.
    """
    plan = Plan(
        tenant=message.tenant,
        pipeline=message.pipeline,
        streams=tuple(_stream_from_wire(stream) for stream in message.streams),
        steps=tuple(_step_from_wire(step) for step in message.steps),
        disorder_us=message.disorder_us,
        wait_us=message.wait_us,
        keep_us=message.keep_us,
        emit_every_us=message.emit_every_us,
        max_keys=message.max_keys,
    )
    check_plan(plan)
    return plan


def _stream_to_wire(stream: StreamSpec) -> plan_pb2.StreamSpec:
    message = plan_pb2.StreamSpec(
        name=stream.name,
        topic=stream.topic,
        format=stream.format,
        labels=[plan_pb2.LabelSpec(name=label.name, path=label.path) for label in stream.labels],
        fields=[
            plan_pb2.FieldSpec(
                name=field.name, path=field.path, type=field.type, resolution=field.resolution or 0.0
            )
            for field in stream.fields
        ],
        full=stream.full,
        quota_bytes=stream.quota_bytes,
    )
    if stream.time is not None:
        message.time.CopyFrom(plan_pb2.TimeField(path=stream.time.path, unit=stream.time.unit))
    if stream.identity is not None:
        identity = plan_pb2.Identity(names=stream.identity.names, within_us=stream.identity.within_us)
        message.identity.CopyFrom(identity)
    return message


def _stream_from_wire(message: plan_pb2.StreamSpec) -> StreamSpec:
    time = identity = None
    if message.HasField("time"):
        time = TimeField(
            path=tuple(message.time.path), unit=one_of(message.time.unit, TIME_UNITS, "unit of time")
        )
    if message.HasField("identity"):
        identity = Identity(names=tuple(message.identity.names), within_us=message.identity.within_us)
    return StreamSpec(
        name=message.name,
        topic=message.topic,
        format=one_of(message.format, FORMATS, "format"),
        time=time,
        labels=tuple(LabelSpec(name=label.name, path=tuple(label.path)) for label in message.labels),
        fields=tuple(
            FieldSpec(
                name=field.name,
                path=tuple(field.path),
                type=one_of(field.type, FIELD_TYPES, "type"),
                resolution=field.resolution or None,
            )
            for field in message.fields
        ),
        identity=identity,
        full=one_of(message.full, FULL_POLICIES, "policy"),
        quota_bytes=message.quota_bytes,
    )


def _step_to_wire(step: StepSpec) -> plan_pb2.Step:
    message = plan_pb2.Step(name=step.name, source=step.source, stream=step.stream)
    if step.where is not None:
        message.where.CopyFrom(expression_to_wire(step.where))
    if isinstance(step.query, RowQuery):
        message.rows.CopyFrom(plan_pb2.RowQuery(columns=[_named_to_wire(one) for one in step.query.columns]))
    elif isinstance(step.query, OperatorQuery):
        message.operator.CopyFrom(_operator_to_wire(step.query))
    else:
        message.windows.CopyFrom(_windows_to_wire(step.query))
    return message


def _operator_to_wire(query: OperatorQuery) -> plan_pb2.OperatorQuery:
    return plan_pb2.OperatorQuery(columns=output_columns_to_wire(query.columns))


def _windows_to_wire(query: WindowQuery) -> plan_pb2.WindowQuery:
    message = plan_pb2.WindowQuery(
        keys=[_named_to_wire(key) for key in query.keys],
        width_us=query.width_us,
        outputs=[_named_to_wire(output) for output in query.outputs],
    )
    for state in query.states:
        spec = message.states.add(
            name=state.name, kind=state.kind, function=state.function, parameters=state.parameters
        )
        if state.argument is not None:
            spec.argument.CopyFrom(expression_to_wire(state.argument))
    return message


def _step_from_wire(message: plan_pb2.Step) -> StepSpec:
    query: RowQuery | WindowQuery | OperatorQuery
    kind = message.WhichOneof("kind")
    if kind == "rows":
        query = RowQuery(columns=tuple(_named_from_wire(column) for column in message.rows.columns))
    elif kind == "windows":
        query = _windows_from_wire(message.windows)
    elif kind == "operator":
        query = _operator_from_wire(message.operator)
    else:
        raise MalformedPlan(f"step {message.name!r} is of no known kind", hint="upgrade this tier")
    return StepSpec(
        name=message.name,
        source=message.source,
        stream=message.stream,
        where=expression_from_wire(message.where) if message.HasField("where") else None,
        query=query,
    )


def _operator_from_wire(message: plan_pb2.OperatorQuery) -> OperatorQuery:
    return OperatorQuery(columns=output_columns_from_wire(message.columns))


def _windows_from_wire(message: plan_pb2.WindowQuery) -> WindowQuery:
    return WindowQuery(
        keys=tuple(_named_from_wire(key) for key in message.keys),
        width_us=message.width_us,
        states=tuple(
            StateSpec(
                name=state.name,
                kind=state.kind,
                function=state.function,
                argument=expression_from_wire(state.argument) if state.HasField("argument") else None,
                parameters=dict(state.parameters),
            )
            for state in message.states
        ),
        outputs=tuple(_named_from_wire(output) for output in message.outputs),
    )


def _named_to_wire(named: Named) -> plan_pb2.NamedExpression:
    return plan_pb2.NamedExpression(name=named.name, expression=expression_to_wire(named.expression))


def _named_from_wire(message: plan_pb2.NamedExpression) -> Named:
    return Named(name=message.name, expression=expression_from_wire(message.expression))


def expression_to_wire(expression: Expression) -> plan_pb2.Expression:
    """An expression as a wire message."""
    if isinstance(expression, Column):
        return plan_pb2.Expression(column=expression.name)
    if isinstance(expression, Call):
        return plan_pb2.Expression(
            operation=expression.operation,
            arguments=[expression_to_wire(argument) for argument in expression.arguments],
        )
    return _constant_to_wire(expression.value)


def _constant_to_wire(value: Scalar) -> plan_pb2.Expression:
    if value is None:
        return plan_pb2.Expression(null_literal=True)
    if isinstance(value, bool):
        return plan_pb2.Expression(bool_literal=value)
    if isinstance(value, int):
        return plan_pb2.Expression(int_literal=value)
    if isinstance(value, float):
        return plan_pb2.Expression(float_literal=value)
    return plan_pb2.Expression(text_literal=value)


_LEAVES: Final[Mapping[str, Callable[[plan_pb2.Expression], Expression]]] = {
    "column": lambda message: Column(message.column),
    "null_literal": lambda _: Constant(None),
    "bool_literal": lambda message: Constant(message.bool_literal),
    "int_literal": lambda message: Constant(message.int_literal),
    "float_literal": lambda message: Constant(message.float_literal),
    "text_literal": lambda message: Constant(message.text_literal),
}


def expression_from_wire(message: plan_pb2.Expression, depth: int = 0) -> Expression:
    """The expression of a wire message; names and types are checked with the whole plan.

    Raises :class:`MalformedPlan`.
    """
    kind = message.WhichOneof("kind")
    if depth > MAX_DEPTH:
        raise MalformedPlan("an expression is nested too deeply")
    if kind == "operation":
        arguments = (expression_from_wire(argument, depth + 1) for argument in message.arguments)
        return Call(message.operation, tuple(arguments))
    leaf = _LEAVES.get(kind or "")
    if leaf is None or message.arguments:
        raise MalformedPlan(
            "an expression is neither operation, column nor constant", hint="upgrade this tier"
        )
    return leaf(message)
