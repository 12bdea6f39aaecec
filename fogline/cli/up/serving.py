"""When the dashboard can be opened."""

import asyncio
import http.client
from http import HTTPStatus
from typing import Final

from fogline.client.errors import TooSlow

_ANSWER_SECONDS: Final = 2.0
_AGAIN_SECONDS: Final = 0.1


async def serving(address: str, *, within: float) -> None:
    """Wait until the dashboard answers at ``host:port``. Raises :class:`TooSlow` after ``within`` seconds."""
    try:
        async with asyncio.timeout(within):
            while not await asyncio.to_thread(_answers, address):  # noqa: ASYNC110 -- another process sends no event
                await asyncio.sleep(_AGAIN_SECONDS)
    except TimeoutError:
        raise TooSlow(f"the dashboard does not answer at {address}", hint="look at its log") from None


def _answers(address: str) -> bool:
    connection = http.client.HTTPConnection(address, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
