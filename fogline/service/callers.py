"""Who makes a call: asked once for each call, at the edge, and handed on as a value."""

from typing import Any

import grpc

from fogline.model.caller import LOCAL, Caller, Right
from fogline.model.errors import NotAllowed


def caller_of(context: grpc.aio.ServicerContext[Any, Any]) -> Caller:  # noqa: ARG001 - certificates will be read from it
    """The caller behind a call. Until certificates exist: everyone who reaches the port."""
    return LOCAL


def require(caller: Caller, right: Right) -> None:
    """Raise :class:`NotAllowed` unless the caller has the right."""
    if not caller.may(right):
        raise NotAllowed(f"tenant {caller.tenant} may not {right.value}")
