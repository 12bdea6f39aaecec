"""The client: deploy pipelines and read results, from a program or a notebook."""

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from fogline.client import asks, containers, link
from fogline.client.accounts import Ledger
from fogline.client.applied import not_applied, who_is_behind
from fogline.client.connection import Connection
from fogline.client.containers import Container, Event, Execution, Logs, Usages
from fogline.client.find import find_cloud
from fogline.client.following import Following
from fogline.client.installation import Node, Status
from fogline.client.results import Results
from fogline.client.trail import Trail
from fogline.client.values import Deployment, Latest, PastRelease, Pipeline, Stream, Who
from fogline.v1 import containers_pb2


class Client:
    """A connection to Fogline's cloud.

    >>> with fogline.Client() as client:
    ...     for result in client.results("greenhouse"):
    ...         print(result.window_start, result.key, result.values)
    2026-01-31 12:00:00+00:00 {'zone': 'north'} {'n': 3, 'temp': 21.5}
    2026-01-31 12:00:10+00:00 {'zone': 'north'} {'n': 1, 'temp': 20.0}

    Without an address it takes the folder of a running ``fogline up``, else ``FOGLINE_SERVER``, else the
    folder that ``up`` uses by default, else the cloud of the last ``fogline login``. ``token`` is an API token, else
    ``FOGLINE_TOKEN`` or that of the ``up`` or login. The connection is encrypted; the cloud is known by its CA, whose
    fingerprint is in the token. ``ca`` names a file of certificates (PEM) to go by instead, else ``FOGLINE_CA``. An
    address that begins with ``grpc://`` asks for plain text.

    Every call answers within ``timeout`` seconds or raises a :class:`fogline.model.errors.FogError` whose hint
    says what to do. Within that time it is tried up to ``attempts`` times if it is safe to repeat and the error
    may be gone by then. The connection is made by the first call. Threads may share a client; a process that was
    forked after the first call needs its own.
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
        self._connection: Final = Connection(
            find_cloud(server, directory, token=token, ca=ca), timeout=timeout, attempts=attempts
        )

    @property
    def address(self) -> str:
        """Host and port of the cloud's gRPC API."""
        return self._connection.address

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client of {self.address}>"

    def close(self) -> None:
        """End the connection; a reader of results that is still open raises."""
        self._connection.close()

    def deploy(self, spec: Path | str, *, file: str = "") -> Deployment:
        """Make a spec the newest plan of its pipeline: a path is read, a string is the spec itself.

        ``file`` names a string's origin in messages. Raises :class:`fogline.client.errors.SpecRejected` with
        every mistake and its place; then nothing was changed. A plan is named by the hash of its content, so
        that a repeat changes nothing, and is safe after an error that leaves open whether it took effect.

        >>> deployed = client.deploy(Path("greenhouse.yaml"))
        >>> deployed.plan, deployed.changed
        ('a787d8d913d81b3b', True)
        """
        return self._connection.do(asks.deploy(spec, file=file))

    def wait_until_applied(self, generation: int, *, nodes: int = 1, within: float = 60.0) -> Status:
        """Return once every node that is alive, and at least ``nodes``, run this generation of desired state.

        Raises :class:`FogError` if a node could not apply it, :class:`fogline.client.errors.TooSlow` if
        ``within`` seconds were not enough.
        """
        give_up = time.monotonic() + within
        while True:
            status = self.status()
            who = who_is_behind(status, generation, nodes=nodes)
            if not who:
                return status
            if time.monotonic() > give_up:
                raise not_applied(within, who)
            time.sleep(link.CHANGED_WITHIN)

    def pipelines(self) -> Iterator[Pipeline]:
        """Yield every pipeline that is deployed, by name.

        >>> [pipeline.name for pipeline in client.pipelines()]
        ['greenhouse']
        """
        return self._connection.pages(asks.pipelines())

    def pipeline(self, name: str) -> Pipeline:
        """Return one pipeline, with its spec. Raises :class:`fogline.model.errors.NotFound`.

        >>> print(client.pipeline("greenhouse").spec)
        name: greenhouse...
        """
        return self._connection.do(asks.pipeline(name))

    def releases(self, name: str) -> Iterator[PastRelease]:
        """Yield what a pipeline has run, the newest first. Raises :class:`fogline.model.errors.NotFound`.

        >>> [(past.plan, past.release, past.newest) for past in client.releases("greenhouse")]
        [('a787d8d913d81b3b', 2, True), ('a787d8d913d81b3b', 1, False)]
        """
        return self._connection.pages(asks.releases(name))

    def rollback(self, name: str, to: str = "") -> Deployment:
        """Deploy again what a pipeline has run before: ``to`` is a release's number of the newest plan, the beginning
        of a plan's name, or ``"PLAN/NUMBER"``; empty: what was deployed before the present one.

        Raises :class:`fogline.model.errors.NotFound`, and :class:`fogline.model.errors.Conflict` if ``to`` may mean
        several.

        >>> client.rollback("greenhouse", to="1").release
        3
        """
        return self._connection.do(asks.rollback(name, to))

    def streams(self, pipeline: str = "") -> Iterator[Stream]:
        """Yield the streams of one pipeline, or of all.

        >>> [(stream.name, stream.topic) for stream in client.streams("greenhouse")]
        [('air', 'greenhouse/{zone}/air')]
        """
        return self._connection.pages(asks.streams(pipeline))

    def nodes(self) -> Iterator[Node]:
        """Yield every fog node by name, also those that are away.

        >>> {node.name: node.alive for node in client.nodes()}
        {'node-1': True}
        """
        return self._connection.pages(asks.nodes())

    def node(self, name: str) -> Node:
        """Return one fog node. Raises :class:`fogline.model.errors.NotFound`."""
        return self._connection.do(asks.node(name))

    def retire_node(self, name: str) -> None:
        """Expect nothing more of a node that is gone for ever: windows stop waiting for it.

        This is the one call that is never repeated by itself.
        """
        self._connection.do(asks.retire_node(name))

    def containers(self, *, pipeline: str = "", node: str = "") -> Iterator[Container]:
        """Yield replicas of operators and services as nodes last reported them, of one pipeline or node, or all.

        >>> [(one.node, one.name, one.state) for one in client.containers(pipeline="greenhouse")]
        [('node-1', 'clean', 'running')]
        """
        return self._connection.pages(asks.containers(pipeline=pipeline, node=node))

    def events(self, *, pipeline: str = "", node: str = "") -> Iterator[Event]:
        """Yield what happened to containers, the oldest first: the newest few that each node keeps.

        >>> [(one.node, one.name, one.event) for one in client.events(pipeline="greenhouse")]
        [('node-1', 'clean', 'started')]
        """
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
    ) -> Logs:
        """Return what the containers of a pipeline write, of one step or service or of all, wherever they run.

        The last ``tail`` lines of each, and with ``follow`` all that comes, also from a container that is started
        anew. Who reads too slowly misses something, and is told how much. It passes through the node's own control
        stream: a node behind NAT is reached as any other.

        >>> with client.logs("greenhouse", "clean") as logs:
        ...     print(b"".join(chunk.data for chunk in logs).decode(), end="")
        ready
        """
        request = containers_pb2.GetLogsRequest(
            pipeline=pipeline, name=name, node=node, replica=replica, tail=tail, follow=follow
        )
        call = self._connection.listen(containers.LOGS, request, containers_pb2.GetLogsResponse)
        return Logs(self.address, call)

    def exec(
        self,
        node: str,
        name: str,
        command: Sequence[str],
        *,
        pipeline: str = "",
        replica: int | None = None,
        stdin: Iterable[bytes] = (),
    ) -> Execution:
        """Run a command in a container: a program and its arguments, read by no shell.

        The node's owner must have allowed it (``allow_exec``), and the node writes down who ran what.

        >>> with client.exec("node-1", "clean", ["cat"], stdin=[b"hello"]) as execution:
        ...     print(b"".join(chunk.data for chunk in execution), execution.exit_code)
        b'hello' 0
        """
        ask = containers.exec_ask(node, name, command, pipeline=pipeline, replica=replica)
        requests = containers.exec_requests(ask, stdin)
        call = self._connection.converse(containers.EXEC, requests, containers_pb2.ExecResponse)
        return Execution(self.address, call)

    def usage(self, node: str = "", *, follow: bool = False) -> Usages:
        """Return what containers use: on one node as it measures now, or on all as they last reported.

        One answer, a tuple with an entry for each node; with ``follow`` one about each second.

        >>> with client.usage("node-1") as usages:
        ...     ((usage,),) = usages
        >>> [(one.name, one.memory_bytes) for one in usage.containers]
        [('clean', 20971520)]
        """
        request = containers_pb2.GetUsageRequest(node=node, follow=follow)
        call = self._connection.listen(containers.USAGE, request, containers_pb2.GetUsageResponse)
        return Usages(self.address, call)

    def results(
        self,
        pipeline: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        step: str = "",
    ) -> Results:
        """Return the results of a pipeline: windows that start in [since, until), of one step or of all.

        What comes back is read when it is iterated, oldest window first, or turned into a table. Raises
        :class:`ValueError` for a time without a zone.

        >>> since = datetime(2026, 1, 31, tzinfo=UTC)
        >>> client.results("greenhouse", since=since).to_pandas()[["zone", "n", "temp", "status"]]
            zone  n  temp    status
        0  north  3  21.5  complete
        1  north  1  20.0      open
        """
        return Results(self._connection, asks.Wanted.of(pipeline, since=since, until=until, step=step))

    def follow(
        self,
        pipeline: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        step: str = "",
        resume_token: str = "",
    ) -> Following:
        """Follow the results of a pipeline: everything in the order of its changes, then each change as it comes.

        A window may come several times: what came last holds. A broken connection is made again; it raises
        :class:`fogline.model.errors.Unavailable` when nobody has answered for ``timeout`` seconds. With the
        ``resume_token`` of an earlier one it goes on where that one was.

        >>> with client.follow("greenhouse") as following:
        ...     batch = next(following.batches())
        >>> len(batch.results), batch.resume_token
        (2, 'two')
        """
        trail = Trail(
            asks.Wanted.of(pipeline, since=since, until=until, step=step),
            resume_token=resume_token,
            patience=self._connection.timeout,
            chance=link.chance,
        )
        return Following(self._connection, trail)

    def latest(self, pipeline: str, step: str, *, windows: int = 0, keys: int = 0) -> Latest:
        """Return a step's newest windows (0: 60 of them) with the results of its busiest keys (0: 10)."""
        return self._connection.do(asks.latest(pipeline, step=step, windows=windows, keys=keys))

    def whoami(self) -> Who:
        """Return as whom the cloud knows this client, and what it may do.

        >>> client.whoami().rights
        ('deploy', 'read')
        """
        return self._connection.do(asks.whoami())

    def status(self) -> Status:
        """Return tiers, plans and their health.

        >>> client.status().readings
        4
        """
        return self._connection.do(asks.status())

    def ledger(self, pipeline: str = "") -> Ledger:
        """Return where every message and reading went, for one pipeline or for all.

        >>> ledger = client.ledger("greenhouse")
        >>> ledger.adds_up, [(stream.stream, stream.received, stream.committed) for stream in ledger]
        (True, [('air', 4, 4)])
        """
        return self._connection.do(asks.ledger(pipeline))
