from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Origin(_message.Message):
    __slots__ = ("tenant", "node", "stream", "epoch")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    node: str
    stream: str
    epoch: bytes
    def __init__(self, tenant: _Optional[str] = ..., node: _Optional[str] = ..., stream: _Optional[str] = ..., epoch: _Optional[bytes] = ...) -> None: ...

class OriginOffset(_message.Message):
    __slots__ = ("origin", "offset")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    origin: int
    offset: int
    def __init__(self, origin: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class Contribution(_message.Message):
    __slots__ = ("origin", "start", "first", "end", "gap_reason", "watermark_us", "closed")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    GAP_REASON_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_US_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    origin: int
    start: int
    first: int
    end: int
    gap_reason: str
    watermark_us: int
    closed: bool
    def __init__(self, origin: _Optional[int] = ..., start: _Optional[int] = ..., first: _Optional[int] = ..., end: _Optional[int] = ..., gap_reason: _Optional[str] = ..., watermark_us: _Optional[int] = ..., closed: _Optional[bool] = ...) -> None: ...

class KeyColumn(_message.Message):
    __slots__ = ("name", "dictionary", "codes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DICTIONARY_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    name: str
    dictionary: _containers.RepeatedScalarFieldContainer[str]
    codes: bytes
    def __init__(self, name: _Optional[str] = ..., dictionary: _Optional[_Iterable[str]] = ..., codes: _Optional[bytes] = ...) -> None: ...

class StateColumn(_message.Message):
    __slots__ = ("name", "kind", "parameters", "values", "lengths", "indexes")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    LENGTHS_FIELD_NUMBER: _ClassVar[int]
    INDEXES_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    parameters: _containers.ScalarMap[str, float]
    values: bytes
    lengths: bytes
    indexes: bytes
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., parameters: _Optional[_Mapping[str, float]] = ..., values: _Optional[bytes] = ..., lengths: _Optional[bytes] = ..., indexes: _Optional[bytes] = ...) -> None: ...

class StateTable(_message.Message):
    __slots__ = ("step", "pane_width_us", "rows", "pane_start_us", "keys", "states")
    STEP_FIELD_NUMBER: _ClassVar[int]
    PANE_WIDTH_US_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    PANE_START_US_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    step: str
    pane_width_us: int
    rows: int
    pane_start_us: bytes
    keys: _containers.RepeatedCompositeFieldContainer[KeyColumn]
    states: _containers.RepeatedCompositeFieldContainer[StateColumn]
    def __init__(self, step: _Optional[str] = ..., pane_width_us: _Optional[int] = ..., rows: _Optional[int] = ..., pane_start_us: _Optional[bytes] = ..., keys: _Optional[_Iterable[_Union[KeyColumn, _Mapping]]] = ..., states: _Optional[_Iterable[_Union[StateColumn, _Mapping]]] = ...) -> None: ...

class ReadingCount(_message.Message):
    __slots__ = ("stream", "step", "term", "reason", "readings")
    class Term(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        TERM_UNSPECIFIED: _ClassVar[ReadingCount.Term]
        TERM_DECODED: _ClassVar[ReadingCount.Term]
        TERM_COUNTED: _ClassVar[ReadingCount.Term]
        TERM_FILTERED: _ClassVar[ReadingCount.Term]
        TERM_DEAD: _ClassVar[ReadingCount.Term]
        TERM_TOO_LATE: _ClassVar[ReadingCount.Term]
    TERM_UNSPECIFIED: ReadingCount.Term
    TERM_DECODED: ReadingCount.Term
    TERM_COUNTED: ReadingCount.Term
    TERM_FILTERED: ReadingCount.Term
    TERM_DEAD: ReadingCount.Term
    TERM_TOO_LATE: ReadingCount.Term
    STREAM_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TERM_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    READINGS_FIELD_NUMBER: _ClassVar[int]
    stream: str
    step: str
    term: ReadingCount.Term
    reason: str
    readings: int
    def __init__(self, stream: _Optional[str] = ..., step: _Optional[str] = ..., term: _Optional[_Union[ReadingCount.Term, str]] = ..., reason: _Optional[str] = ..., readings: _Optional[int] = ...) -> None: ...
