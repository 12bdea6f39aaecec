"""The client for programs with an event loop: as the blocking one, method by method."""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from fogline.client import asks, containers, link
from fogline.client.accounts import Ledger
from fogline.client.aio.connection import AsyncConnection
from fogline.client.aio.containers import AsyncExecution, AsyncLogs, AsyncUsages, exec_requests
from fogline.client.aio.following import AsyncFollowing
from fogline.client.aio.results import AsyncResults
from fogline.client.applied import not_applied, who_is_behind
from fogline.client.containers import Container, Event
from fogline.client.find import find_cloud
from fogline.client.installation import Node, Status
from fogline.client.trail import Trail
from fogline.client.values import Deployment, Latest, PastRelease, Pipeline, Stream, Who
from fogline.v1 import containers_pb2


class AsyncClient:
    """A connection to Fogline's cloud.

    >>> async def main():
    ...     async with fogline.AsyncClient() as client:
    ...         await client.deploy(Path("greenhouse.yaml"))
    ...         async for result in client.results("greenhouse"):
    ...             print(result.window_start, result.key, result.values)
    >>> asyncio.run(main())
    2026-01-31 12:00:00+00:00 {'zone': 'north'} {'n': 3, 'temp': 21.5}
    2026-01-31 12:00:10+00:00 {'zone': 'north'} {'n': 1, 'temp': 20.0}

    Without an address it takes the folder of a running ``fogline up``, else ``FOGLINE_SERVER``, else the
    folder that ``up`` uses by default, else the cloud of the last ``fogline login``. ``token`` is an API token, else
    ``FOGLINE_TOKEN`` or that of the ``up`` or login. The connection is encrypted; the cloud is known by its CA, whose
    fingerprint is in the token. ``ca`` names a file of certificates (PEM) to go by instead, else ``FOGLINE_CA``. An
    address that begins with ``grpc://`` asks for plain text.

    Every call answers within ``timeout`` seconds or raises a :class:`fogline.model.errors.FogError` whose hint
    says what to do. Within that time it is tried up to ``attempts`` times if it is safe to repeat and the error
    may be gone by then. Making a client reads small files of this machine. The connection is made by the first
    call and belongs to its event loop, whose tasks may share the client. A call that is cancelled is cancelled at
    the server, too.
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        token: str | None = None,
        ca: str | Path | None = None,
        directory: Path | None = None,
        timeout: float = link.TIMEOUT,
        attempts: int = link.ATTEMPTS,
    ) -> None:
        self._connection: Final = AsyncConnection(
            find_cloud(server, directory, token=token, ca=ca), timeout=timeout, attempts=attempts
        )

    @property
    def address(self) -> str:
        """Host and port of the cloud's gRPC API."""
        return self._connection.address

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncClient of {self.address}>"

    async def close(self) -> None:
        """End the connection; a reader of results that is still open raises."""
        await self._connection.close()

    async def deploy(self, spec: Path | str, *, file: str = "") -> Deployment:
        """Make a spec the newest plan of its pipeline: a path is read, a string is the spec itself.

        ``file`` names a string's origin in messages. Raises :class:`fogline.client.errors.SpecRejected` with
        every mistake and its place; then nothing was changed. A plan is named by the hash of its content, so
        that a repeat changes nothing, and is safe after an error that leaves open whether it took effect.
        """
        return await self._connection.do(await asyncio.to_thread(asks.deploy, spec, file=file))

    async def wait_until_applied(self, generation: int, *, nodes: int = 1, within: float = 60.0) -> Status:
        """Return once every node that is alive, and at least ``nodes``, run this generation of desired state.

        Raises :class:`FogError` if a node could not apply it, :class:`fogline.client.errors.TooSlow` if
        ``within`` seconds were not enough.
        """
        give_up = time.monotonic() + within
        while True:
            status = await self.status()
            who = who_is_behind(status, generation, nodes=nodes)
            if not who:
                return status
            if time.monotonic() > give_up:
                raise not_applied(within, who)
            await asyncio.sleep(link.CHANGED_WITHIN)

    def pipelines(self) -> AsyncIterator[Pipeline]:
        """Yield every pipeline that is deployed, by name."""
        return self._connection.pages(asks.pipelines())

    async def pipeline(self, name: str) -> Pipeline:
        """Return one pipeline, with its spec. Raises :class:`fogline.model.errors.NotFound`."""
        return await self._connection.do(asks.pipeline(name))

    def releases(self, name: str) -> AsyncIterator[PastRelease]:
        """Yield what a pipeline has run, the newest first. Raises :class:`fogline.model.errors.NotFound`."""
        return self._connection.pages(asks.releases(name))

    async def rollback(self, name: str, to: str = "") -> Deployment:
        """Deploy again what a pipeline has run before: ``to`` is a release's number of the newest plan, the beginning
        of a plan's name, or ``"PLAN/NUMBER"``; empty: what was deployed before the present one.
        """
        return await self._connection.do(asks.rollback(name, to))

    def streams(self, pipeline: str = "") -> AsyncIterator[Stream]:
        """Yield the streams of one pipeline, or of all."""
        return self._connection.pages(asks.streams(pipeline))

    def nodes(self) -> AsyncIterator[Node]:
        """Yield every fog node by name, also those that are away."""
        return self._connection.pages(asks.nodes())

    async def node(self, name: str) -> Node:
        """Return one fog node. Raises :class:`fogline.model.errors.NotFound`."""
        return await self._connection.do(asks.node(name))

    async def retire_node(self, name: str) -> None:
        """Expect nothing more of a node that is gone for ever: windows stop waiting for it.

        This is the one call that is never repeated by itself.
        """
        await self._connection.do(asks.retire_node(name))

    def containers(self, *, pipeline: str = "", node: str = "") -> AsyncIterator[Container]:
        """Yield replicas of operators and services as nodes last reported them, of one pipeline or node, or all."""
        return self._connection.pages(asks.containers(pipeline=pipeline, node=node))

    def events(self, *, pipeline: str = "", node: str = "") -> AsyncIterator[Event]:
        """Yield what happened to containers, the oldest first: the newest few that each node keeps."""
        return self._connection.pages(asks.events(pipeline=pipeline, node=node))

    def logs(
        self,
        pipeline: str,
        name: str = "",
        *,
        node: str = "",
        replica: int | None = None,
        tail: int = 100,
        follow: bool = False,
    ) -> AsyncLogs:
        """Return what the containers of a pipeline write, of one step or service or of all, wherever they run.

        The last ``tail`` lines of each, and with ``follow`` all that comes, also from a container that is started
        anew. Who reads too slowly misses something, and is told how much. It passes through the node's own control
        stream: a node behind NAT is reached as any other.
        """
        request = containers_pb2.GetLogsRequest(
            pipeline=pipeline, name=name, node=node, replica=replica, tail=tail, follow=follow
        )
        listen = self._connection.listen
        return AsyncLogs(
            self._connection, lambda: listen(containers.LOGS, request, containers_pb2.GetLogsResponse)
        )

    def exec(
        self,
        node: str,
        name: str,
        command: Sequence[str],
        *,
        pipeline: str = "",
        replica: int | None = None,
        stdin: Iterable[bytes] | AsyncIterable[bytes] = (),
    ) -> AsyncExecution:
        """Run a command in a container: a program and its arguments, read by no shell.

        The node's owner must have allowed it (``allow_exec``), and the node writes down who ran what.
        """
        ask = containers.exec_ask(node, name, command, pipeline=pipeline, replica=replica)
        requests = exec_requests(ask, stdin)
        converse = self._connection.converse
        return AsyncExecution(
            self._connection, lambda: converse(containers.EXEC, requests, containers_pb2.ExecResponse)
        )

    def usage(self, node: str = "", *, follow: bool = False) -> AsyncUsages:
        """Return what containers use: on one node as it measures now, or on all as they last reported.

        One answer, a tuple with an entry for each node; with ``follow`` one about each second.
        """
        request = containers_pb2.GetUsageRequest(node=node, follow=follow)
        listen = self._connection.listen
        return AsyncUsages(
            self._connection, lambda: listen(containers.USAGE, request, containers_pb2.GetUsageResponse)
        )

    def results(
        self,
        pipeline: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        step: str = "",
    ) -> AsyncResults:
        """Return the results of a pipeline: windows that start in [since, until), of one step or of all.

        What comes back is read when it is iterated, oldest window first, or turned into a table. Raises
        :class:`ValueError` for a time without a zone.
        """
        return AsyncResults(self._connection, asks.Wanted.of(pipeline, since=since, until=until, step=step))

    def follow(
        self,
        pipeline: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        step: str = "",
        resume_token: str = "",
    ) -> AsyncFollowing:
        """Follow the results of a pipeline: everything in the order of its changes, then each change as it comes.

        A window may come several times: what came last holds. A broken connection is made again; it raises
        :class:`fogline.model.errors.Unavailable` when nobody has answered for ``timeout`` seconds. With the
        ``resume_token`` of an earlier one it goes on where that one was.
        """
        trail = Trail(
            asks.Wanted.of(pipeline, since=since, until=until, step=step),
            resume_token=resume_token,
            patience=self._connection.timeout,
            chance=link.chance,
        )
        return AsyncFollowing(self._connection, trail)

    async def latest(self, pipeline: str, step: str, *, windows: int = 0, keys: int = 0) -> Latest:
        """Return a step's newest windows (0: 60 of them) with the results of its busiest keys (0: 10)."""
        return await self._connection.do(asks.latest(pipeline, step=step, windows=windows, keys=keys))

    async def whoami(self) -> Who:
        """Return as whom the cloud knows this client, and what it may do."""
        return await self._connection.do(asks.whoami())

    async def status(self) -> Status:
        """Return tiers, plans and their health."""
        return await self._connection.do(asks.status())

    async def ledger(self, pipeline: str = "") -> Ledger:
        """Return where every message and reading went, for one pipeline or for all."""
        return await self._connection.do(asks.ledger(pipeline))
