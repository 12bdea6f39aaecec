"""Streams end with the certificate that they were opened with: TLS looks at it once, when a connection begins."""

from collections.abc import Callable
from typing import Final

from fogline.model.clock import Clock

LOOK_EVERY_S: Final = 10.0

End = Callable[[int], None]
"""Ends the streams whose caller's certificate has ended by this instant."""


async def end_expired(clock: Clock, *enders: End) -> None:
    """Look now and then, until cancelled. Whoever has renewed dials again at once, with the new certificate."""
    while True:
        await clock.sleep(LOOK_EVERY_S)
        for end in enders:
            end(clock.now_us())
