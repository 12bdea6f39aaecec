from fogline.v1 import control_pb2 as _control_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListContainersRequest(_message.Message):
    __slots__ = ("pipeline", "node", "page_size", "page_token")
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    node: str
    page_size: int
    page_token: str
    def __init__(self, pipeline: _Optional[str] = ..., node: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListContainersResponse(_message.Message):
    __slots__ = ("containers", "next_page_token")
    CONTAINERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    containers: _containers.RepeatedCompositeFieldContainer[ContainerInfo]
    next_page_token: str
    def __init__(self, containers: _Optional[_Iterable[_Union[ContainerInfo, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ContainerInfo(_message.Message):
    __slots__ = ("node", "node_alive", "pipeline", "container")
    NODE_FIELD_NUMBER: _ClassVar[int]
    NODE_ALIVE_FIELD_NUMBER: _ClassVar[int]
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    node: str
    node_alive: bool
    pipeline: str
    container: _control_pb2.ContainerReport
    def __init__(self, node: _Optional[str] = ..., node_alive: _Optional[bool] = ..., pipeline: _Optional[str] = ..., container: _Optional[_Union[_control_pb2.ContainerReport, _Mapping]] = ...) -> None: ...

class ListEventsRequest(_message.Message):
    __slots__ = ("pipeline", "node", "page_size", "page_token")
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    node: str
    page_size: int
    page_token: str
    def __init__(self, pipeline: _Optional[str] = ..., node: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListEventsResponse(_message.Message):
    __slots__ = ("events", "next_page_token")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[EventInfo]
    next_page_token: str
    def __init__(self, events: _Optional[_Iterable[_Union[EventInfo, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class EventInfo(_message.Message):
    __slots__ = ("node", "pipeline", "event")
    NODE_FIELD_NUMBER: _ClassVar[int]
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    node: str
    pipeline: str
    event: _control_pb2.ContainerEvent
    def __init__(self, node: _Optional[str] = ..., pipeline: _Optional[str] = ..., event: _Optional[_Union[_control_pb2.ContainerEvent, _Mapping]] = ...) -> None: ...

class GetLogsRequest(_message.Message):
    __slots__ = ("pipeline", "name", "node", "replica", "tail", "follow")
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    REPLICA_FIELD_NUMBER: _ClassVar[int]
    TAIL_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    name: str
    node: str
    replica: int
    tail: int
    follow: bool
    def __init__(self, pipeline: _Optional[str] = ..., name: _Optional[str] = ..., node: _Optional[str] = ..., replica: _Optional[int] = ..., tail: _Optional[int] = ..., follow: _Optional[bool] = ...) -> None: ...

class GetLogsResponse(_message.Message):
    __slots__ = ("node", "kind", "name", "replica", "channel", "data", "dropped", "fault")
    NODE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REPLICA_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    node: str
    kind: str
    name: str
    replica: int
    channel: int
    data: bytes
    dropped: int
    fault: str
    def __init__(self, node: _Optional[str] = ..., kind: _Optional[str] = ..., name: _Optional[str] = ..., replica: _Optional[int] = ..., channel: _Optional[int] = ..., data: _Optional[bytes] = ..., dropped: _Optional[int] = ..., fault: _Optional[str] = ...) -> None: ...

class ExecRequest(_message.Message):
    __slots__ = ("ask", "data", "end")
    ASK_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    ask: ExecAsk
    data: bytes
    end: bool
    def __init__(self, ask: _Optional[_Union[ExecAsk, _Mapping]] = ..., data: _Optional[bytes] = ..., end: _Optional[bool] = ...) -> None: ...

class ExecAsk(_message.Message):
    __slots__ = ("node", "name", "pipeline", "replica", "command")
    NODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    REPLICA_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    node: str
    name: str
    pipeline: str
    replica: int
    command: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, node: _Optional[str] = ..., name: _Optional[str] = ..., pipeline: _Optional[str] = ..., replica: _Optional[int] = ..., command: _Optional[_Iterable[str]] = ...) -> None: ...

class ExecResponse(_message.Message):
    __slots__ = ("channel", "data", "ended")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    channel: int
    data: bytes
    ended: ExecEnded
    def __init__(self, channel: _Optional[int] = ..., data: _Optional[bytes] = ..., ended: _Optional[_Union[ExecEnded, _Mapping]] = ...) -> None: ...

class ExecEnded(_message.Message):
    __slots__ = ("exit_code",)
    EXIT_CODE_FIELD_NUMBER: _ClassVar[int]
    exit_code: int
    def __init__(self, exit_code: _Optional[int] = ...) -> None: ...

class GetUsageRequest(_message.Message):
    __slots__ = ("node", "follow")
    NODE_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    node: str
    follow: bool
    def __init__(self, node: _Optional[str] = ..., follow: _Optional[bool] = ...) -> None: ...

class GetUsageResponse(_message.Message):
    __slots__ = ("nodes",)
    NODES_FIELD_NUMBER: _ClassVar[int]
    nodes: _containers.RepeatedCompositeFieldContainer[NodeUsage]
    def __init__(self, nodes: _Optional[_Iterable[_Union[NodeUsage, _Mapping]]] = ...) -> None: ...

class NodeUsage(_message.Message):
    __slots__ = ("node", "at_us", "capacity", "containers")
    NODE_FIELD_NUMBER: _ClassVar[int]
    AT_US_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    CONTAINERS_FIELD_NUMBER: _ClassVar[int]
    node: str
    at_us: int
    capacity: _control_pb2.Capacity
    containers: _containers.RepeatedCompositeFieldContainer[ContainerInfo]
    def __init__(self, node: _Optional[str] = ..., at_us: _Optional[int] = ..., capacity: _Optional[_Union[_control_pb2.Capacity, _Mapping]] = ..., containers: _Optional[_Iterable[_Union[ContainerInfo, _Mapping]]] = ...) -> None: ...
