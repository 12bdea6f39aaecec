from fogline.v1 import plan_pb2 as _plan_pb2
from fogline.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttachRequest(_message.Message):
    __slots__ = ("protocol", "child", "role", "nodes", "aggregators", "output", "unchanged", "sums", "left", "looked")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    CHILD_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    AGGREGATORS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    SUMS_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    LOOKED_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    child: str
    role: str
    nodes: _containers.RepeatedCompositeFieldContainer[NodeReport]
    aggregators: _containers.RepeatedCompositeFieldContainer[AggregatorReport]
    output: _containers.RepeatedCompositeFieldContainer[SessionOutput]
    unchanged: _containers.RepeatedCompositeFieldContainer[Unchanged]
    sums: GroupSums
    left: _containers.RepeatedScalarFieldContainer[str]
    looked: int
    def __init__(self, protocol: _Optional[int] = ..., child: _Optional[str] = ..., role: _Optional[str] = ..., nodes: _Optional[_Iterable[_Union[NodeReport, _Mapping]]] = ..., aggregators: _Optional[_Iterable[_Union[AggregatorReport, _Mapping]]] = ..., output: _Optional[_Iterable[_Union[SessionOutput, _Mapping]]] = ..., unchanged: _Optional[_Iterable[_Union[Unchanged, _Mapping]]] = ..., sums: _Optional[_Union[GroupSums, _Mapping]] = ..., left: _Optional[_Iterable[str]] = ..., looked: _Optional[int] = ...) -> None: ...

class GroupSums(_message.Message):
    __slots__ = ("whole", "nodes", "names", "figures")
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    whole: bool
    nodes: int
    names: int
    figures: _containers.RepeatedCompositeFieldContainer[Figure]
    def __init__(self, whole: _Optional[bool] = ..., nodes: _Optional[int] = ..., names: _Optional[int] = ..., figures: _Optional[_Iterable[_Union[Figure, _Mapping]]] = ...) -> None: ...

class Figure(_message.Message):
    __slots__ = ("of", "plan", "name", "reason", "total", "most", "nodes")
    OF_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    MOST_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    of: str
    plan: str
    name: str
    reason: str
    total: int
    most: int
    nodes: int
    def __init__(self, of: _Optional[str] = ..., plan: _Optional[str] = ..., name: _Optional[str] = ..., reason: _Optional[str] = ..., total: _Optional[int] = ..., most: _Optional[int] = ..., nodes: _Optional[int] = ...) -> None: ...

class Unchanged(_message.Message):
    __slots__ = ("node", "at_us")
    NODE_FIELD_NUMBER: _ClassVar[int]
    AT_US_FIELD_NUMBER: _ClassVar[int]
    node: str
    at_us: int
    def __init__(self, node: _Optional[str] = ..., at_us: _Optional[int] = ...) -> None: ...

class AttachResponse(_message.Message):
    __slots__ = ("desired", "signed", "keys", "assignments", "input", "takes_unchanged", "protocol", "takes_sums", "look")
    DESIRED_FIELD_NUMBER: _ClassVar[int]
    SIGNED_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENTS_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    TAKES_UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    TAKES_SUMS_FIELD_NUMBER: _ClassVar[int]
    LOOK_FIELD_NUMBER: _ClassVar[int]
    desired: DesiredState
    signed: SignedState
    keys: _containers.RepeatedCompositeFieldContainer[SigningKey]
    assignments: SignedAssignments
    input: _containers.RepeatedCompositeFieldContainer[SessionInput]
    takes_unchanged: bool
    protocol: int
    takes_sums: bool
    look: Look
    def __init__(self, desired: _Optional[_Union[DesiredState, _Mapping]] = ..., signed: _Optional[_Union[SignedState, _Mapping]] = ..., keys: _Optional[_Iterable[_Union[SigningKey, _Mapping]]] = ..., assignments: _Optional[_Union[SignedAssignments, _Mapping]] = ..., input: _Optional[_Iterable[_Union[SessionInput, _Mapping]]] = ..., takes_unchanged: _Optional[bool] = ..., protocol: _Optional[int] = ..., takes_sums: _Optional[bool] = ..., look: _Optional[_Union[Look, _Mapping]] = ...) -> None: ...

