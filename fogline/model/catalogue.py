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


def _row(
    code: str, status: StatusCode, http: int, title: str, *, hint: str = "", retry_s: float = 0.0
) -> Entry:
    return Entry(code=code, status=status, http=http, title=title, hint=hint, retry_s=retry_s)


_INVALID: Final = StatusCode.INVALID_ARGUMENT
_STATE: Final = StatusCode.FAILED_PRECONDITION
_BUSY: Final = StatusCode.RESOURCE_EXHAUSTED
_AWAY: Final = StatusCode.UNAVAILABLE
_INTERNAL: Final = StatusCode.INTERNAL
_ANEW: Final = "leave the token out to begin again"

_ROWS: Final = (
    # What a caller of the API meets.
    _row("invalid_input", _INVALID, 400, "The input cannot be accepted"),
    _row("invalid_spec", _INVALID, 422, "The spec has mistakes"),
    _row("too_large", _INVALID, 413, "The request is too large"),
    _row("unsupported_media_type", _INVALID, 415, "The body's type is not taken here"),
    _row("not_found", StatusCode.NOT_FOUND, 404, "There is nothing of that name"),
    _row("method_not_allowed", StatusCode.UNIMPLEMENTED, 405, "The path does not take this method"),
    _row("not_allowed", StatusCode.PERMISSION_DENIED, 403, "The caller lacks the right"),
    _row(
        "token_refused",
        StatusCode.PERMISSION_DENIED,
        403,
        "The join token opens nothing",
        hint="`fogline token create` makes a new one",
    ),
    _row("unauthenticated", StatusCode.UNAUTHENTICATED, 401, "Nobody knows who calls"),
    _row(
        "token_missing",
        StatusCode.UNAUTHENTICATED,
        401,
        "No API token was shown",
        hint="`fogline login HOST:PORT`, FOGLINE_TOKEN, or the SDK's token=; over HTTP `Authorization: Bearer TOKEN`",
    ),
    _row(
        "token_unknown",
        StatusCode.UNAUTHENTICATED,
        401,
        "The API token is none of this installation's",
        hint="`fogline api-token create` makes one, for whoever may admit others",
    ),
    _row(
        "token_expired",
        StatusCode.UNAUTHENTICATED,
        401,
        "The API token has ended",
        hint="`fogline api-token create` makes a new one",
    ),
    _row(
        "token_revoked",
        StatusCode.UNAUTHENTICATED,
        401,
        "The API token was taken back",
        hint="`fogline api-token create` makes a new one",
    ),
    _row(
        "too_many_attempts",
        _BUSY,
        429,
        "Too many calls from this address without a token that holds",
        hint="show one that holds: it is let in at once",
        retry_s=10.0,
    ),
    _row(
        "certificate_revoked",
        StatusCode.PERMISSION_DENIED,
        403,
        "The machine's certificate was taken back",
        hint="join again with a new token, if the machine is to belong here",
    ),
    _row("conflict", _STATE, 409, "The state of things does not allow it"),
    _row("stream_taken", _STATE, 409, "Another pipeline defines the stream differently"),
    _row(
        "overtaken",
        StatusCode.ABORTED,
        409,
        "Somebody else has just changed it",
        hint="look again",
        retry_s=1.0,
    ),
    _row("broker_not_shared", _STATE, 409, "Several nodes read from one broker, and each gets every message"),
    _row("node_alive", _STATE, 409, "The node still reports", hint="stop it first"),
    _row("page_token_expired", _STATE, 410, "The page token holds no longer", hint=_ANEW),
    _row("resume_token_expired", _STATE, 410, "The resume token holds no longer", hint=_ANEW),
    _row(
        "too_many_followers",
        _BUSY,
        429,
        "As many follow as may",
        hint="try again later, or ask for pages",
        retry_s=5.0,
    ),
    _row(
        "node_away",
        _AWAY,
        503,
        "No control stream leads to the node",
        hint="`fogline nodes` says when it was last heard of; of several cloud processes only one has its stream",
        retry_s=1.0,
    ),
    _row(
        "no_such_container",
        StatusCode.NOT_FOUND,
        404,
        "No such container runs",
        hint="`fogline containers` lists what runs where",
    ),
    _row(
        "exec_not_allowed",
        StatusCode.PERMISSION_DENIED,
        403,
        "The node's owner does not let commands be run there",
        hint="the owner may set allow_exec in the tenant's permit on the node",
    ),
    _row(
        "too_many_sessions",
        _BUSY,
        429,
        "As many look into containers as may",
        hint="end one, or try again later",
        retry_s=5.0,
    ),
    _row("registry_away", _AWAY, 503, "A registry of images does not answer", retry_s=10.0),
    _row("unavailable", _AWAY, 503, "Not now", hint="try again", retry_s=1.0),
    _row("store_busy", _AWAY, 503, "The store could not answer", hint="try again", retry_s=1.0),
    _row(
        "deadline_exceeded",
        StatusCode.DEADLINE_EXCEEDED,
        504,
        "No answer in time",
        hint="ask for less, or try again; whether a change took effect is unknown",
        retry_s=1.0,
    ),
    _row("data_loss", StatusCode.DATA_LOSS, 500, "Stored bytes are not what was written"),
    _row("internal", _INTERNAL, 500, "Nobody foresaw this error", hint="the server's log says more"),
    # What only a client says.
    _row("unreachable", _AWAY, 503, "Nobody answers at the address", retry_s=1.0),
    _row("extra_missing", _STATE, 409, "A library is not installed that comes with an extra"),
    # What passes between tiers, or is said at a start.
    _row("malformed_part", _INVALID, 400, "A part contradicts itself or the protocol"),
    _row("malformed_plan", _INVALID, 400, "A plan contradicts itself"),
    _row("malformed_release", _INVALID, 400, "A release contradicts itself"),
    _row("malformed_image", _INVALID, 400, "A text that names no image"),
    _row("malformed_manifest", _INVALID, 400, "Bytes that are no manifest of an image"),
    _row("no_such_image", _INVALID, 400, "A registry has no such image"),
    _row("malformed_packet", _INVALID, 400, "Bytes that are no MQTT"),
    _row("not_mqtt5", _INVALID, 400, "The broker does not speak MQTT 5"),
    _row("not_mergeable", _INVALID, 400, "States that do not merge"),
    _row("invalid_expression", _INVALID, 400, "An expression without a meaning"),
    _row("invalid_settings", _INVALID, 400, "The settings cannot be used"),
    _row("stream_replaced", StatusCode.ABORTED, 409, "The same child opened a newer stream", retry_s=1.0),
    _row("operator_failed", _INTERNAL, 500, "An operator could not answer"),
    _row("step_failed", _INTERNAL, 500, "A step could not answer", retry_s=1.0),
    _row("journal_full", _BUSY, 429, "The stream's journal has no room", retry_s=1.0),
    _row("journal_locked", _STATE, 409, "Another process holds the journal"),
    _row("journal_closed", _AWAY, 503, "The journal was closed", retry_s=1.0),
    _row("journal_unreadable", _STATE, 409, "The journal is of a newer release"),
    _row("journal_failed", _AWAY, 503, "The disk refused", retry_s=1.0),
    _row("update_failed", _STATE, 409, "The update did not work, and the former release stays"),
    _row("not_enrolled", _STATE, 409, "The machine has no identity"),
    _row("authority_differs", _STATE, 409, "The CA is not the one that the store knows"),
    _row("port_taken", _STATE, 409, "The address cannot be listened on"),
    _row("folder_unusable", _STATE, 409, "The folder cannot be made or written"),
)

CATALOGUE: Final[Mapping[str, Entry]] = {entry.code: entry for entry in _ROWS}
