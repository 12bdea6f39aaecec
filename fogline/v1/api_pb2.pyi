from fogline.v1 import control_pb2 as _control_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WindowStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WINDOW_STATUS_UNSPECIFIED: _ClassVar[WindowStatus]
    WINDOW_STATUS_OPEN: _ClassVar[WindowStatus]
    WINDOW_STATUS_COMPLETE: _ClassVar[WindowStatus]
    WINDOW_STATUS_PARTIAL: _ClassVar[WindowStatus]
    WINDOW_STATUS_REVISED: _ClassVar[WindowStatus]
WINDOW_STATUS_UNSPECIFIED: WindowStatus
WINDOW_STATUS_OPEN: WindowStatus
WINDOW_STATUS_COMPLETE: WindowStatus
WINDOW_STATUS_PARTIAL: WindowStatus
WINDOW_STATUS_REVISED: WindowStatus

class DeployRequest(_message.Message):
    __slots__ = ("spec", "file")
    SPEC_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    spec: str
    file: str
    def __init__(self, spec: _Optional[str] = ..., file: _Optional[str] = ...) -> None: ...

class DeployResponse(_message.Message):
    __slots__ = ("pipeline", "plan", "generation", "changed", "release")
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    plan: str
    generation: int
    changed: bool
    release: int
    def __init__(self, pipeline: _Optional[str] = ..., plan: _Optional[str] = ..., generation: _Optional[int] = ..., changed: _Optional[bool] = ..., release: _Optional[int] = ...) -> None: ...

class SpecFaults(_message.Message):
    __slots__ = ("faults",)
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    faults: _containers.RepeatedCompositeFieldContainer[SpecFault]
    def __init__(self, faults: _Optional[_Iterable[_Union[SpecFault, _Mapping]]] = ...) -> None: ...

class SpecFault(_message.Message):
    __slots__ = ("line", "column", "path", "message", "hint")
    LINE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    line: int
    column: int
    path: str
    message: str
    hint: str
    def __init__(self, line: _Optional[int] = ..., column: _Optional[int] = ..., path: _Optional[str] = ..., message: _Optional[str] = ..., hint: _Optional[str] = ...) -> None: ...

class ListPipelinesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPipelinesResponse(_message.Message):
    __slots__ = ("pipelines", "next_page_token")
    PIPELINES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    pipelines: _containers.RepeatedCompositeFieldContainer[PipelineInfo]
    next_page_token: str
    def __init__(self, pipelines: _Optional[_Iterable[_Union[PipelineInfo, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetPipelineRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetPipelineResponse(_message.Message):
    __slots__ = ("pipeline", "spec")
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    pipeline: PipelineInfo
    spec: str
    def __init__(self, pipeline: _Optional[_Union[PipelineInfo, _Mapping]] = ..., spec: _Optional[str] = ...) -> None: ...

class ListReleasesRequest(_message.Message):
    __slots__ = ("name", "page_size", "page_token")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    page_size: int
    page_token: str
    def __init__(self, name: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListReleasesResponse(_message.Message):
    __slots__ = ("releases", "next_page_token")
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    releases: _containers.RepeatedCompositeFieldContainer[PastRelease]
    next_page_token: str
    def __init__(self, releases: _Optional[_Iterable[_Union[PastRelease, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class PastRelease(_message.Message):
    __slots__ = ("plan", "stage", "newest", "release")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    plan: str
    stage: str
    newest: bool
    release: ReleaseInfo
    def __init__(self, plan: _Optional[str] = ..., stage: _Optional[str] = ..., newest: _Optional[bool] = ..., release: _Optional[_Union[ReleaseInfo, _Mapping]] = ...) -> None: ...

class RollbackRequest(_message.Message):
    __slots__ = ("name", "to")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    name: str
    to: str
    def __init__(self, name: _Optional[str] = ..., to: _Optional[str] = ...) -> None: ...

class RollbackResponse(_message.Message):
    __slots__ = ("deployed",)
    DEPLOYED_FIELD_NUMBER: _ClassVar[int]
    deployed: DeployResponse
    def __init__(self, deployed: _Optional[_Union[DeployResponse, _Mapping]] = ...) -> None: ...

class ListStreamsRequest(_message.Message):
    __slots__ = ("pipeline", "page_size", "page_token")
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    page_size: int
    page_token: str
    def __init__(self, pipeline: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListStreamsResponse(_message.Message):
    __slots__ = ("streams", "next_page_token")
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    streams: _containers.RepeatedCompositeFieldContainer[StreamInfo]
    next_page_token: str
    def __init__(self, streams: _Optional[_Iterable[_Union[StreamInfo, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class StreamInfo(_message.Message):
    __slots__ = ("pipeline", "name", "topic", "format", "time", "labels", "fields", "journaled", "pending", "nodes")
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    JOURNALED_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    name: str
    topic: str
    format: str
    time: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    fields: _containers.RepeatedScalarFieldContainer[str]
    journaled: int
    pending: int
    nodes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, pipeline: _Optional[str] = ..., name: _Optional[str] = ..., topic: _Optional[str] = ..., format: _Optional[str] = ..., time: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ..., fields: _Optional[_Iterable[str]] = ..., journaled: _Optional[int] = ..., pending: _Optional[int] = ..., nodes: _Optional[_Iterable[str]] = ...) -> None: ...

class ListNodesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListNodesResponse(_message.Message):
    __slots__ = ("nodes", "next_page_token")
    NODES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    nodes: _containers.RepeatedCompositeFieldContainer[NodeStatus]
    next_page_token: str
    def __init__(self, nodes: _Optional[_Iterable[_Union[NodeStatus, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetNodeRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetNodeResponse(_message.Message):
    __slots__ = ("node",)
    NODE_FIELD_NUMBER: _ClassVar[int]
    node: NodeStatus
    def __init__(self, node: _Optional[_Union[NodeStatus, _Mapping]] = ...) -> None: ...

class RetireNodeRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class RetireNodeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PipelineInfo(_message.Message):
    __slots__ = ("name", "plan", "deployed_us", "running", "steps", "release")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    DEPLOYED_US_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    name: str
    plan: str
    deployed_us: int
    running: _containers.RepeatedScalarFieldContainer[str]
    steps: _containers.RepeatedScalarFieldContainer[str]
    release: ReleaseInfo
    def __init__(self, name: _Optional[str] = ..., plan: _Optional[str] = ..., deployed_us: _Optional[int] = ..., running: _Optional[_Iterable[str]] = ..., steps: _Optional[_Iterable[str]] = ..., release: _Optional[_Union[ReleaseInfo, _Mapping]] = ...) -> None: ...

class ReleaseInfo(_message.Message):
    __slots__ = ("number", "deployed_us", "operators", "services")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DEPLOYED_US_FIELD_NUMBER: _ClassVar[int]
    OPERATORS_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    number: int
    deployed_us: int
    operators: _containers.RepeatedCompositeFieldContainer[_control_pb2.OperatorRelease]
    services: _containers.RepeatedCompositeFieldContainer[_control_pb2.ServiceRelease]
    def __init__(self, number: _Optional[int] = ..., deployed_us: _Optional[int] = ..., operators: _Optional[_Iterable[_Union[_control_pb2.OperatorRelease, _Mapping]]] = ..., services: _Optional[_Iterable[_Union[_control_pb2.ServiceRelease, _Mapping]]] = ...) -> None: ...

class GetResultsRequest(_message.Message):
    __slots__ = ("pipeline", "since_us", "until_us", "follow", "step", "resume_token")
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    SINCE_US_FIELD_NUMBER: _ClassVar[int]
    UNTIL_US_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    since_us: int
    until_us: int
    follow: bool
    step: str
    resume_token: str
    def __init__(self, pipeline: _Optional[str] = ..., since_us: _Optional[int] = ..., until_us: _Optional[int] = ..., follow: _Optional[bool] = ..., step: _Optional[str] = ..., resume_token: _Optional[str] = ...) -> None: ...

class GetResultsResponse(_message.Message):
    __slots__ = ("results", "resume_token")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[Result]
    resume_token: str
    def __init__(self, results: _Optional[_Iterable[_Union[Result, _Mapping]]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class ListResultsRequest(_message.Message):
    __slots__ = ("pipeline", "since_us", "until_us", "step", "page_size", "page_token")
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    SINCE_US_FIELD_NUMBER: _ClassVar[int]
    UNTIL_US_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    since_us: int
    until_us: int
    step: str
    page_size: int
    page_token: str
    def __init__(self, pipeline: _Optional[str] = ..., since_us: _Optional[int] = ..., until_us: _Optional[int] = ..., step: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListResultsResponse(_message.Message):
    __slots__ = ("results", "next_page_token")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[Result]
    next_page_token: str
    def __init__(self, results: _Optional[_Iterable[_Union[Result, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetLatestRequest(_message.Message):
    __slots__ = ("pipeline", "step", "windows", "keys")
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    step: str
    windows: int
    keys: int
    def __init__(self, pipeline: _Optional[str] = ..., step: _Optional[str] = ..., windows: _Optional[int] = ..., keys: _Optional[int] = ...) -> None: ...

class GetLatestResponse(_message.Message):
    __slots__ = ("windows", "results")
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    windows: _containers.RepeatedCompositeFieldContainer[WindowInfo]
    results: _containers.RepeatedCompositeFieldContainer[Result]
    def __init__(self, windows: _Optional[_Iterable[_Union[WindowInfo, _Mapping]]] = ..., results: _Optional[_Iterable[_Union[Result, _Mapping]]] = ...) -> None: ...

class WindowInfo(_message.Message):
    __slots__ = ("start_us", "end_us", "status", "have", "expected", "missing", "revision", "keys", "readings")
    START_US_FIELD_NUMBER: _ClassVar[int]
    END_US_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    HAVE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    READINGS_FIELD_NUMBER: _ClassVar[int]
    start_us: int
    end_us: int
    status: WindowStatus
    have: int
    expected: int
    missing: _containers.RepeatedScalarFieldContainer[str]
    revision: int
    keys: int
    readings: int
    def __init__(self, start_us: _Optional[int] = ..., end_us: _Optional[int] = ..., status: _Optional[_Union[WindowStatus, str]] = ..., have: _Optional[int] = ..., expected: _Optional[int] = ..., missing: _Optional[_Iterable[str]] = ..., revision: _Optional[int] = ..., keys: _Optional[int] = ..., readings: _Optional[int] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("pipeline", "step", "window_start_us", "window_end_us", "key", "values", "status", "have", "expected", "missing", "revision", "change", "readings")
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    WINDOW_START_US_FIELD_NUMBER: _ClassVar[int]
    WINDOW_END_US_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    HAVE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    READINGS_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    step: str
    window_start_us: int
    window_end_us: int
    key: _containers.RepeatedCompositeFieldContainer[KeyValue]
    values: _containers.RepeatedCompositeFieldContainer[NamedValue]
    status: WindowStatus
    have: int
    expected: int
    missing: _containers.RepeatedScalarFieldContainer[str]
    revision: int
    change: int
    readings: int
    def __init__(self, pipeline: _Optional[str] = ..., step: _Optional[str] = ..., window_start_us: _Optional[int] = ..., window_end_us: _Optional[int] = ..., key: _Optional[_Iterable[_Union[KeyValue, _Mapping]]] = ..., values: _Optional[_Iterable[_Union[NamedValue, _Mapping]]] = ..., status: _Optional[_Union[WindowStatus, str]] = ..., have: _Optional[int] = ..., expected: _Optional[int] = ..., missing: _Optional[_Iterable[str]] = ..., revision: _Optional[int] = ..., change: _Optional[int] = ..., readings: _Optional[int] = ...) -> None: ...

class KeyValue(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class NamedValue(_message.Message):
    __slots__ = ("name", "int_value", "float_value", "text_value", "bool_value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    INT_VALUE_FIELD_NUMBER: _ClassVar[int]
    FLOAT_VALUE_FIELD_NUMBER: _ClassVar[int]
    TEXT_VALUE_FIELD_NUMBER: _ClassVar[int]
    BOOL_VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    int_value: int
    float_value: float
    text_value: str
    bool_value: bool
    def __init__(self, name: _Optional[str] = ..., int_value: _Optional[int] = ..., float_value: _Optional[float] = ..., text_value: _Optional[str] = ..., bool_value: _Optional[bool] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("version", "at_us", "generation", "nodes", "aggregators", "pipelines", "readings", "incarnation", "commits", "store", "figures")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AT_US_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    AGGREGATORS_FIELD_NUMBER: _ClassVar[int]
    PIPELINES_FIELD_NUMBER: _ClassVar[int]
    READINGS_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    COMMITS_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    version: str
    at_us: int
    generation: int
    nodes: _containers.RepeatedCompositeFieldContainer[NodeStatus]
    aggregators: _containers.RepeatedCompositeFieldContainer[AggregatorStatus]
    pipelines: _containers.RepeatedCompositeFieldContainer[PipelineInfo]
    readings: int
    incarnation: bytes
    commits: CommitCounts
    store: str
    figures: _containers.RepeatedCompositeFieldContainer[_control_pb2.Figure]
    def __init__(self, version: _Optional[str] = ..., at_us: _Optional[int] = ..., generation: _Optional[int] = ..., nodes: _Optional[_Iterable[_Union[NodeStatus, _Mapping]]] = ..., aggregators: _Optional[_Iterable[_Union[AggregatorStatus, _Mapping]]] = ..., pipelines: _Optional[_Iterable[_Union[PipelineInfo, _Mapping]]] = ..., readings: _Optional[int] = ..., incarnation: _Optional[bytes] = ..., commits: _Optional[_Union[CommitCounts, _Mapping]] = ..., store: _Optional[str] = ..., figures: _Optional[_Iterable[_Union[_control_pb2.Figure, _Mapping]]] = ...) -> None: ...

class CommitCounts(_message.Message):
    __slots__ = ("transactions", "parts", "contributions", "refusals", "failures")
    TRANSACTIONS_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    transactions: int
    parts: int
    contributions: int
    refusals: int
    failures: int
    def __init__(self, transactions: _Optional[int] = ..., parts: _Optional[int] = ..., contributions: _Optional[int] = ..., refusals: _Optional[int] = ..., failures: _Optional[int] = ...) -> None: ...

class NodeStatus(_message.Message):
    __slots__ = ("report", "seen_us", "alive")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    SEEN_US_FIELD_NUMBER: _ClassVar[int]
    ALIVE_FIELD_NUMBER: _ClassVar[int]
    report: _control_pb2.NodeReport
    seen_us: int
    alive: bool
    def __init__(self, report: _Optional[_Union[_control_pb2.NodeReport, _Mapping]] = ..., seen_us: _Optional[int] = ..., alive: _Optional[bool] = ...) -> None: ...

class AggregatorStatus(_message.Message):
    __slots__ = ("report", "seen_us", "alive")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    SEEN_US_FIELD_NUMBER: _ClassVar[int]
    ALIVE_FIELD_NUMBER: _ClassVar[int]
    report: _control_pb2.AggregatorReport
    seen_us: int
    alive: bool
    def __init__(self, report: _Optional[_Union[_control_pb2.AggregatorReport, _Mapping]] = ..., seen_us: _Optional[int] = ..., alive: _Optional[bool] = ...) -> None: ...

class GetLedgerRequest(_message.Message):
    __slots__ = ("pipeline",)
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    def __init__(self, pipeline: _Optional[str] = ...) -> None: ...

class GetLedgerResponse(_message.Message):
    __slots__ = ("streams", "brokers")
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    BROKERS_FIELD_NUMBER: _ClassVar[int]
    streams: _containers.RepeatedCompositeFieldContainer[StreamLedger]
    brokers: _containers.RepeatedCompositeFieldContainer[BrokerLedger]
    def __init__(self, streams: _Optional[_Iterable[_Union[StreamLedger, _Mapping]]] = ..., brokers: _Optional[_Iterable[_Union[BrokerLedger, _Mapping]]] = ...) -> None: ...

class BrokerLedger(_message.Message):
    __slots__ = ("node", "url", "dropped", "known")
    NODE_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    node: str
    url: str
    dropped: int
    known: bool
    def __init__(self, node: _Optional[str] = ..., url: _Optional[str] = ..., dropped: _Optional[int] = ..., known: _Optional[bool] = ...) -> None: ...

class StreamLedger(_message.Message):
    __slots__ = ("pipeline", "plan", "stream", "received", "journaled", "refused", "before_start", "committed", "pending", "gap", "redelivered", "retained", "steps", "adds_up", "differences")
    class RefusedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class GapEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    PIPELINE_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    JOURNALED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    BEFORE_START_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    REDELIVERED_FIELD_NUMBER: _ClassVar[int]
    RETAINED_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    ADDS_UP_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    pipeline: str
    plan: str
    stream: str
    received: int
    journaled: int
    refused: _containers.ScalarMap[str, int]
    before_start: int
    committed: int
    pending: int
    gap: _containers.ScalarMap[str, int]
    redelivered: int
    retained: int
    steps: _containers.RepeatedCompositeFieldContainer[StepLedger]
    adds_up: bool
    differences: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, pipeline: _Optional[str] = ..., plan: _Optional[str] = ..., stream: _Optional[str] = ..., received: _Optional[int] = ..., journaled: _Optional[int] = ..., refused: _Optional[_Mapping[str, int]] = ..., before_start: _Optional[int] = ..., committed: _Optional[int] = ..., pending: _Optional[int] = ..., gap: _Optional[_Mapping[str, int]] = ..., redelivered: _Optional[int] = ..., retained: _Optional[int] = ..., steps: _Optional[_Iterable[_Union[StepLedger, _Mapping]]] = ..., adds_up: _Optional[bool] = ..., differences: _Optional[_Iterable[str]] = ...) -> None: ...

class StepLedger(_message.Message):
    __slots__ = ("step", "decoded", "counted", "filtered", "dead", "too_late", "made")
    class DeadEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class TooLateEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    STEP_FIELD_NUMBER: _ClassVar[int]
    DECODED_FIELD_NUMBER: _ClassVar[int]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    FILTERED_FIELD_NUMBER: _ClassVar[int]
    DEAD_FIELD_NUMBER: _ClassVar[int]
    TOO_LATE_FIELD_NUMBER: _ClassVar[int]
    MADE_FIELD_NUMBER: _ClassVar[int]
    step: str
    decoded: int
    counted: int
    filtered: int
    dead: _containers.ScalarMap[str, int]
    too_late: _containers.ScalarMap[str, int]
    made: int
    def __init__(self, step: _Optional[str] = ..., decoded: _Optional[int] = ..., counted: _Optional[int] = ..., filtered: _Optional[int] = ..., dead: _Optional[_Mapping[str, int]] = ..., too_late: _Optional[_Mapping[str, int]] = ..., made: _Optional[int] = ...) -> None: ...
