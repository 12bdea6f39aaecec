"""Who makes a call: found out once for each call, at the server's edge, and handed on as a value."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

import grpc

from fogline.model.caller import Caller, Right
from fogline.model.errors import InvalidInput, NotAllowed

RENEW: Final = "connect again with the renewed certificate: machines renew where they joined"
_CALLER: Final[ContextVar[Caller]] = ContextVar("caller")


def note_caller(caller: Caller) -> None:
    """Hand the caller to what handles this call; a call has a task, and so a context, of its own."""
    _CALLER.set(caller)


def caller_of(context: grpc.aio.ServicerContext[Any, Any]) -> Caller:  # noqa: ARG001 - says whose call is meant
    """The caller behind a call. Raises :class:`NotAllowed` where no door has asked for it."""
    return current_caller()


def current_caller() -> Caller:
    """The same, for doors that have no context to show."""
    try:
        return _CALLER.get()
    except LookupError:
        raise NotAllowed("nobody knows who calls") from None


def require(caller: Caller, right: Right) -> None:
    """Raise :class:`NotAllowed` unless the caller has the right."""
    if not caller.may(right):
        who = f"{caller.role} {caller.name}" if caller.name else f"tenant {caller.tenant}"
        has = ", ".join(sorted(each.value for each in caller.rights)) or "none"
        raise NotAllowed(f"{who} may not {right.value}", hint=f"its rights: {has}")


def is_revoked(caller: Caller, revoked: Callable[[str], bool]) -> bool:
    """Whether the key of the caller's certificate, or of its issuer's, was taken back."""
    return revoked(caller.key) or revoked(caller.issuer_key)


def is_expired(caller: Caller, now_us: int) -> bool:
    """Whether the certificate that the caller showed has ended."""
    return bool(caller.until_us) and now_us >= caller.until_us


def require_name(caller: Caller, child: str, *, role: str = "") -> None:
    """Raise :class:`NotAllowed` if a child gives itself another name, or role, than its certificate does."""
    if caller.name and (child != caller.name or role not in ("", caller.role)):
        said = f"{role} {child}" if role else child
        raise NotAllowed(
            f"the certificate is that of {caller.role} {caller.name}, and the caller says {said}",
            hint="the name in the settings must be the one that the machine joined under",
        )


def require_origin(caller: Caller, tenant: str, node: str) -> None:
    """Raise :class:`InvalidInput` if a child sends what is not its own: another tenant's, or another node's."""
    if caller.name and (tenant != caller.tenant or not caller.speaks_for(node)):
        raise InvalidInput(
            f"{caller.role} {caller.name} of {caller.tenant} may not send what node {node} of {tenant} has"
        )