class Look(_message.Message):
    __slots__ = ("number", "nodes")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    number: int
    nodes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, number: _Optional[int] = ..., nodes: _Optional[_Iterable[str]] = ...) -> None: ...

class SignedState(_message.Message):
    __slots__ = ("content", "key", "signature")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    key: int
    signature: bytes
    def __init__(self, content: _Optional[bytes] = ..., key: _Optional[int] = ..., signature: _Optional[bytes] = ...) -> None: ...

class SigningKey(_message.Message):
    __slots__ = ("version", "public_key", "signature")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    version: int
    public_key: bytes
    signature: bytes
    def __init__(self, version: _Optional[int] = ..., public_key: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class SignedAssignments(_message.Message):
    __slots__ = ("content", "signature", "certificates")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    signature: bytes
    certificates: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, content: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., certificates: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Assignments(_message.Message):
    __slots__ = ("aggregator", "generation", "term", "sequence", "assignments")
    AGGREGATOR_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    TERM_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENTS_FIELD_NUMBER: _ClassVar[int]
    aggregator: str
    generation: int
    term: int
    sequence: int
    assignments: _containers.RepeatedCompositeFieldContainer[Assignment]
    def __init__(self, aggregator: _Optional[str] = ..., generation: _Optional[int] = ..., term: _Optional[int] = ..., sequence: _Optional[int] = ..., assignments: _Optional[_Iterable[_Union[Assignment, _Mapping]]] = ...) -> None: ...

class Assignment(_message.Message):
    __slots__ = ("node", "plan", "step", "replicas", "cpu_millis", "memory_bytes")
    NODE_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    REPLICAS_FIELD_NUMBER: _ClassVar[int]
    CPU_MILLIS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    node: str
    plan: str
    step: str
    replicas: int
    cpu_millis: int
    memory_bytes: int
    def __init__(self, node: _Optional[str] = ..., plan: _Optional[str] = ..., step: _Optional[str] = ..., replicas: _Optional[int] = ..., cpu_millis: _Optional[int] = ..., memory_bytes: _Optional[int] = ...) -> None: ...

class DesiredState(_message.Message):
    __slots__ = ("generation", "plans", "grants", "deposed")
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    PLANS_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    DEPOSED_FIELD_NUMBER: _ClassVar[int]
    generation: int
    plans: _containers.RepeatedCompositeFieldContainer[DesiredPlan]
    grants: _containers.RepeatedCompositeFieldContainer[Grant]
    deposed: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, generation: _Optional[int] = ..., plans: _Optional[_Iterable[_Union[DesiredPlan, _Mapping]]] = ..., grants: _Optional[_Iterable[_Union[Grant, _Mapping]]] = ..., deposed: _Optional[_Iterable[str]] = ...) -> None: ...

class Grant(_message.Message):
    __slots__ = ("plan", "release", "operators", "services", "nodes", "aggregators", "term")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    OPERATORS_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    AGGREGATORS_FIELD_NUMBER: _ClassVar[int]
    TERM_FIELD_NUMBER: _ClassVar[int]
    plan: str
    release: int
    operators: _containers.RepeatedCompositeFieldContainer[OperatorRelease]
    services: _containers.RepeatedCompositeFieldContainer[ServiceRelease]
    nodes: _containers.RepeatedScalarFieldContainer[str]
    aggregators: _containers.RepeatedScalarFieldContainer[str]
    term: int
    def __init__(self, plan: _Optional[str] = ..., release: _Optional[int] = ..., operators: _Optional[_Iterable[_Union[OperatorRelease, _Mapping]]] = ..., services: _Optional[_Iterable[_Union[ServiceRelease, _Mapping]]] = ..., nodes: _Optional[_Iterable[str]] = ..., aggregators: _Optional[_Iterable[str]] = ..., term: _Optional[int] = ...) -> None: ...

class Resources(_message.Message):
    __slots__ = ("cpu_millis", "memory_bytes", "pids", "tmp_bytes")
    CPU_MILLIS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    PIDS_FIELD_NUMBER: _ClassVar[int]
    TMP_BYTES_FIELD_NUMBER: _ClassVar[int]
    cpu_millis: int
    memory_bytes: int
    pids: int
    tmp_bytes: int
    def __init__(self, cpu_millis: _Optional[int] = ..., memory_bytes: _Optional[int] = ..., pids: _Optional[int] = ..., tmp_bytes: _Optional[int] = ...) -> None: ...

