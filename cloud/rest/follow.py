"""A response that goes on for as long as its client does: newline-delimited JSON, or server-sent events."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Final

import msgspec
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from cloud.rest.answers import Changes
from cloud.rest.problems import problem_of
from fogline.client import read
from fogline.client.shape import shape_of
from fogline.model.errors import FogError
from fogline.v1 import api_pb2

NDJSON: Final = "application/x-ndjson"
EVENTS: Final = "text/event-stream"

Answers = AsyncGenerator[api_pb2.GetResultsResponse, None]


class Follow(Response):
    """Writes answers as they come, each when the one before was taken, until the client or the server goes."""

    def __init__(
        self, answers: Answers, *, first: api_pb2.GetResultsResponse, kind: str, stopping: asyncio.Event
    ) -> None:
        """``first`` was taken from ``answers`` already: what can be refused was."""
        super().__init__(media_type=kind, headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._answers: Final = answers
        self._first: Final = first
        self._stopping: Final = stopping
        self._spell: Final = _event if kind == EVENTS else _line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        async with aclosing(self._answers):
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(self._write(send), name="write to a follower")
                watching = [
                    group.create_task(_cancel(writing, after), name="watch a follower")
                    for after in (_gone(receive), self._stopping.wait())
                ]
                writing.add_done_callback(lambda _: [task.cancel() for task in watching])
            await send(_body(b"", more=False))

    async def _write(self, send: Send) -> None:
        await send(_body(self._spell(self._first)))
        try:
            async for answer in self._answers:
                await send(_body(self._spell(answer)))
        except FogError as error:
            problem = msgspec.json.encode(shape_of(problem_of(error)))
            events = self.media_type == EVENTS
            await send(
                _body(b"event: problem\ndata: %b\n\n" % problem if events else b'{"problem":%b}\n' % problem)
            )


def _line(answer: api_pb2.GetResultsResponse) -> bytes:
    return _json(answer) + b"\n"


def _event(answer: api_pb2.GetResultsResponse) -> bytes:
    """An event whose id is the token, with which browsers come back; without results only the id."""
    token = answer.resume_token.encode()
    return (
        b"id: %b\nevent: results\ndata: %b\n\n" % (token, _json(answer))
        if answer.results
        else b"id: %b\n\n" % token
    )


def _json(answer: api_pb2.GetResultsResponse) -> bytes:
    changes = Changes(
        results=tuple(read.result(result) for result in answer.results), resume_token=answer.resume_token
    )
    return msgspec.json.encode(shape_of(changes))


def _body(content: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cancel(task: asyncio.Task[None], after: Awaitable[object]) -> None:
    await after
    task.cancel()


Spell = Callable[[api_pb2.GetResultsResponse], bytes]
