"""The SDK: a small typed client of Fogline's cloud, blocking or on an event loop."""

from fogline.client.accounts import BrokerLedger, Ledger, StepLedger, StreamLedger
from fogline.client.aio.client import AsyncClient
from fogline.client.aio.containers import AsyncExecution, AsyncLogs, AsyncUsages
from fogline.client.aio.following import AsyncFollowing
from fogline.client.aio.results import AsyncResults
from fogline.client.client import Client
from fogline.client.containers import Container, Event, ExecChunk, Execution, LogChunk, Logs, Usage, Usages
from fogline.client.errors import SpecFault, SpecRejected, TooSlow, Unreachable
from fogline.client.following import Following
from fogline.client.installation import (
    Aggregator,
    Broker,
    Commits,
    DeadLetter,
    Figure,
    Node,
    OperatorFigures,
    Status,
)
from fogline.client.results import Results
from fogline.client.trail import Batch
from fogline.client.values import (
    Deployment,
    Latest,
    PastRelease,
    Pipeline,
    Result,
    RunningImage,
    Stream,
    Who,
    Window,
    WindowStatus,
)
from fogline.model.errors import FogError, InvalidInput, NotAllowed, NotFound, Unauthenticated, Unavailable

__all__ = [
    "Aggregator",
    "AsyncClient",
    "AsyncExecution",
    "AsyncFollowing",
    "AsyncLogs",
    "AsyncResults",
    "AsyncUsages",
    "Batch",
    "Broker",
    "BrokerLedger",
    "Client",
    "Commits",
    "Container",
    "DeadLetter",
    "Deployment",
    "Event",
    "ExecChunk",
    "Execution",
    "Figure",
    "FogError",
    "Following",
    "InvalidInput",
    "Latest",
    "Ledger",
    "LogChunk",
    "Logs",
    "Node",
    "NotAllowed",
    "NotFound",
    "OperatorFigures",
    "PastRelease",
    "Pipeline",
    "Result",
    "Results",
    "RunningImage",
    "SpecFault",
    "SpecRejected",
    "Status",
    "StepLedger",
    "Stream",
    "StreamLedger",
    "TooSlow",
    "Unauthenticated",
    "Unavailable",
    "Unreachable",
    "Usage",
    "Usages",
    "Who",
    "Window",
    "WindowStatus",
]
