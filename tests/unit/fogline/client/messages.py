"""What a scripted cloud says."""

from datetime import UTC, datetime
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage

from fogline.model.trailing import DETAIL_KEY, HINT_KEY
from fogline.v1 import api_pb2

START = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
START_US = int(START.timestamp()) * 1_000_000


def window(change: int, start_us: int = START_US) -> api_pb2.Result:
    return api_pb2.Result(
        pipeline="air",
        step="by_zone",
        window_start_us=start_us,
        window_end_us=start_us + 10_000_000,
        key=[api_pb2.KeyValue(name="zone", value="a"), api_pb2.KeyValue(name="lot")],
        values=[
            api_pb2.NamedValue(name="n", int_value=3),
            api_pb2.NamedValue(name="avg", float_value=1.5),
            api_pb2.NamedValue(name="nothing"),
            api_pb2.NamedValue(name="word", text_value=""),
            api_pb2.NamedValue(name="truth", bool_value=False),
        ],
        status=api_pb2.WINDOW_STATUS_PARTIAL,
        have=1,
        expected=2,
        missing=["node-2"],
        revision=4,
        change=change,
        readings=3,
    )


def abort(code: grpc.StatusCode, details: str, *, hint: str = "", detail: Any = None) -> Any:
    trailing = []
    if hint:
        trailing.append((HINT_KEY, hint.encode()))
    if detail is not None:
        packed = AnyMessage()
        packed.Pack(detail)
        trailing.append((DETAIL_KEY, packed.SerializeToString()))

    def answer(_request: Any, context: grpc.ServicerContext) -> None:
        context.set_trailing_metadata(tuple(trailing))
        context.abort(code, details)

    return answer
