"""Every error that can cross a border, in one table: gRPC's statuses and HTTP's problems are two spellings of it.

A code is for programs: once released it keeps its meaning. docs/errors.md explains each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from grpc import StatusCode

DOMAIN: Final = "fogline"
"""Domain of the ErrorInfo that carries a code over gRPC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One kind of error."""

    code: str
    status: StatusCode
    http: int
    title: str
    """What is wrong, whatever the occasion."""
    hint: str = ""
    """What to do, unless the occasion says better."""
    retry_s: float = 0.0
    """When the same call may succeed, in seconds; 0: not without a change."""


def _entries() -> tuple[Entry, ...]:
    invalid, state, busy = (
        StatusCode.INVALID_ARGUMENT,
        StatusCode.FAILED_PRECONDITION,
        StatusCode.RESOURCE_EXHAUSTED,
    )
    away, internal = StatusCode.UNAVAILABLE, StatusCode.INTERNAL
    anew = "leave the token out to begin again"
    return (
        # What a caller of the API meets.
        Entry(code="invalid_input", status=invalid, http=400, title="The input cannot be accepted"),
        Entry(code="invalid_spec", status=invalid, http=422, title="The spec has mistakes"),
        Entry(code="too_large", status=invalid, http=413, title="The request is too large"),
        Entry(
            code="unsupported_media_type",
            status=invalid,
            http=415,
            title="The body's type is not taken here",
        ),
        Entry(code="not_found", status=StatusCode.NOT_FOUND, http=404, title="There is nothing of that name"),
        Entry(
            code="method_not_allowed",
            status=StatusCode.UNIMPLEMENTED,
            http=405,
            title="The path does not take this method",
        ),
        Entry(
            code="not_allowed",
            status=StatusCode.PERMISSION_DENIED,
            http=403,
            title="The caller lacks the right",
        ),
        Entry(code="conflict", status=state, http=409, title="The state of things does not allow it"),
        Entry(
            code="stream_taken",
            status=state,
            http=409,
            title="Another pipeline defines the stream differently",
        ),
        Entry(
            code="overtaken",
            status=StatusCode.ABORTED,
            http=409,
            title="Somebody else has just changed it",
            hint="look again",
            retry_s=1.0,
        ),
        Entry(
            code="broker_not_shared",
            status=state,
            http=409,
            title="Several nodes read from one broker, and each gets every message",
        ),
        Entry(
            code="node_alive", status=state, http=409, title="The node still reports", hint="stop it first"
        ),
        Entry(
            code="page_token_expired",
            status=state,
            http=410,
            title="The page token holds no longer",
            hint=anew,
        ),
        Entry(
            code="resume_token_expired",
            status=state,
            http=410,
            title="The resume token holds no longer",
            hint=anew,
        ),
        Entry(
            code="too_many_followers",
            status=busy,
            http=429,
            title="As many follow as may",
            hint="try again later, or ask for pages",
            retry_s=5.0,
        ),
        Entry(code="unavailable", status=away, http=503, title="Not now", hint="try again", retry_s=1.0),
        Entry(
            code="store_busy",
            status=away,
            http=503,
            title="The store could not answer",
            hint="try again",
            retry_s=1.0,
        ),
        Entry(
            code="deadline_exceeded",
            status=StatusCode.DEADLINE_EXCEEDED,
            http=504,
            title="No answer in time",
            hint="ask for less, or try again; whether a change took effect is unknown",
            retry_s=1.0,
        ),
        Entry(
            code="data_loss",
            status=StatusCode.DATA_LOSS,
            http=500,
            title="Stored bytes are not what was written",
        ),
        Entry(
            code="internal",
            status=internal,
            http=500,
            title="Nobody foresaw this error",
            hint="the server's log says more",
        ),
        # What only a client says.
        Entry(code="unreachable", status=away, http=503, title="Nobody answers at the address", retry_s=1.0),
        Entry(
            code="extra_missing",
            status=StatusCode.FAILED_PRECONDITION,
            http=409,
            title="A library is not installed that comes with an extra",
        ),
        # What passes between tiers, or is said at a start.
        Entry(
            code="malformed_part", status=invalid, http=400, title="A part contradicts itself or the protocol"
        ),
        Entry(code="malformed_plan", status=invalid, http=400, title="A plan contradicts itself"),
        Entry(code="malformed_packet", status=invalid, http=400, title="Bytes that are no MQTT"),
        Entry(code="not_mqtt5", status=invalid, http=400, title="The broker does not speak MQTT 5"),
        Entry(code="not_mergeable", status=invalid, http=400, title="States that do not merge"),
        Entry(code="invalid_expression", status=invalid, http=400, title="An expression without a meaning"),
        Entry(code="invalid_settings", status=invalid, http=400, title="The settings cannot be used"),
        Entry(
            code="stream_replaced",
            status=StatusCode.ABORTED,
            http=409,
            title="The same child opened a newer stream",
            retry_s=1.0,
        ),
        Entry(code="step_failed", status=internal, http=500, title="A step could not answer", retry_s=1.0),
        Entry(
            code="journal_full", status=busy, http=429, title="The stream's journal has no room", retry_s=1.0
        ),
        Entry(code="journal_locked", status=state, http=409, title="Another process holds the journal"),
        Entry(code="journal_closed", status=away, http=503, title="The journal was closed", retry_s=1.0),
        Entry(code="journal_unreadable", status=state, http=409, title="The journal is of a newer release"),
        Entry(code="journal_failed", status=away, http=503, title="The disk refused", retry_s=1.0),
        Entry(code="port_taken", status=state, http=409, title="The address cannot be listened on"),
        Entry(code="folder_unusable", status=state, http=409, title="The folder cannot be made or written"),
    )


CATALOGUE: Final[Mapping[str, Entry]] = {entry.code: entry for entry in _entries()}
