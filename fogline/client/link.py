"""What both clients know about their connection: its options, when to try again, and what ends it."""

import random
from collections.abc import AsyncIterable, Iterable
from contextlib import AbstractContextManager
from typing import Final, Protocol

import stamina
from stamina.instrumentation import RetryDetails, RetryHook, get_on_retry_hooks, set_on_retry_hooks

from fogline.client.errors import TooSlow
from fogline.model.errors import FogError

OPTIONS: Final = (
    # A vanished server is noticed by a follower that would otherwise wait for ever, also a quiet one.
    ("grpc.keepalive_time_ms", 20_000),
    # A ping that got no answer ends the connection by this one; gRPC alone would wait a minute.
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # The server is an address of ours; a proxy in the environment is meant for browsers.
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
)
CHANGED_WITHIN: Final = 0.25
"""Seconds between two looks of somebody who waits for a change."""
TIMEOUT: Final = 10.0
ATTEMPTS: Final = 4
_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 2.0
_LEAST_DEADLINE: Final = 0.001


class Tries(Iterable[stamina.Attempt], AsyncIterable[stamina.Attempt], Protocol):
    """Attempts, with a pause before each but the first; for either kind of loop."""


def tries(attempts: int, timeout: float, *, repeatable: bool) -> Tries:
    """Try up to ``attempts`` times within ``timeout`` seconds while the error says that it may help."""
    return stamina.retry_context(
        on=_may_help,
        attempts=attempts if repeatable and timeout > 0 else 1,
        timeout=max(timeout, _LEAST_DEADLINE),
        wait_initial=_FIRST_WAIT,
        wait_max=_LONGEST_WAIT,
        wait_jitter=_FIRST_WAIT,
    )


def left(give_up: float, now: float) -> float:
    """Seconds that an attempt may take; a deadline in the past would read as none."""
    return max(give_up - now, _LEAST_DEADLINE)


def chance() -> float:
    """Draw from [0, 1)."""
    return random.random()  # noqa: S311 -- not a secret


def closed() -> FogError:
    """Make the error of a call on a client that was closed."""
    return FogError("the client is closed", hint="make a new one")


def another_process() -> FogError:
    """Make the error of a call in a forked child: gRPC's threads and sockets stayed with the parent."""
    return FogError(
        "the client's connection belongs to another process", hint="make a client in each process"
    )


def another_loop() -> FogError:
    """Make the error of a call on an event loop that is not the connection's."""
    return FogError(
        "the client's connection belongs to another event loop", hint="make a client in each loop"
    )


def _unless_ours(hook: RetryHook) -> RetryHook:
    def heard(details: RetryDetails) -> AbstractContextManager[None] | None:
        return None if isinstance(details.caused_by, FogError) else hook(details)

    return heard


def _may_help(error: Exception) -> bool:
    # A call that was too slow has used up its time.
    return isinstance(error, FogError) and error.retryable and not isinstance(error, TooSlow)


# stamina's hooks print by default: they go on to hear of every retry in this process but a client's own. This is done
# here and not by a constructor, which may run on an event loop: stamina imports what its hooks need.
set_on_retry_hooks([_unless_ours(hook) for hook in get_on_retry_hooks()])
