"""Calls to a tier, counted by method and outcome, whatever the door."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal, TypeAlias

import grpc

from fogline.service.histogram import Histogram
from fogline.service.metrics import Kind, Metric, MetricGroup, Snapshot

_NAMES: Final[dict[object, str]] = {
    spelling: code.name for code in grpc.StatusCode for spelling in (code, code.value[0])
}
"""gRPC says its own codes now as values, now as numbers."""

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"


class Outcome:
    """How a call ended; set before it ends."""

    code = "OK"


class Calls:
    """Counts only up, but for ``running``. Methods must be names out of a fixed set."""

    def __init__(self) -> None:
        self.ended: Final[Counter[tuple[str, str]]] = Counter()
        """By method and code."""
        self.running: Final[Counter[str]] = Counter()
        self.durations: Final[dict[str, Histogram]] = {}
        """Of methods that are answered once."""

    @contextmanager
    def counted(self, method: str, *, timed: bool) -> Iterator[Outcome]:
        """Count the call that runs inside."""
        outcome, began = Outcome(), time.perf_counter()
        self.running[method] += 1
        try:
            yield outcome
        except asyncio.CancelledError:
            outcome.code = "CANCELLED"
            raise
        finally:
            self.running[method] -= 1
            self.ended[method, outcome.code] += 1
            if timed:
                self.durations.setdefault(method, Histogram()).observe(time.perf_counter() - began)


class CallsInterceptor(grpc.aio.ServerInterceptor):
    """Counts gRPC calls; stands outside of whatever turns errors into statuses."""

    def __init__(self, calls: Calls) -> None:
        self._calls: Final = calls

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Wrap the handler of one call; gRPC asks for it. A method that is not there is not counted."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        kind = ("stream" if handler.request_streaming else "unary") + (
            "_stream" if handler.response_streaming else "_unary"
        )
        method = str(handler_call_details.method).rpartition(".")[2].replace("/", ".")
        make: Callable[..., Handler] = getattr(grpc, f"{kind}_rpc_method_handler")
        return make(
            self._counted(getattr(handler, kind), method, timed=kind == "unary_unary"),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    def _counted(self, behaviour: Callable[..., Any], method: str, *, timed: bool) -> Callable[..., Any]:
        async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            with self._calls.counted(method, timed=timed) as outcome:
                try:
                    return await behaviour(request, context)
                except grpc.aio.AbortError:
                    outcome.code = _NAMES.get(context.code(), "UNKNOWN")
                    raise

        return call


class CallMetrics(MetricGroup):
    """The metrics of one tier's calls."""

    def __init__(self, tier: Literal["cloud", "aggregator"]) -> None:
        self.ended: Final = Metric(
            name=f"fogline_{tier}_calls_total",
            kind=Kind.COUNTER,
            help="Calls that ended, by status; a follower's or child's stream is one call.",
            labels=("door", "method", "code"),
        )
        self.running: Final = Metric(
            name=f"fogline_{tier}_calls_in_progress",
            kind=Kind.GAUGE,
            help="Calls under way.",
            labels=("door", "method"),
        )
        self.durations: Final = Metric(
            name=f"fogline_{tier}_call_seconds",
            kind=Kind.HISTOGRAM,
            help="How long calls took that are answered once.",
            labels=("door", "method"),
        )

    def fill(self, snapshot: Snapshot, door: Literal["grpc", "http"], calls: Calls) -> None:
        """Read the calls of one door."""
        for (method, code), count in calls.ended.items():
            snapshot.add(self.ended, count, door, method, code)
        for method, count in calls.running.items():
            snapshot.add(self.running, count, door, method)
        for method, histogram in calls.durations.items():
            snapshot.add(self.durations, histogram.snapshot(), door, method)
