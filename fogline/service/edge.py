"""The edge of a server: bytes become messages, errors become statuses, and nothing else calls ``abort``."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Any, Final, NoReturn, TypeAlias

import grpc
import structlog
from google.protobuf.message import DecodeError
from grpc_status import rpc_status

from fogline.model.errors import DeadlinePassed, FogError, InvalidInput
from fogline.service.callers import note_caller
from fogline.service.doors import Door, OpenDoor
from fogline.service.ending import until
from fogline.service.spelling import to_status

MAX_UNARY_SECONDS: Final = 30.0
"""A call that is answered once is given up after so long, whatever deadline its caller gave it."""

Context = grpc.aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"
Behaviour = Callable[[Any, Context], Any]

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Edge(grpc.aio.ServerInterceptor):
    """Wraps every method: asks the door who calls; what cannot be decoded, or a :class:`FogError`, becomes status
    and hint.
    """

    def __init__(self, *, door: Door | None = None, unary_s: float = MAX_UNARY_SECONDS) -> None:
        """``unary_s``: longest time that a call with one answer may take, in seconds."""
        self._door: Final = door or OpenDoor()
        self.unary_s = unary_s
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
        guarded = self._guarded(
            handler_call_details.method,
            behaviour,
            parse,
            streaming=handler.request_streaming,
            once=not handler.response_streaming,
        )
        return make(guarded, request_deserializer=None, response_serializer=handler.response_serializer)

    def _guarded(
        self, method: str, behaviour: Behaviour, parse: Callable[[bytes], Any], *, streaming: bool, once: bool
    ) -> Callable[[Any, Context], Awaitable[Any]]:
        async def call(raw: Any, context: Context) -> Any:
            try:
                caller = await self._door.caller(context, method)
                note_caller(caller)
                request = _parsed_each(raw, parse) if streaming else _parsed(raw, parse)
                answer = behaviour(request, context)
                if not inspect.isasyncgen(answer):
                    return await (self._in_time(answer) if once else answer)
                async with aclosing(until(answer, partial(self._door.ended, caller))) as answers:
                    async for response in answers:
                        await context.write(response)
            except FogError as error:
                self.refused += 1
                await _abort(context, error)
            except grpc.aio.AbortError:
                raise
            except Exception as error:  # noqa: BLE001 - logged with its traceback, and counted
                # The outermost edge of a call: one broken call must not end the others.
                if _is_gone(error):
                    return None
                self.failed += 1
                _log.exception("call failed")
                await _abort(context, FogError("nobody foresaw this error"))

        return call

    async def _in_time(self, answer: Awaitable[Any]) -> Any:
        try:
            async with asyncio.timeout(self.unary_s):
                return await answer
        except TimeoutError:
            raise DeadlinePassed(f"no answer within {self.unary_s:g} s") from None


async def _abort(context: Context, error: FogError) -> NoReturn:
    spelled = rpc_status.to_status(to_status(error))
    await context.abort(spelled.code, spelled.details, tuple(spelled.trailing_metadata))
    raise AssertionError  # abort raises


def _is_gone(error: BaseException) -> bool:
    """Whether a call broke because its caller went while it was written to: nobody is left to be told."""
    if isinstance(error, BaseExceptionGroup):
        return all(_is_gone(inner) for inner in error.exceptions)
    return isinstance(error, grpc.aio.InternalError)


def _parsed(raw: bytes, parse: Callable[[bytes], Any]) -> Any:
    try:
        return parse(raw)
    except DecodeError as error:
        raise InvalidInput("the request is not a message of this method") from error


async def _parsed_each(raws: AsyncIterator[bytes], parse: Callable[[bytes], Any]) -> AsyncIterator[Any]:
    async for raw in raws:
        yield _parsed(raw, parse)
