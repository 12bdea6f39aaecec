"""The gRPC door: requests in, the services' answers out. Errors become statuses at the server's edge."""

from collections.abc import AsyncIterator
from typing import Any

import grpc

from cloud.api.services import Overview, Results
from cloud.planner.planner import Planner
from fogline.service.callers import caller_of
from fogline.v1 import api_pb2, api_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]


class PipelineServicer(api_pb2_grpc.PipelineServiceServicer):
    """Pipelines: deploy and list."""

    def __init__(self, planner: Planner, overview: Overview) -> None:
        self._planner = planner
        self._overview = overview

    async def Deploy(  # noqa: N802 - the name is the contract's
        self, request: api_pb2.DeployRequest, context: Context
    ) -> api_pb2.DeployResponse:
        """Make a spec its pipeline's newest plan."""
        deployed = await self._planner.deploy(caller_of(context), request.spec, request.file)
        return api_pb2.DeployResponse(
            pipeline=deployed.pipeline,
            plan=deployed.plan,
            generation=deployed.generation,
            changed=deployed.changed,
        )

    async def ListPipelines(  # noqa: N802 - the name is the contract's
        self,
        request: api_pb2.ListPipelinesRequest,  # noqa: ARG002 - it has no fields yet
        context: Context,
    ) -> api_pb2.ListPipelinesResponse:
        """Every pipeline by name."""
        return api_pb2.ListPipelinesResponse(pipelines=self._overview.pipelines(caller_of(context)))


class ResultServicer(api_pb2_grpc.ResultServiceServicer):
    """Windowed results."""

    def __init__(self, results: Results) -> None:
        self._results = results

    async def GetResults(  # noqa: N802 - the name is the contract's
        self, request: api_pb2.GetResultsRequest, context: Context
    ) -> AsyncIterator[api_pb2.GetResultsResponse]:
        """Results, and with ``follow`` their changes."""
        async for response in self._results.get(caller_of(context), request):
            yield response


class StatusServicer(api_pb2_grpc.StatusServiceServicer):
    """The state of the installation."""

    def __init__(self, overview: Overview) -> None:
        self._overview = overview

    async def GetStatus(  # noqa: N802 - the name is the contract's
        self,
        request: api_pb2.GetStatusRequest,  # noqa: ARG002 - it has no fields yet
        context: Context,
    ) -> api_pb2.GetStatusResponse:
        """Tiers, plans and their health."""
        return await self._overview.status(caller_of(context))

    async def GetLedger(  # noqa: N802 - the name is the contract's
        self, request: api_pb2.GetLedgerRequest, context: Context
    ) -> api_pb2.GetLedgerResponse:
        """Where every message and reading went."""
        return api_pb2.GetLedgerResponse(
            streams=await self._overview.ledger(caller_of(context), request.pipeline)
        )
