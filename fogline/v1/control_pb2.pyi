from fogline.v1 import plan_pb2 as _plan_pb2
from fogline.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttachRequest(_message.Message):
    __slots__ = ("protocol", "child", "role", "nodes", "aggregators")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    CHILD_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    AGGREGATORS_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    child: str
    role: str
    nodes: _containers.RepeatedCompositeFieldContainer[NodeReport]
    aggregators: _containers.RepeatedCompositeFieldContainer[AggregatorReport]
    def __init__(self, protocol: _Optional[int] = ..., child: _Optional[str] = ..., role: _Optional[str] = ..., nodes: _Optional[_Iterable[_Union[NodeReport, _Mapping]]] = ..., aggregators: _Optional[_Iterable[_Union[AggregatorReport, _Mapping]]] = ...) -> None: ...

class AttachResponse(_message.Message):
    __slots__ = ("desired",)
    DESIRED_FIELD_NUMBER: _ClassVar[int]
    desired: DesiredState
    def __init__(self, desired: _Optional[_Union[DesiredState, _Mapping]] = ...) -> None: ...

class DesiredState(_message.Message):
    __slots__ = ("generation", "plans")
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    PLANS_FIELD_NUMBER: _ClassVar[int]
    generation: int
    plans: _containers.RepeatedCompositeFieldContainer[DesiredPlan]
    def __init__(self, generation: _Optional[int] = ..., plans: _Optional[_Iterable[_Union[DesiredPlan, _Mapping]]] = ...) -> None: ...

class DesiredPlan(_message.Message):
    __slots__ = ("id", "plan")
    ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    id: str
    plan: _plan_pb2.Plan
    def __init__(self, id: _Optional[str] = ..., plan: _Optional[_Union[_plan_pb2.Plan, _Mapping]] = ...) -> None: ...

class NodeReport(_message.Message):
    __slots__ = ("node", "parent", "at_us", "generation", "faults", "listener", "clients", "journals", "lanes", "journal_bytes", "journal_limit_bytes", "unrouted", "version", "dead_letters", "brokers")
    NODE_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    AT_US_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_FIELD_NUMBER: _ClassVar[int]
    JOURNALS_FIELD_NUMBER: _ClassVar[int]
    LANES_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    UNROUTED_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    BROKERS_FIELD_NUMBER: _ClassVar[int]
    node: str
    parent: str
    at_us: int
    generation: int
    faults: _containers.RepeatedScalarFieldContainer[str]
    listener: str
    clients: int
    journals: _containers.RepeatedCompositeFieldContainer[JournalReport]
    lanes: _containers.RepeatedCompositeFieldContainer[LaneReport]
    journal_bytes: int
    journal_limit_bytes: int
    unrouted: int
    version: str
    dead_letters: _containers.RepeatedCompositeFieldContainer[DeadLetter]
    brokers: _containers.RepeatedCompositeFieldContainer[BrokerReport]
    def __init__(self, node: _Optional[str] = ..., parent: _Optional[str] = ..., at_us: _Optional[int] = ..., generation: _Optional[int] = ..., faults: _Optional[_Iterable[str]] = ..., listener: _Optional[str] = ..., clients: _Optional[int] = ..., journals: _Optional[_Iterable[_Union[JournalReport, _Mapping]]] = ..., lanes: _Optional[_Iterable[_Union[LaneReport, _Mapping]]] = ..., journal_bytes: _Optional[int] = ..., journal_limit_bytes: _Optional[int] = ..., unrouted: _Optional[int] = ..., version: _Optional[str] = ..., dead_letters: _Optional[_Iterable[_Union[DeadLetter, _Mapping]]] = ..., brokers: _Optional[_Iterable[_Union[BrokerReport, _Mapping]]] = ...) -> None: ...

