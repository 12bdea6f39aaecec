from fogline.v1 import plan_pb2 as _plan_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProcessRequest(_message.Message):
    __slots__ = ("greeting", "batch")
    GREETING_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    greeting: NodeGreeting
    batch: OperatorBatch
    def __init__(self, greeting: _Optional[_Union[NodeGreeting, _Mapping]] = ..., batch: _Optional[_Union[OperatorBatch, _Mapping]] = ...) -> None: ...

class NodeGreeting(_message.Message):
    __slots__ = ("protocol", "pipeline", "step", "input", "output", "in_flight", "answer_rows", "message_bytes")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    ANSWER_ROWS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    pipeline: str
    step: str
    input: _containers.RepeatedCompositeFieldContainer[ColumnType]
    output: _containers.RepeatedCompositeFieldContainer[_plan_pb2.OutputColumn]
    in_flight: int
    answer_rows: int
    message_bytes: int
    def __init__(self, protocol: _Optional[int] = ..., pipeline: _Optional[str] = ..., step: _Optional[str] = ..., input: _Optional[_Iterable[_Union[ColumnType, _Mapping]]] = ..., output: _Optional[_Iterable[_Union[_plan_pb2.OutputColumn, _Mapping]]] = ..., in_flight: _Optional[int] = ..., answer_rows: _Optional[int] = ..., message_bytes: _Optional[int] = ...) -> None: ...

class ColumnType(_message.Message):
    __slots__ = ("name", "type")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: str
    def __init__(self, name: _Optional[str] = ..., type: _Optional[str] = ...) -> None: ...

class OperatorBatch(_message.Message):
    __slots__ = ("id", "rows", "time_us", "columns")
    ID_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    id: int
    rows: int
    time_us: bytes
    columns: _containers.RepeatedCompositeFieldContainer[BatchColumn]
    def __init__(self, id: _Optional[int] = ..., rows: _Optional[int] = ..., time_us: _Optional[bytes] = ..., columns: _Optional[_Iterable[_Union[BatchColumn, _Mapping]]] = ...) -> None: ...

class BatchColumn(_message.Message):
    __slots__ = ("name", "type", "values", "valid", "dictionary", "codes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    VALID_FIELD_NUMBER: _ClassVar[int]
    DICTIONARY_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: str
    values: bytes
    valid: bytes
    dictionary: _containers.RepeatedScalarFieldContainer[str]
    codes: bytes
    def __init__(self, name: _Optional[str] = ..., type: _Optional[str] = ..., values: _Optional[bytes] = ..., valid: _Optional[bytes] = ..., dictionary: _Optional[_Iterable[str]] = ..., codes: _Optional[bytes] = ...) -> None: ...

class ProcessResponse(_message.Message):
    __slots__ = ("greeting", "rows", "error")
    GREETING_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    greeting: OperatorGreeting
    rows: BatchRows
    error: BatchError
    def __init__(self, greeting: _Optional[_Union[OperatorGreeting, _Mapping]] = ..., rows: _Optional[_Union[BatchRows, _Mapping]] = ..., error: _Optional[_Union[BatchError, _Mapping]] = ...) -> None: ...

class OperatorGreeting(_message.Message):
    __slots__ = ("protocol", "columns", "software")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    columns: _containers.RepeatedScalarFieldContainer[str]
    software: str
    def __init__(self, protocol: _Optional[int] = ..., columns: _Optional[_Iterable[str]] = ..., software: _Optional[str] = ...) -> None: ...

class BatchRows(_message.Message):
    __slots__ = ("id", "rows", "input_row", "columns")
    ID_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    INPUT_ROW_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    id: int
    rows: int
    input_row: bytes
    columns: _containers.RepeatedCompositeFieldContainer[BatchColumn]
    def __init__(self, id: _Optional[int] = ..., rows: _Optional[int] = ..., input_row: _Optional[bytes] = ..., columns: _Optional[_Iterable[_Union[BatchColumn, _Mapping]]] = ...) -> None: ...

class BatchError(_message.Message):
    __slots__ = ("id", "reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    id: int
    reason: str
    def __init__(self, id: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...
