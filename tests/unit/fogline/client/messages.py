"""What a scripted cloud says."""

from datetime import UTC, datetime
from typing import Any

import grpc
from grpc_status import rpc_status

from fogline.model.errors import FogError
from fogline.service.spelling import to_status
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


def abort(error: FogError) -> Any:
    """As a server of ours spells it."""

    def answer(_request: Any, context: grpc.ServicerContext) -> None:
        context.abort_with_status(rpc_status.to_status(to_status(error)))

    return answer
