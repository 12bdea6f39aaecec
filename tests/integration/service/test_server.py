"""The skeleton that every tier's server stands on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from fogline.model.errors import Fault, FogError, InvalidInput, NotFound, StoreBusy
from fogline.model.faults import SpecErrors
from fogline.service.listen import PortTaken
from fogline.service.server import Server
from fogline.testing.gate import Gate
from fogline.uplink.dial import channel_to, serves
from fogline.v1 import api_pb2, api_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]
STATUS = "fogline.v1.StatusService"
RESULTS = "fogline.v1.ResultService"


def wrong_spec(faults: int) -> SpecErrors:
    return SpecErrors(
        "air.yaml",
        [Fault(line=n + 1, column=3, path=f"steps.s{n}", message="x" * 50) for n in range(faults)],
    )


class Status(api_pb2_grpc.StatusServiceServicer):
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.gate = Gate()

    async def GetStatus(  # noqa: N802 - the contract's name
        self, request: api_pb2.GetStatusRequest, context: Context
    ) -> api_pb2.GetStatusResponse:
        await self.gate.pass_()
        if self.error is not None:
            raise self.error
        return api_pb2.GetStatusResponse(version="9")

    async def GetLedger(  # noqa: N802 - the contract's name
        self, request: api_pb2.GetLedgerRequest, context: Context
    ) -> api_pb2.GetLedgerResponse:
        raise NotFound("there is no ledger")


class Results(api_pb2_grpc.ResultServiceServicer):
    async def GetResults(  # noqa: N802 - the contract's name
        self, request: api_pb2.GetResultsRequest, context: Context
    ) -> AsyncIterator[api_pb2.GetResultsResponse]:
        yield api_pb2.GetResultsResponse()
        raise NotFound(f"there is no pipeline {request.pipeline!r}")

    async def ListResults(  # noqa: N802 - the contract's name
        self, request: api_pb2.ListResultsRequest, context: Context
    ) -> api_pb2.ListResultsResponse:
        raise NotFound("there are no results")

    async def GetLatest(  # noqa: N802 - the contract's name
        self, request: api_pb2.GetLatestRequest, context: Context
    ) -> api_pb2.GetLatestResponse:
        raise NotFound("there are no results")


def serving(status: Status, listen: str = "127.0.0.1:0") -> Server:
    server = Server(listen=listen, grace_s=0.2)
    server.add(STATUS, lambda s: api_pb2_grpc.add_StatusServiceServicer_to_server(status, s))
    server.add(RESULTS, lambda s: api_pb2_grpc.add_ResultServiceServicer_to_server(Results(), s))
    return server


async def failure(server: Server) -> grpc.aio.AioRpcError:
    async with channel_to(server.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await api_pb2_grpc.StatusServiceStub(channel).GetStatus(api_pb2.GetStatusRequest())
        return caught.value


class Spelled:
    """What an error says besides its status."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        (packed,) = [v for k, v in error.trailing_metadata() or () if k == "grpc-status-details-bin"]
        assert isinstance(packed, bytes)
        self.size = len(packed)
        self.status = status_pb2.Status.FromString(packed)
        self.info = error_details_pb2.ErrorInfo()
        self.retry = error_details_pb2.RetryInfo()
        self.faults = api_pb2.SpecFaults()
        self.request = error_details_pb2.BadRequest()
        for detail in self.status.details:
            assert [detail.Unpack(m) for m in (self.info, self.retry, self.faults, self.request)].count(
                True
            ) == 1


async def test_an_error_of_ours_becomes_its_status_with_code_and_hint() -> None:
    async with serving(Status(NotFound("no node 7", hint="look at fogline status"))) as server:
        error = await failure(server)
        assert error.code() is grpc.StatusCode.NOT_FOUND
        assert error.details() == "no node 7"
        info = Spelled(error).info
        assert (info.domain, info.reason) == ("fogline", "not_found")
        assert info.metadata == {"hint": "look at fogline status"}
        assert server.edge.refused == 1


async def test_an_error_says_when_to_try_again() -> None:
    async with serving(Status(StoreBusy("the store is away"))) as server:
        assert Spelled(await failure(server)).retry.retry_delay.seconds == 1


async def test_an_error_with_places_carries_them() -> None:
    async with serving(Status(wrong_spec(2))) as server:
        spelled = Spelled(await failure(server))
        assert spelled.info.reason == "invalid_spec"
        assert [(f.line, f.column, f.path) for f in spelled.faults.faults] == [
            (1, 3, "steps.s0"),
            (2, 3, "steps.s1"),
        ]
        assert [v.field for v in spelled.request.field_violations] == ["steps.s0", "steps.s1"]


async def test_places_that_do_not_fit_are_left_out() -> None:
    async with serving(Status(wrong_spec(1_000))) as server:
        error = await failure(server)
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        spelled = Spelled(error)
        assert [f.line for f in spelled.faults.faults] == list(range(1, len(spelled.faults.faults) + 1))
        assert 1 < len(spelled.faults.faults) < 1_000
        assert spelled.size <= 4_000


