"""Whether the kernel believes that this machine's clock is set by a time service."""

import ctypes
from typing import Final

_TIMEX_BYTES: Final = 512
"""More than ``struct timex`` has on any Linux."""
_TIME_ERROR: Final = 5


def clock_is_synchronised() -> bool | None:
    """Ask the kernel (``adjtimex``, reading only); None where it cannot be asked."""
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (AttributeError, OSError):
        return None
    # The first field says what to change: nothing.
    state = adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return None if state < 0 else bool(state != _TIME_ERROR)
