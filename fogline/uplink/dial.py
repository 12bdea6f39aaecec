"""Channels to a parent, and the options that both sides of a link share."""

from collections.abc import Callable
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""Largest message either side takes. Parts are cut far below: 256 KiB at a node, 1 MiB at an aggregator."""

KEEPALIVE_MS: Final = 20_000
KEEPALIVE_ANSWER_MS: Final = 5_000

Option = tuple[str, int]

CHANNEL_OPTIONS: Final[tuple[Option, ...]] = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    # A ping that got no answer ends the connection by this one; gRPC alone would wait a minute.
    ("grpc.http2.ping_timeout_ms", KEEPALIVE_ANSWER_MS),
    ("grpc.http2.max_pings_without_data", 0),
    # Each dial shall really dial: a shared subchannel would sit in gRPC's own back-off, beside ours.
    ("grpc.use_local_subchannel_pool", 1),
    # A parent is an address of ours; a proxy in the environment is meant for browsers.
    ("grpc.enable_http_proxy", 0),
)


Dial = Callable[[str], grpc.aio.Channel]
"""Makes a channel to the parent at an address."""


def channel_to(address: str) -> grpc.aio.Channel:
    """A channel to a parent that neither encrypts nor shows who dials."""
    return grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)


async def ending_of(call: grpc.aio.Call) -> str:
    """Wait for the end of a call; its status in words. It is known only when everything before it was read."""
    return in_words(f"{(await call.code()).name}: {await call.details()}")


def in_words(status: str) -> str:
    """Add what it means to a status that speaks TLS."""
    meaning = next((words for sign, words in _TLS.items() if sign in status), "")
    return f"{meaning} ({status})" if meaning else status


_TLS: Final = {
    "certificate has expired": "by this machine's clock the parent's certificate has ended: is the clock right?",
    "Hostname Verification": "whoever answers is no parent of this machine's tenant",
    "CERTIFICATE_VERIFY_FAILED": "the parent's certificate is of another CA than this machine's identity",
    "WRONG_VERSION_NUMBER": "the parent speaks plain text at this port",
}


async def serves(address: str, *, within: float, dial: Dial = channel_to) -> bool:
    """Whether a server at this address says SERVING within so many seconds."""
    async with dial(address) as channel:
        try:
            answer = await health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=within, wait_for_ready=True
            )
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