async def test_words_that_do_not_fit_are_cut() -> None:
    async with serving(Status(FogError("ä" * 10_000, hint="ö" * 10_000))) as server:
        error = await failure(server)
        assert len(error.details() or "") == 500
        assert len(Spelled(error).info.metadata["hint"]) == 500


async def test_an_answer_that_takes_too_long_is_given_up() -> None:
    status = Status()
    status.gate.close()
    server = serving(status)
    server.edge.unary_s = 0.01
    async with server:
        error = await failure(server)
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert Spelled(error).info.reason == "deadline_exceeded"


async def test_an_error_that_nobody_foresaw_says_nothing_of_the_inside() -> None:
    async with serving(Status(ZeroDivisionError("secret"))) as server:
        error = await failure(server)
        assert error.code() is grpc.StatusCode.INTERNAL
        assert "secret" not in (error.details() or "")
        assert Spelled(error).info.reason == "internal"
        assert server.edge.failed == 1


async def test_calls_are_counted_by_method_and_status() -> None:
    status = Status(NotFound("no node 7"))
    async with serving(status) as server, channel_to(server.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await api_pb2_grpc.StatusServiceStub(channel).GetStatus(api_pb2.GetStatusRequest())
        status.error = None
        for _ in range(2):
            await api_pb2_grpc.StatusServiceStub(channel).GetStatus(api_pb2.GetStatusRequest())
        call = api_pb2_grpc.ResultServiceStub(channel).GetResults(api_pb2.GetResultsRequest())
        await call.read()
        with pytest.raises(grpc.aio.AioRpcError):
            await call.read()
        made_up: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/{STATUS}/MadeUp")
        with pytest.raises(grpc.aio.AioRpcError):
            await made_up(b"")

        counted = {name: count for name, count in server.calls.ended.items() if "Reflection" not in name[0]}
        assert counted == {
            ("StatusService.GetStatus", "NOT_FOUND"): 1,
            ("StatusService.GetStatus", "OK"): 2,
            ("ResultService.GetResults", "NOT_FOUND"): 1,
        }
        assert not any(server.calls.running.values())
        assert sum(server.calls.durations["StatusService.GetStatus"].snapshot().counts) == 3
        assert "ResultService.GetResults" not in server.calls.durations


async def test_a_stream_of_answers_can_end_with_an_error() -> None:
    async with serving(Status()) as server, channel_to(server.address) as channel:
        call = api_pb2_grpc.ResultServiceStub(channel).GetResults(api_pb2.GetResultsRequest(pipeline="p"))
        assert await call.read() == api_pb2.GetResultsResponse()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("method", [f"/{STATUS}/GetStatus", f"/{RESULTS}/GetResults"])
async def test_bytes_that_are_no_request_are_the_callers_mistake(method: str) -> None:
    async with serving(Status()) as server, channel_to(server.address) as channel:
        raw: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(method)
        call = raw(b"\xff\xff")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_health_is_told_for_each_service_and_gone_before_anything_stops() -> None:
    status = Status()
    status.gate.close()
    async with serving(status) as server, channel_to(server.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for name in ("", STATUS, RESULTS):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        assert await serves(server.address, within=5.0)
        call = asyncio.ensure_future(
            api_pb2_grpc.StatusServiceStub(channel).GetStatus(api_pb2.GetStatusRequest())
        )
        await status.gate.reached()
        await server.retire()
        assert not await serves(server.address, within=5.0)
        assert not call.done()
        status.gate.open()
        assert (await call).version == "9"


async def test_nobody_serves_where_nobody_is() -> None:
    assert not await serves("127.0.0.1:1", within=0.2)


async def test_reflection_lists_the_services() -> None:
    async with serving(Status()) as server, channel_to(server.address) as channel:
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        answer = await stub.ServerReflectionInfo(iter([request])).read()
        names = {service.name for service in answer.list_services_response.service}
        assert names >= {STATUS, RESULTS, "grpc.health.v1.Health"}


async def test_a_port_that_is_taken_is_said() -> None:
    async with serving(Status()) as server:
        with pytest.raises(PortTaken, match="another process"):
            async with serving(Status(), server.address):
                pass


async def test_a_message_beyond_the_limit_is_refused() -> None:
    async with serving(Status()) as server, channel_to(server.address) as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/{STATUS}/GetStatus")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(b"\x0a" + b"x" * (17 * 2**20))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "192.0.2.1:7070", "[::]:0", "example.org:1"])
async def test_only_loopback_is_listened_on_unless_told(listen: str) -> None:
    with pytest.raises(InvalidInput, match="set insecure"):
        Server(listen=listen)


async def test_insecure_is_said_loudly(capsys: pytest.CaptureFixture[str]) -> None:
    async with Server(listen="0.0.0.0:0", insecure=True) as server:
        assert server.port
    assert "INSECURE" in capsys.readouterr().out


@pytest.mark.parametrize("listen", ["", "7070", "localhost", "localhost:http", ":7070"])
async def test_what_is_no_address_is_refused(listen: str) -> None:
    with pytest.raises(InvalidInput, match="host:port"):
        Server(listen=listen)


@pytest.mark.parametrize("listen", ["localhost:0", "127.0.0.2:0", "[::1]:0"])
async def test_loopback_has_several_names(listen: str) -> None:
    Server(listen=listen)
