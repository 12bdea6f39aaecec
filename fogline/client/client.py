"""The client: deploy pipelines and read results, from a program or a notebook."""

import random
import time
from collections.abc import Generator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import grpc

from fogline.client import read
from fogline.client.errors import TooSlow, translated
from fogline.client.find import find_server
from fogline.client.values import Deployment, Pipeline, Result, Status, StreamLedger
from fogline.model.clock import from_datetime
from fogline.model.errors import FogError, Unavailable
from fogline.v1 import api_pb2, api_pb2_grpc

_OPTIONS: Final = (
    # A vanished server is noticed by a follower that would otherwise wait for ever.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # The server is an address of ours; a proxy in the environment is meant for browsers.
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
)
_STREAM_DEADLINE: Final = 300.0
_CHANGED_WITHIN: Final = 0.25


class Client:
    """A connection to Fogline's cloud.

        with fogline.Client("127.0.0.1:7070") as client:
            client.deploy(Path("greenhouse.yaml"))
            for result in client.results("greenhouse", follow=True):
                print(result.window_start, result.key, result.values)

    Without an address it takes the folder of a running ``fogline up``, else ``FOGLINE_SERVER``, else the
    folder that ``up`` uses by default. Every call has a deadline (``timeout``, seconds) and raises a
    :class:`fogline.model.errors.FogError` whose hint says what to do. Threads may share a client.
    """

    def __init__(
        self, server: str | None = None, *, directory: Path | None = None, timeout: float = 10.0
    ) -> None:
        self.address: Final = find_server(server, directory)
        self._timeout: Final = timeout
        self._channel: Final = grpc.insecure_channel(self.address, options=_OPTIONS)
        self._pipelines: Final = api_pb2_grpc.PipelineServiceStub(self._channel)
        self._results: Final = api_pb2_grpc.ResultServiceStub(self._channel)
        self._status: Final = api_pb2_grpc.StatusServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; an iterator of results that is still open raises."""
        self._channel.close()

    def deploy(self, spec: Path | str, *, file: str = "") -> Deployment:
        """Make a spec the newest plan of its pipeline: a path is read, a string is the spec itself.

        ``file`` names a string's origin in messages. Raises :class:`fogline.client.errors.SpecRejected` with
        every mistake and its place; then nothing was changed.
        """
        if isinstance(spec, Path):
            file = file or str(spec)
            spec = spec.read_text(encoding="utf-8")
        with translated(self.address, file=file):
            request = api_pb2.DeployRequest(spec=spec, file=file)
            return read.deployment(self._pipelines.Deploy(request, timeout=self._timeout))

    def wait_until_applied(self, generation: int, *, nodes: int = 1, within: float = 60.0) -> Status:
        """Return once every node that is alive, and at least ``nodes``, run this generation of desired state.

        Raises :class:`FogError` if a node could not apply it, :class:`fogline.client.errors.TooSlow` if
        ``within`` seconds were not enough.
        """
        give_up = time.monotonic() + within
        while True:
            status = self.status()
            alive = [n for n in status.nodes if n.alive]
            if faults := [f"{n.name}: {fault}" for n in alive for fault in n.faults]:
                raise FogError("; ".join(faults), hint="the nodes go on with what they ran before")
            behind = [n.name for n in alive if n.generation < generation]
            if len(alive) >= nodes and not behind:
                return status
            if time.monotonic() > give_up:
                who = ", ".join(behind) or f"{len(alive)} of {nodes} nodes are attached"
                raise TooSlow(
                    f"not applied within {within:g} s: {who}", hint="it will be applied when they come back"
                )
            time.sleep(_CHANGED_WITHIN)

    def pipelines(self) -> tuple[Pipeline, ...]:
        """Every pipeline that is deployed."""
        with translated(self.address):
            answer = self._pipelines.ListPipelines(api_pb2.ListPipelinesRequest(), timeout=self._timeout)
            return tuple(read.pipeline(p) for p in answer.pipelines)

    def results(
        self,
        pipeline: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        step: str = "",
        follow: bool = False,
    ) -> Generator[Result, None, None]:
        """Yield the results of a pipeline, oldest window first: windows that start in [since, until).

        With ``follow`` it yields them in the order of their changes, goes on with each change as it happens,
        and reconnects when the connection breaks; it raises :class:`Unavailable` when nobody has answered for
        ``timeout`` seconds. A window may come several times: what came last holds.
        """
        request = api_pb2.GetResultsRequest(pipeline=pipeline, step=step, follow=follow)
        if since is not None:
            request.since_us = from_datetime(since)
        if until is not None:
            request.until_us = from_datetime(until)
        return self._following(request) if follow else self._once(request)

    def status(self) -> Status:
        """Tiers, plans and their health."""
        with translated(self.address):
            return read.status(self._status.GetStatus(api_pb2.GetStatusRequest(), timeout=self._timeout))

    def ledger(self, pipeline: str = "") -> tuple[StreamLedger, ...]:
        """Where every message and reading went, for one pipeline or for all."""
        with translated(self.address):
            answer = self._status.GetLedger(
                api_pb2.GetLedgerRequest(pipeline=pipeline), timeout=self._timeout
            )
            return tuple(read.ledger(s) for s in answer.streams)

    def _once(self, request: api_pb2.GetResultsRequest) -> Generator[Result, None, None]:
        for answer in self._answers(request, deadline=_STREAM_DEADLINE):
            for message in answer.results:
                yield read.result(message)

    def _answers(
        self, request: api_pb2.GetResultsRequest, *, deadline: float | None
    ) -> Generator[api_pb2.GetResultsResponse, None, None]:
        with translated(self.address):
            call = self._results.GetResults(request, timeout=deadline)
            try:
                yield from call
            finally:
                call.cancel()

    def _following(self, request: api_pb2.GetResultsRequest) -> Generator[Result, None, None]:
        lost_at: float | None = None
        while True:
            try:
                for answer in self._answers(request, deadline=None):
                    lost_at = None
                    for message in answer.results:
                        yield read.result(message)
                    request.resume_token = answer.resume_token
            except Unavailable:
                lost_at = time.monotonic() if lost_at is None else lost_at
                if time.monotonic() - lost_at > self._timeout:
                    raise
            # Full jitter, so that the followers of a restarted server do not all come back at once.
            time.sleep(random.random())  # noqa: S311 -- not a secret
