from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Plan(_message.Message):
    __slots__ = ("tenant", "pipeline", "streams", "steps", "disorder_us", "wait_us", "keep_us", "emit_every_us", "max_keys")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    DISORDER_US_FIELD_NUMBER: _ClassVar[int]
    WAIT_US_FIELD_NUMBER: _ClassVar[int]
    KEEP_US_FIELD_NUMBER: _ClassVar[int]
    EMIT_EVERY_US_FIELD_NUMBER: _ClassVar[int]
    MAX_KEYS_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    pipeline: str
    streams: _containers.RepeatedCompositeFieldContainer[StreamSpec]
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    disorder_us: int
    wait_us: int
    keep_us: int
    emit_every_us: int
    max_keys: int
    def __init__(self, tenant: _Optional[str] = ..., pipeline: _Optional[str] = ..., streams: _Optional[_Iterable[_Union[StreamSpec, _Mapping]]] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ..., disorder_us: _Optional[int] = ..., wait_us: _Optional[int] = ..., keep_us: _Optional[int] = ..., emit_every_us: _Optional[int] = ..., max_keys: _Optional[int] = ...) -> None: ...

class StreamSpec(_message.Message):
    __slots__ = ("name", "topic", "format", "time", "labels", "fields", "identity", "full", "quota_bytes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    FULL_FIELD_NUMBER: _ClassVar[int]
    QUOTA_BYTES_FIELD_NUMBER: _ClassVar[int]
    name: str
    topic: str
    format: str
    time: TimeField
    labels: _containers.RepeatedCompositeFieldContainer[LabelSpec]
    fields: _containers.RepeatedCompositeFieldContainer[FieldSpec]
    identity: Identity
    full: str
    quota_bytes: int
    def __init__(self, name: _Optional[str] = ..., topic: _Optional[str] = ..., format: _Optional[str] = ..., time: _Optional[_Union[TimeField, _Mapping]] = ..., labels: _Optional[_Iterable[_Union[LabelSpec, _Mapping]]] = ..., fields: _Optional[_Iterable[_Union[FieldSpec, _Mapping]]] = ..., identity: _Optional[_Union[Identity, _Mapping]] = ..., full: _Optional[str] = ..., quota_bytes: _Optional[int] = ...) -> None: ...

class TimeField(_message.Message):
    __slots__ = ("path", "unit")
    PATH_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    path: _containers.RepeatedScalarFieldContainer[str]
    unit: str
    def __init__(self, path: _Optional[_Iterable[str]] = ..., unit: _Optional[str] = ...) -> None: ...

class LabelSpec(_message.Message):
    __slots__ = ("name", "path")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    name: str
    path: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., path: _Optional[_Iterable[str]] = ...) -> None: ...

class FieldSpec(_message.Message):
    __slots__ = ("name", "path", "type", "resolution")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    path: _containers.RepeatedScalarFieldContainer[str]
    type: str
    resolution: float
    def __init__(self, name: _Optional[str] = ..., path: _Optional[_Iterable[str]] = ..., type: _Optional[str] = ..., resolution: _Optional[float] = ...) -> None: ...

class Identity(_message.Message):
    __slots__ = ("names", "within_us")
    NAMES_FIELD_NUMBER: _ClassVar[int]
    WITHIN_US_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    within_us: int
    def __init__(self, names: _Optional[_Iterable[str]] = ..., within_us: _Optional[int] = ...) -> None: ...

class Step(_message.Message):
    __slots__ = ("name", "source", "stream", "where", "rows", "windows", "operator")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    source: str
    stream: str
    where: Expression
    rows: RowQuery
    windows: WindowQuery
    operator: OperatorQuery
    def __init__(self, name: _Optional[str] = ..., source: _Optional[str] = ..., stream: _Optional[str] = ..., where: _Optional[_Union[Expression, _Mapping]] = ..., rows: _Optional[_Union[RowQuery, _Mapping]] = ..., windows: _Optional[_Union[WindowQuery, _Mapping]] = ..., operator: _Optional[_Union[OperatorQuery, _Mapping]] = ...) -> None: ...

class OperatorQuery(_message.Message):
    __slots__ = ("columns",)
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    columns: _containers.RepeatedCompositeFieldContainer[OutputColumn]
    def __init__(self, columns: _Optional[_Iterable[_Union[OutputColumn, _Mapping]]] = ...) -> None: ...

class OutputColumn(_message.Message):
    __slots__ = ("name", "type", "resolution")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: str
    resolution: float
    def __init__(self, name: _Optional[str] = ..., type: _Optional[str] = ..., resolution: _Optional[float] = ...) -> None: ...

class NamedExpression(_message.Message):
    __slots__ = ("name", "expression")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    expression: Expression
    def __init__(self, name: _Optional[str] = ..., expression: _Optional[_Union[Expression, _Mapping]] = ...) -> None: ...

class RowQuery(_message.Message):
    __slots__ = ("columns",)
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    columns: _containers.RepeatedCompositeFieldContainer[NamedExpression]
    def __init__(self, columns: _Optional[_Iterable[_Union[NamedExpression, _Mapping]]] = ...) -> None: ...

class WindowQuery(_message.Message):
    __slots__ = ("keys", "width_us", "states", "outputs")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    WIDTH_US_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedCompositeFieldContainer[NamedExpression]
    width_us: int
    states: _containers.RepeatedCompositeFieldContainer[StateSpec]
    outputs: _containers.RepeatedCompositeFieldContainer[NamedExpression]
    def __init__(self, keys: _Optional[_Iterable[_Union[NamedExpression, _Mapping]]] = ..., width_us: _Optional[int] = ..., states: _Optional[_Iterable[_Union[StateSpec, _Mapping]]] = ..., outputs: _Optional[_Iterable[_Union[NamedExpression, _Mapping]]] = ...) -> None: ...

class StateSpec(_message.Message):
    __slots__ = ("name", "kind", "function", "argument", "parameters")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    ARGUMENT_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    function: str
    argument: Expression
    parameters: _containers.ScalarMap[str, float]
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., function: _Optional[str] = ..., argument: _Optional[_Union[Expression, _Mapping]] = ..., parameters: _Optional[_Mapping[str, float]] = ...) -> None: ...

class Expression(_message.Message):
    __slots__ = ("column", "operation", "null_literal", "bool_literal", "int_literal", "float_literal", "text_literal", "arguments")
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    NULL_LITERAL_FIELD_NUMBER: _ClassVar[int]
    BOOL_LITERAL_FIELD_NUMBER: _ClassVar[int]
    INT_LITERAL_FIELD_NUMBER: _ClassVar[int]
    FLOAT_LITERAL_FIELD_NUMBER: _ClassVar[int]
    TEXT_LITERAL_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    column: str
    operation: str
    null_literal: bool
    bool_literal: bool
    int_literal: int
    float_literal: float
    text_literal: str
    arguments: _containers.RepeatedCompositeFieldContainer[Expression]
    def __init__(self, column: _Optional[str] = ..., operation: _Optional[str] = ..., null_literal: _Optional[bool] = ..., bool_literal: _Optional[bool] = ..., int_literal: _Optional[int] = ..., float_literal: _Optional[float] = ..., text_literal: _Optional[str] = ..., arguments: _Optional[_Iterable[_Union[Expression, _Mapping]]] = ...) -> None: ...
