from fogline.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PushRequest(_message.Message):
    __slots__ = ("hello", "lane_opened", "origin_name", "part")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    LANE_OPENED_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_NAME_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    lane_opened: LaneOpened
    origin_name: OriginName
    part: Part
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., lane_opened: _Optional[_Union[LaneOpened, _Mapping]] = ..., origin_name: _Optional[_Union[OriginName, _Mapping]] = ..., part: _Optional[_Union[Part, _Mapping]] = ...) -> None: ...

class PushResponse(_message.Message):
    __slots__ = ("welcome", "ack", "refusal", "credit", "lane_failed")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    LANE_FAILED_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    ack: Ack
    refusal: Refusal
    credit: Credit
    lane_failed: LaneFailed
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., ack: _Optional[_Union[Ack, _Mapping]] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ..., credit: _Optional[_Union[Credit, _Mapping]] = ..., lane_failed: _Optional[_Union[LaneFailed, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("protocol", "child")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    CHILD_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    child: str
    def __init__(self, protocol: _Optional[int] = ..., child: _Optional[str] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("protocol", "credit_bytes", "parent")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    CREDIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    credit_bytes: int
    parent: str
    def __init__(self, protocol: _Optional[int] = ..., credit_bytes: _Optional[int] = ..., parent: _Optional[str] = ...) -> None: ...

class LaneOpened(_message.Message):
    __slots__ = ("lane", "plan", "round")
    LANE_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    lane: int
    plan: str
    round: int
    def __init__(self, lane: _Optional[int] = ..., plan: _Optional[str] = ..., round: _Optional[int] = ...) -> None: ...

class OriginName(_message.Message):
    __slots__ = ("number", "origin")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    number: int
    origin: _types_pb2.Origin
    def __init__(self, number: _Optional[int] = ..., origin: _Optional[_Union[_types_pb2.Origin, _Mapping]] = ...) -> None: ...

class Part(_message.Message):
    __slots__ = ("lane", "round", "contributions", "tables", "counts")
    LANE_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    lane: int
    round: int
    contributions: _containers.RepeatedCompositeFieldContainer[_types_pb2.Contribution]
    tables: _containers.RepeatedCompositeFieldContainer[_types_pb2.StateTable]
    counts: _containers.RepeatedCompositeFieldContainer[_types_pb2.ReadingCount]
    def __init__(self, lane: _Optional[int] = ..., round: _Optional[int] = ..., contributions: _Optional[_Iterable[_Union[_types_pb2.Contribution, _Mapping]]] = ..., tables: _Optional[_Iterable[_Union[_types_pb2.StateTable, _Mapping]]] = ..., counts: _Optional[_Iterable[_Union[_types_pb2.ReadingCount, _Mapping]]] = ...) -> None: ...

class Ack(_message.Message):
    __slots__ = ("lane", "round", "offsets", "incarnation")
    LANE_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    OFFSETS_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    lane: int
    round: int
    offsets: _containers.RepeatedCompositeFieldContainer[_types_pb2.OriginOffset]
    incarnation: bytes
    def __init__(self, lane: _Optional[int] = ..., round: _Optional[int] = ..., offsets: _Optional[_Iterable[_Union[_types_pb2.OriginOffset, _Mapping]]] = ..., incarnation: _Optional[bytes] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("lane", "round", "offsets", "incarnation")
    LANE_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    OFFSETS_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    lane: int
    round: int
    offsets: _containers.RepeatedCompositeFieldContainer[_types_pb2.OriginOffset]
    incarnation: bytes
    def __init__(self, lane: _Optional[int] = ..., round: _Optional[int] = ..., offsets: _Optional[_Iterable[_Union[_types_pb2.OriginOffset, _Mapping]]] = ..., incarnation: _Optional[bytes] = ...) -> None: ...

class LaneFailed(_message.Message):
    __slots__ = ("lane", "round", "reason")
    LANE_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    lane: int
    round: int
    reason: str
    def __init__(self, lane: _Optional[int] = ..., round: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class Credit(_message.Message):
    __slots__ = ("bytes",)
    BYTES_FIELD_NUMBER: _ClassVar[int]
    bytes: int
    def __init__(self, bytes: _Optional[int] = ...) -> None: ...