class OperatorRelease(_message.Message):
    __slots__ = ("step", "image", "resources", "min_replicas", "max_replicas", "timeout_us", "environment", "runtime")
    class EnvironmentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    STEP_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    MIN_REPLICAS_FIELD_NUMBER: _ClassVar[int]
    MAX_REPLICAS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_US_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_FIELD_NUMBER: _ClassVar[int]
    step: str
    image: str
    resources: Resources
    min_replicas: int
    max_replicas: int
    timeout_us: int
    environment: _containers.ScalarMap[str, str]
    runtime: str
    def __init__(self, step: _Optional[str] = ..., image: _Optional[str] = ..., resources: _Optional[_Union[Resources, _Mapping]] = ..., min_replicas: _Optional[int] = ..., max_replicas: _Optional[int] = ..., timeout_us: _Optional[int] = ..., environment: _Optional[_Mapping[str, str]] = ..., runtime: _Optional[str] = ...) -> None: ...

class ServiceRelease(_message.Message):
    __slots__ = ("name", "image", "resources", "command", "environment", "networks", "ports", "volumes", "on")
    class EnvironmentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    PORTS_FIELD_NUMBER: _ClassVar[int]
    VOLUMES_FIELD_NUMBER: _ClassVar[int]
    ON_FIELD_NUMBER: _ClassVar[int]
    name: str
    image: str
    resources: Resources
    command: _containers.RepeatedScalarFieldContainer[str]
    environment: _containers.ScalarMap[str, str]
    networks: _containers.RepeatedScalarFieldContainer[str]
    ports: _containers.RepeatedScalarFieldContainer[str]
    volumes: _containers.RepeatedScalarFieldContainer[str]
    on: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., image: _Optional[str] = ..., resources: _Optional[_Union[Resources, _Mapping]] = ..., command: _Optional[_Iterable[str]] = ..., environment: _Optional[_Mapping[str, str]] = ..., networks: _Optional[_Iterable[str]] = ..., ports: _Optional[_Iterable[str]] = ..., volumes: _Optional[_Iterable[str]] = ..., on: _Optional[_Iterable[str]] = ...) -> None: ...

class DesiredPlan(_message.Message):
    __slots__ = ("id", "plan")
    ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    id: str
    plan: _plan_pb2.Plan
    def __init__(self, id: _Optional[str] = ..., plan: _Optional[_Union[_plan_pb2.Plan, _Mapping]] = ...) -> None: ...

class NodeReport(_message.Message):
    __slots__ = ("node", "parent", "at_us", "generation", "faults", "listener", "clients", "journals", "lanes", "journal_bytes", "journal_limit_bytes", "unrouted", "version", "dead_letters", "brokers", "capacity", "containers", "events", "steps", "certificate", "certificate_until_us", "term", "sequence", "known_keys", "contested", "instance")
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
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    CONTAINERS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_UNTIL_US_FIELD_NUMBER: _ClassVar[int]
    TERM_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    KNOWN_KEYS_FIELD_NUMBER: _ClassVar[int]
    CONTESTED_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
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
    capacity: Capacity
    containers: _containers.RepeatedCompositeFieldContainer[ContainerReport]
    events: _containers.RepeatedCompositeFieldContainer[ContainerEvent]
    steps: _containers.RepeatedCompositeFieldContainer[StepReport]
    certificate: str
    certificate_until_us: int
    term: int
    sequence: int
    known_keys: _containers.RepeatedCompositeFieldContainer[SigningKey]
    contested: int
    instance: str
    def __init__(self, node: _Optional[str] = ..., parent: _Optional[str] = ..., at_us: _Optional[int] = ..., generation: _Optional[int] = ..., faults: _Optional[_Iterable[str]] = ..., listener: _Optional[str] = ..., clients: _Optional[int] = ..., journals: _Optional[_Iterable[_Union[JournalReport, _Mapping]]] = ..., lanes: _Optional[_Iterable[_Union[LaneReport, _Mapping]]] = ..., journal_bytes: _Optional[int] = ..., journal_limit_bytes: _Optional[int] = ..., unrouted: _Optional[int] = ..., version: _Optional[str] = ..., dead_letters: _Optional[_Iterable[_Union[DeadLetter, _Mapping]]] = ..., brokers: _Optional[_Iterable[_Union[BrokerReport, _Mapping]]] = ..., capacity: _Optional[_Union[Capacity, _Mapping]] = ..., containers: _Optional[_Iterable[_Union[ContainerReport, _Mapping]]] = ..., events: _Optional[_Iterable[_Union[ContainerEvent, _Mapping]]] = ..., steps: _Optional[_Iterable[_Union[StepReport, _Mapping]]] = ..., certificate: _Optional[str] = ..., certificate_until_us: _Optional[int] = ..., term: _Optional[int] = ..., sequence: _Optional[int] = ..., known_keys: _Optional[_Iterable[_Union[SigningKey, _Mapping]]] = ..., contested: _Optional[int] = ..., instance: _Optional[str] = ...) -> None: ...

