"""The edge of a server: bytes become messages, errors become statuses, and nothing else calls ``abort``."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, NoReturn, Protocol, TypeAlias, runtime_checkable

import grpc
import structlog
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError, Message

from fogline.model.errors import FogError, InvalidInput
from fogline.model.trailing import DETAIL_KEY, HINT_KEY

MAX_DETAIL_BYTES: Final = 6_000
"""gRPC takes 8 KiB of metadata in all; a longer detail is left out."""

Context = grpc.aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"
Behaviour = Callable[[Any, Context], Any]

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@runtime_checkable
class Detailed(Protocol):
    """An error that can say more than a sentence."""

    def detail(self) -> Message:
        """The message that goes into the trailing metadata."""
        ...


class Edge(grpc.aio.ServerInterceptor):
    """Wraps every method: what cannot be decoded, or a :class:`FogError`, becomes status and hint."""

    def __init__(self) -> None:
        self.refused = 0
        """Calls that ended with a :class:`FogError`."""
        self.failed = 0
        """Calls that ended with an error that nobody foresaw."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Wrap the handler of one call; gRPC asks for it."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        kind = ("stream" if handler.request_streaming else "unary") + (
            "_stream" if handler.response_streaming else "_unary"
        )
        behaviour: Behaviour = getattr(handler, kind)
        parse: Callable[[bytes], Any] = handler.request_deserializer or bytes
        make: Callable[..., Handler] = getattr(grpc, f"{kind}_rpc_method_handler")
        guarded = self._guarded(behaviour, parse, streaming=handler.request_streaming)
        return make(guarded, request_deserializer=None, response_serializer=handler.response_serializer)

    def _guarded(
        self, behaviour: Behaviour, parse: Callable[[bytes], Any], *, streaming: bool
    ) -> Callable[[Any, Context], Awaitable[Any]]:
        async def call(raw: Any, context: Context) -> Any:
            try:
                request = _parsed_each(raw, parse) if streaming else _parsed(raw, parse)
                answer = behaviour(request, context)
                if not inspect.isasyncgen(answer):
                    return await answer
                async for response in answer:
                    await context.write(response)
            except FogError as error:
                self.refused += 1
                await _abort(context, error)
            except grpc.aio.AbortError:
                raise
            except Exception:  # noqa: BLE001 - logged with its traceback, and counted
                # The outermost edge of a call: one broken call must not end the others.
                self.failed += 1
                _log.exception("call failed")
                await context.abort(
                    grpc.StatusCode.INTERNAL, "nobody foresaw this error; see the server's log"
                )

        return call


async def _abort(context: Context, error: FogError) -> NoReturn:
    trailing: list[tuple[str, bytes]] = []
    if error.hint:
        trailing.append((HINT_KEY, error.hint.encode()))
    if isinstance(error, Detailed):
        detail = AnyMessage()
        detail.Pack(error.detail())
        packed = detail.SerializeToString()
        if len(packed) <= MAX_DETAIL_BYTES:
            trailing.append((DETAIL_KEY, packed))
    await context.abort(error.status, error.message, tuple(trailing))
    raise AssertionError  # abort raises


def _parsed(raw: bytes, parse: Callable[[bytes], Any]) -> Any:
    try:
        return parse(raw)
    except DecodeError as error:
        raise InvalidInput("the request is not a message of this method") from error


async def _parsed_each(raws: AsyncIterator[bytes], parse: Callable[[bytes], Any]) -> AsyncIterator[Any]:
    async for raw in raws:
        yield _parsed(raw, parse)
