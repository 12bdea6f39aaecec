"""A cloud that answers what a test tells it to: for errors and shapes, on a real socket."""
# ruff: noqa: N802 -- gRPC names its methods

from collections.abc import Callable, Iterator
from typing import Any

import grpc

from fogline.v1 import access_pb2, access_pb2_grpc, api_pb2, api_pb2_grpc, containers_pb2, containers_pb2_grpc

Answer = Callable[[Any, grpc.ServicerContext], Any]


class ScriptedCloud(
    api_pb2_grpc.PipelineServiceServicer,
    api_pb2_grpc.StreamServiceServicer,
    api_pb2_grpc.NodeServiceServicer,
    api_pb2_grpc.ResultServiceServicer,
    api_pb2_grpc.StatusServiceServicer,
    containers_pb2_grpc.ContainerServiceServicer,
    access_pb2_grpc.AccessServiceServicer,
):
    """Answers by method name; what was not scripted is unimplemented."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[Any] = []
        self.address = ""

    def _answer(self, method: str, request: Any, context: Any) -> Any:
        self.requests.append(request)
        if method not in self.answers:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "not scripted")
        return self.answers[method](request, context)

    def Deploy(self, request: api_pb2.DeployRequest, context: Any) -> api_pb2.DeployResponse:
        answer: api_pb2.DeployResponse = self._answer("Deploy", request, context)
        return answer

    def ListPipelines(
        self, request: api_pb2.ListPipelinesRequest, context: Any
    ) -> api_pb2.ListPipelinesResponse:
        answer: api_pb2.ListPipelinesResponse = self._answer("ListPipelines", request, context)
        return answer

    def GetResults(
        self, request: api_pb2.GetResultsRequest, context: Any
    ) -> Iterator[api_pb2.GetResultsResponse]:
        yield from self._answer("GetResults", request, context)

    def ListContainers(
        self, request: containers_pb2.ListContainersRequest, context: Any
    ) -> containers_pb2.ListContainersResponse:
        answer: containers_pb2.ListContainersResponse = self._answer("ListContainers", request, context)
        return answer

    def ListEvents(
        self, request: containers_pb2.ListEventsRequest, context: Any
    ) -> containers_pb2.ListEventsResponse:
        answer: containers_pb2.ListEventsResponse = self._answer("ListEvents", request, context)
        return answer

    def GetLogs(
        self, request: containers_pb2.GetLogsRequest, context: Any
    ) -> Iterator[containers_pb2.GetLogsResponse]:
        yield from self._answer("GetLogs", request, context)

    def Exec(
        self, request_iterator: Iterator[containers_pb2.ExecRequest], context: Any
    ) -> Iterator[containers_pb2.ExecResponse]:
        yield from self._answer("Exec", list(request_iterator), context)

    def GetCaller(self, request: access_pb2.GetCallerRequest, context: Any) -> access_pb2.GetCallerResponse:
        answer: access_pb2.GetCallerResponse = self._answer("GetCaller", request, context)
        return answer

    def CreateApiToken(self, request: Any, context: Any) -> Any:
        return self._answer("CreateApiToken", request, context)

    def ListApiTokens(self, request: Any, context: Any) -> Any:
        return self._answer("ListApiTokens", request, context)

    def RevokeApiToken(self, request: Any, context: Any) -> Any:
        return self._answer("RevokeApiToken", request, context)

    def GetUsage(
        self, request: containers_pb2.GetUsageRequest, context: Any
    ) -> Iterator[containers_pb2.GetUsageResponse]:
        yield from self._answer("GetUsage", request, context)

    def GetStatus(self, request: api_pb2.GetStatusRequest, context: Any) -> api_pb2.GetStatusResponse:
        answer: api_pb2.GetStatusResponse = self._answer("GetStatus", request, context)
        return answer

    def GetLedger(self, request: api_pb2.GetLedgerRequest, context: Any) -> api_pb2.GetLedgerResponse:
        answer: api_pb2.GetLedgerResponse = self._answer("GetLedger", request, context)
        return answer

    def GetPipeline(self, request: api_pb2.GetPipelineRequest, context: Any) -> api_pb2.GetPipelineResponse:
        answer: api_pb2.GetPipelineResponse = self._answer("GetPipeline", request, context)
        return answer

    def ListReleases(
        self, request: api_pb2.ListReleasesRequest, context: Any
    ) -> api_pb2.ListReleasesResponse:
        answer: api_pb2.ListReleasesResponse = self._answer("ListReleases", request, context)
        return answer

    def Rollback(self, request: api_pb2.RollbackRequest, context: Any) -> api_pb2.RollbackResponse:
        answer: api_pb2.RollbackResponse = self._answer("Rollback", request, context)
        return answer

    def ListStreams(self, request: api_pb2.ListStreamsRequest, context: Any) -> api_pb2.ListStreamsResponse:
        answer: api_pb2.ListStreamsResponse = self._answer("ListStreams", request, context)
        return answer

    def ListNodes(self, request: api_pb2.ListNodesRequest, context: Any) -> api_pb2.ListNodesResponse:
        answer: api_pb2.ListNodesResponse = self._answer("ListNodes", request, context)
        return answer

    def GetNode(self, request: api_pb2.GetNodeRequest, context: Any) -> api_pb2.GetNodeResponse:
        answer: api_pb2.GetNodeResponse = self._answer("GetNode", request, context)
        return answer

    def RetireNode(self, request: api_pb2.RetireNodeRequest, context: Any) -> api_pb2.RetireNodeResponse:
        answer: api_pb2.RetireNodeResponse = self._answer("RetireNode", request, context)
        return answer

    def ListResults(self, request: api_pb2.ListResultsRequest, context: Any) -> api_pb2.ListResultsResponse:
        answer: api_pb2.ListResultsResponse = self._answer("ListResults", request, context)
        return answer

    def GetLatest(self, request: api_pb2.GetLatestRequest, context: Any) -> api_pb2.GetLatestResponse:
        answer: api_pb2.GetLatestResponse = self._answer("GetLatest", request, context)
        return answer