class Capacity(_message.Message):
    __slots__ = ("arch", "cpu_millis", "memory_bytes", "disk_bytes", "disk_free_bytes", "runtimes", "labels", "boot_id", "clock_synchronised")
    ARCH_FIELD_NUMBER: _ClassVar[int]
    CPU_MILLIS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    DISK_BYTES_FIELD_NUMBER: _ClassVar[int]
    DISK_FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    RUNTIMES_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    BOOT_ID_FIELD_NUMBER: _ClassVar[int]
    CLOCK_SYNCHRONISED_FIELD_NUMBER: _ClassVar[int]
    arch: str
    cpu_millis: int
    memory_bytes: int
    disk_bytes: int
    disk_free_bytes: int
    runtimes: _containers.RepeatedScalarFieldContainer[str]
    labels: _containers.RepeatedScalarFieldContainer[str]
    boot_id: str
    clock_synchronised: bool
    def __init__(self, arch: _Optional[str] = ..., cpu_millis: _Optional[int] = ..., memory_bytes: _Optional[int] = ..., disk_bytes: _Optional[int] = ..., disk_free_bytes: _Optional[int] = ..., runtimes: _Optional[_Iterable[str]] = ..., labels: _Optional[_Iterable[str]] = ..., boot_id: _Optional[str] = ..., clock_synchronised: _Optional[bool] = ...) -> None: ...

class ContainerReport(_message.Message):
    __slots__ = ("kind", "plan", "name", "replica", "id", "runtime", "image", "state", "fault", "restarts", "since_us", "cpu_us", "memory_bytes", "throttled_us")
    KIND_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REPLICA_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    SINCE_US_FIELD_NUMBER: _ClassVar[int]
    CPU_US_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    THROTTLED_US_FIELD_NUMBER: _ClassVar[int]
    kind: str
    plan: str
    name: str
    replica: int
    id: str
    runtime: str
    image: str
    state: str
    fault: str
    restarts: int
    since_us: int
    cpu_us: int
    memory_bytes: int
    throttled_us: int
    def __init__(self, kind: _Optional[str] = ..., plan: _Optional[str] = ..., name: _Optional[str] = ..., replica: _Optional[int] = ..., id: _Optional[str] = ..., runtime: _Optional[str] = ..., image: _Optional[str] = ..., state: _Optional[str] = ..., fault: _Optional[str] = ..., restarts: _Optional[int] = ..., since_us: _Optional[int] = ..., cpu_us: _Optional[int] = ..., memory_bytes: _Optional[int] = ..., throttled_us: _Optional[int] = ...) -> None: ...

