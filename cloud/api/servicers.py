"""The gRPC door: requests in, the services' answers out. Errors become statuses at the server's edge."""
# ruff: noqa: N802 - methods are named by the contract

from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import Any

import grpc

from cloud.api.services import Services
from fogline.service.callers import caller_of
from fogline.service.server import Server
from fogline.v1 import api_pb2, api_pb2_grpc, containers_pb2, containers_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]


class Servicer(
    api_pb2_grpc.PipelineServiceServicer,
    api_pb2_grpc.StreamServiceServicer,
    api_pb2_grpc.NodeServiceServicer,
    api_pb2_grpc.ResultServiceServicer,
    api_pb2_grpc.StatusServiceServicer,
    containers_pb2_grpc.ContainerServiceServicer,
):
    """Every service of the API."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def Deploy(self, request: api_pb2.DeployRequest, context: Context) -> api_pb2.DeployResponse:
        """Make a spec its pipeline's newest plan."""
        return await self._services.pipelines.deploy(caller_of(context), request)

    async def ListPipelines(
        self, request: api_pb2.ListPipelinesRequest, context: Context
    ) -> api_pb2.ListPipelinesResponse:
        """Pipelines by name."""
        return await self._services.pipelines.page(caller_of(context), request)

    async def GetPipeline(
        self, request: api_pb2.GetPipelineRequest, context: Context
    ) -> api_pb2.GetPipelineResponse:
        """One pipeline with its spec."""
        return await self._services.pipelines.get(caller_of(context), request)

    async def ListReleases(
        self, request: api_pb2.ListReleasesRequest, context: Context
    ) -> api_pb2.ListReleasesResponse:
        """What a pipeline has run, the newest first."""
        return await self._services.pipelines.releases(caller_of(context), request)

    async def Rollback(self, request: api_pb2.RollbackRequest, context: Context) -> api_pb2.RollbackResponse:
        """Deploy again what a pipeline has run before."""
        return await self._services.pipelines.roll_back(caller_of(context), request)

    async def ListStreams(
        self, request: api_pb2.ListStreamsRequest, context: Context
    ) -> api_pb2.ListStreamsResponse:
        """Streams by pipeline and name."""
        return await self._services.pipelines.streams(caller_of(context), request)

    async def ListNodes(
        self, request: api_pb2.ListNodesRequest, context: Context
    ) -> api_pb2.ListNodesResponse:
        """Nodes by name."""
        return await self._services.nodes.page(caller_of(context), request)

    async def GetNode(self, request: api_pb2.GetNodeRequest, context: Context) -> api_pb2.GetNodeResponse:
        """One node."""
        return await self._services.nodes.get(caller_of(context), request)

    async def RetireNode(
        self, request: api_pb2.RetireNodeRequest, context: Context
    ) -> api_pb2.RetireNodeResponse:
        """Expect nothing more of a node."""
        return await self._services.nodes.retire(caller_of(context), request)

    async def GetResults(
        self, request: api_pb2.GetResultsRequest, context: Context
    ) -> AsyncIterator[api_pb2.GetResultsResponse]:
        """Results, and with ``follow`` their changes."""
        results, caller = self._services.results, caller_of(context)
        ask = results.follow if request.follow else results.all
        async with aclosing(ask(caller, request)) as answers:
            async for response in answers:
                # What only says that the server is there is for doors without a keepalive of their own.
                if response.results:
                    yield response

    async def ListResults(
        self, request: api_pb2.ListResultsRequest, context: Context
    ) -> api_pb2.ListResultsResponse:
        """A page of results."""
        return await self._services.results.page(caller_of(context), request)

    async def GetLatest(
        self, request: api_pb2.GetLatestRequest, context: Context
    ) -> api_pb2.GetLatestResponse:
        """A step's newest windows."""
        return await self._services.results.latest(caller_of(context), request)

    async def GetStatus(
        self,
        request: api_pb2.GetStatusRequest,  # noqa: ARG002 - it has no fields yet
        context: Context,
    ) -> api_pb2.GetStatusResponse:
        """Tiers, plans and their health."""
        return await self._services.overview.status(caller_of(context))

    async def GetLedger(
        self, request: api_pb2.GetLedgerRequest, context: Context
    ) -> api_pb2.GetLedgerResponse:
        """Where every message and reading went."""
        return await self._services.overview.ledger(caller_of(context), request)

    async def ListContainers(
        self, request: containers_pb2.ListContainersRequest, context: Context
    ) -> containers_pb2.ListContainersResponse:
        """Containers on nodes."""
        return await self._services.containers.page(caller_of(context), request)

    async def ListEvents(
        self, request: containers_pb2.ListEventsRequest, context: Context
    ) -> containers_pb2.ListEventsResponse:
        """What happened to containers."""
        return await self._services.containers.events(caller_of(context), request)

    async def GetLogs(
        self, request: containers_pb2.GetLogsRequest, context: Context
    ) -> AsyncIterator[containers_pb2.GetLogsResponse]:
        """What containers write."""
        async with aclosing(self._services.containers.logs(caller_of(context), request)) as answers:
            async for response in answers:
                yield response

    async def Exec(
        self, request_iterator: AsyncIterator[containers_pb2.ExecRequest], context: Context
    ) -> AsyncIterator[containers_pb2.ExecResponse]:
        """A command in a container."""
        answering = self._services.containers.execute(caller_of(context), request_iterator)
        async with aclosing(answering) as answers:
            async for response in answers:
                yield response

    async def GetUsage(
        self, request: containers_pb2.GetUsageRequest, context: Context
    ) -> AsyncIterator[containers_pb2.GetUsageResponse]:
        """What containers use."""
        async with aclosing(self._services.containers.usage(caller_of(context), request)) as answers:
            async for response in answers:
                yield response


def add_api(server: Server, services: Services) -> None:
    """Serve the API on a gRPC server."""
    servicer = Servicer(services)
    for name, register in (
        ("PipelineService", api_pb2_grpc.add_PipelineServiceServicer_to_server),
        ("StreamService", api_pb2_grpc.add_StreamServiceServicer_to_server),
        ("NodeService", api_pb2_grpc.add_NodeServiceServicer_to_server),
        ("StatusService", api_pb2_grpc.add_StatusServiceServicer_to_server),
    ):
        server.add(f"fogline.v1.{name}", partial(register, servicer))
    server.add(
        "fogline.v1.ResultService",
        partial(api_pb2_grpc.add_ResultServiceServicer_to_server, servicer),
        end=services.results.end_streams,
    )
    server.add(
        "fogline.v1.ContainerService",
        partial(containers_pb2_grpc.add_ContainerServiceServicer_to_server, servicer),
        end=services.containers.end_streams,
    )