class BrokerReport(_message.Message):
    __slots__ = ("url", "client_id", "share", "connected", "fault", "messages", "reconnects", "sessions_lost", "dropped", "dropped_known", "warnings", "identity")
    URL_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    RECONNECTS_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_LOST_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_KNOWN_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    url: str
    client_id: str
    share: str
    connected: bool
    fault: str
    messages: int
    reconnects: int
    sessions_lost: int
    dropped: int
    dropped_known: bool
    warnings: _containers.RepeatedScalarFieldContainer[str]
    identity: str
    def __init__(self, url: _Optional[str] = ..., client_id: _Optional[str] = ..., share: _Optional[str] = ..., connected: _Optional[bool] = ..., fault: _Optional[str] = ..., messages: _Optional[int] = ..., reconnects: _Optional[int] = ..., sessions_lost: _Optional[int] = ..., dropped: _Optional[int] = ..., dropped_known: _Optional[bool] = ..., warnings: _Optional[_Iterable[str]] = ..., identity: _Optional[str] = ...) -> None: ...

class JournalReport(_message.Message):
    __slots__ = ("origin", "received", "journaled", "refused", "redelivered", "retained", "base", "closed")
    class RefusedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    JOURNALED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    REDELIVERED_FIELD_NUMBER: _ClassVar[int]
    RETAINED_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    origin: _types_pb2.Origin
    received: int
    journaled: int
    refused: _containers.ScalarMap[str, int]
    redelivered: int
    retained: int
    base: int
    closed: bool
    def __init__(self, origin: _Optional[_Union[_types_pb2.Origin, _Mapping]] = ..., received: _Optional[int] = ..., journaled: _Optional[int] = ..., refused: _Optional[_Mapping[str, int]] = ..., redelivered: _Optional[int] = ..., retained: _Optional[int] = ..., base: _Optional[int] = ..., closed: _Optional[bool] = ...) -> None: ...

class LaneReport(_message.Message):
    __slots__ = ("plan", "origin", "start", "committed", "pending", "gaps", "watermark_us")
    class GapsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    PLAN_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    GAPS_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_US_FIELD_NUMBER: _ClassVar[int]
    plan: str
    origin: _types_pb2.Origin
    start: int
    committed: int
    pending: int
    gaps: _containers.ScalarMap[str, int]
    watermark_us: int
    def __init__(self, plan: _Optional[str] = ..., origin: _Optional[_Union[_types_pb2.Origin, _Mapping]] = ..., start: _Optional[int] = ..., committed: _Optional[int] = ..., pending: _Optional[int] = ..., gaps: _Optional[_Mapping[str, int]] = ..., watermark_us: _Optional[int] = ...) -> None: ...

class DeadLetter(_message.Message):
    __slots__ = ("stream", "reason", "topic", "payload", "detail", "arrival_us")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    ARRIVAL_US_FIELD_NUMBER: _ClassVar[int]
    stream: str
    reason: str
    topic: str
    payload: bytes
    detail: str
    arrival_us: int
    def __init__(self, stream: _Optional[str] = ..., reason: _Optional[str] = ..., topic: _Optional[str] = ..., payload: _Optional[bytes] = ..., detail: _Optional[str] = ..., arrival_us: _Optional[int] = ...) -> None: ...

class AggregatorReport(_message.Message):
    __slots__ = ("aggregator", "parent", "at_us", "generation", "children", "parts_in", "parts_out", "held_bytes", "refusals", "version")
    AGGREGATOR_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    AT_US_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    PARTS_IN_FIELD_NUMBER: _ClassVar[int]
    PARTS_OUT_FIELD_NUMBER: _ClassVar[int]
    HELD_BYTES_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    aggregator: str
    parent: str
    at_us: int
    generation: int
    children: _containers.RepeatedScalarFieldContainer[str]
    parts_in: int
    parts_out: int
    held_bytes: int
    refusals: int
    version: str
    def __init__(self, aggregator: _Optional[str] = ..., parent: _Optional[str] = ..., at_us: _Optional[int] = ..., generation: _Optional[int] = ..., children: _Optional[_Iterable[str]] = ..., parts_in: _Optional[int] = ..., parts_out: _Optional[int] = ..., held_bytes: _Optional[int] = ..., refusals: _Optional[int] = ..., version: _Optional[str] = ...) -> None: ...