class ContainerEvent(_message.Message):
    __slots__ = ("at_us", "kind", "plan", "name", "replica", "event", "detail")
    AT_US_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REPLICA_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    at_us: int
    kind: str
    plan: str
    name: str
    replica: int
    event: str
    detail: str
    def __init__(self, at_us: _Optional[int] = ..., kind: _Optional[str] = ..., plan: _Optional[str] = ..., name: _Optional[str] = ..., replica: _Optional[int] = ..., event: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class StepReport(_message.Message):
    __slots__ = ("plan", "step", "batches", "rows_in", "rows_out", "busy_us", "queued", "replays", "quarantined_messages")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    ROWS_IN_FIELD_NUMBER: _ClassVar[int]
    ROWS_OUT_FIELD_NUMBER: _ClassVar[int]
    BUSY_US_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    REPLAYS_FIELD_NUMBER: _ClassVar[int]
    QUARANTINED_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    plan: str
    step: str
    batches: int
    rows_in: int
    rows_out: int
    busy_us: int
    queued: int
    replays: int
    quarantined_messages: int
    def __init__(self, plan: _Optional[str] = ..., step: _Optional[str] = ..., batches: _Optional[int] = ..., rows_in: _Optional[int] = ..., rows_out: _Optional[int] = ..., busy_us: _Optional[int] = ..., queued: _Optional[int] = ..., replays: _Optional[int] = ..., quarantined_messages: _Optional[int] = ...) -> None: ...

class SessionInput(_message.Message):
    __slots__ = ("id", "node", "ask", "data", "end", "cancel", "credit")
    ID_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    id: str
    node: str
    ask: SessionAsk
    data: bytes
    end: bool
    cancel: bool
    credit: int
    def __init__(self, id: _Optional[str] = ..., node: _Optional[str] = ..., ask: _Optional[_Union[SessionAsk, _Mapping]] = ..., data: _Optional[bytes] = ..., end: _Optional[bool] = ..., cancel: _Optional[bool] = ..., credit: _Optional[int] = ...) -> None: ...

class SessionAsk(_message.Message):
    __slots__ = ("what", "kind", "plan", "name", "replica", "follow", "tail", "command", "caller")
    WHAT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REPLICA_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    TAIL_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    what: str
    kind: str
    plan: str
    name: str
    replica: int
    follow: bool
    tail: int
    command: _containers.RepeatedScalarFieldContainer[str]
    caller: str
    def __init__(self, what: _Optional[str] = ..., kind: _Optional[str] = ..., plan: _Optional[str] = ..., name: _Optional[str] = ..., replica: _Optional[int] = ..., follow: _Optional[bool] = ..., tail: _Optional[int] = ..., command: _Optional[_Iterable[str]] = ..., caller: _Optional[str] = ...) -> None: ...

class SessionOutput(_message.Message):
    __slots__ = ("id", "data", "channel", "end", "exit_code", "fault", "credit", "dropped", "code", "hint")
    ID_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    EXIT_CODE_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    id: str
    data: bytes
    channel: int
    end: bool
    exit_code: int
    fault: str
    credit: int
    dropped: int
    code: str
    hint: str
    def __init__(self, id: _Optional[str] = ..., data: _Optional[bytes] = ..., channel: _Optional[int] = ..., end: _Optional[bool] = ..., exit_code: _Optional[int] = ..., fault: _Optional[str] = ..., credit: _Optional[int] = ..., dropped: _Optional[int] = ..., code: _Optional[str] = ..., hint: _Optional[str] = ...) -> None: ...

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
    __slots__ = ("aggregator", "parent", "at_us", "generation", "children", "parts_in", "parts_out", "held_bytes", "refusals", "version", "faults", "known_keys", "contested", "certificate", "certificate_until_us", "instance", "present", "same_children")
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
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    KNOWN_KEYS_FIELD_NUMBER: _ClassVar[int]
    CONTESTED_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_UNTIL_US_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    PRESENT_FIELD_NUMBER: _ClassVar[int]
    SAME_CHILDREN_FIELD_NUMBER: _ClassVar[int]
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
    faults: _containers.RepeatedScalarFieldContainer[str]
    known_keys: _containers.RepeatedCompositeFieldContainer[SigningKey]
    contested: int
    certificate: str
    certificate_until_us: int
    instance: str
    present: _containers.RepeatedScalarFieldContainer[str]
    same_children: bool
    def __init__(self, aggregator: _Optional[str] = ..., parent: _Optional[str] = ..., at_us: _Optional[int] = ..., generation: _Optional[int] = ..., children: _Optional[_Iterable[str]] = ..., parts_in: _Optional[int] = ..., parts_out: _Optional[int] = ..., held_bytes: _Optional[int] = ..., refusals: _Optional[int] = ..., version: _Optional[str] = ..., faults: _Optional[_Iterable[str]] = ..., known_keys: _Optional[_Iterable[_Union[SigningKey, _Mapping]]] = ..., contested: _Optional[int] = ..., certificate: _Optional[str] = ..., certificate_until_us: _Optional[int] = ..., instance: _Optional[str] = ..., present: _Optional[_Iterable[str]] = ..., same_children: _Optional[bool] = ...) -> None: ...
