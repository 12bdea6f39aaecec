"""How an error is spelled in gRPC: google.rpc.Status with ErrorInfo, and its places."""

from collections.abc import Sequence
from typing import Final

from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from fogline.model.catalogue import DOMAIN
from fogline.model.errors import Fault, FogError
from fogline.v1 import api_pb2

MAX_DETAIL_BYTES: Final = 4_000
"""gRPC takes 8 KiB of metadata in all, in base64 if the other side wants it; places that do not fit are left out."""
MAX_MESSAGE_CHARACTERS: Final = 500


def to_status(error: FogError) -> status_pb2.Status:
    """The status of an error, with what a program can read of it."""
    entry = error.entry
    info = error_details_pb2.ErrorInfo(reason=error.code, domain=DOMAIN)
    if error.hint:
        info.metadata["hint"] = _cut(error.hint)
    # The constant's value is a pair of number and words.
    status = status_pb2.Status(code=entry.status.value[0], message=_cut(error.message))
    _add(status, info)
    if entry.retry_s:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(round(entry.retry_s * 1e9))
        _add(status, retry)
    for detail in _places(error.places, MAX_DETAIL_BYTES - status.ByteSize()):
        _add(status, detail)
    return status


def _places(places: Sequence[Fault], room: int) -> Sequence[Message]:
    """The places for programs of ours and for those that know Google's details only: first ones first."""
    faults, request = api_pb2.SpecFaults(), error_details_pb2.BadRequest()
    for place in places:
        faults.faults.add(
            line=place.line, column=place.column, path=place.path, message=place.message, hint=place.hint
        )
        request.field_violations.add(field=place.path, description=str(place))
        if faults.ByteSize() + request.ByteSize() > room - 200:  # 200: what wraps the two
            del faults.faults[-1], request.field_violations[-1]
            break
    return (faults, request) if faults.faults else ()


def _add(status: status_pb2.Status, detail: Message) -> None:
    status.details.add().Pack(detail)


def _cut(words: str) -> str:
    return words if len(words) <= MAX_MESSAGE_CHARACTERS else words[: MAX_MESSAGE_CHARACTERS - 1] + "…"
