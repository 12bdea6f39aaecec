"""Names under which a server sends more about an error, in a call's trailing metadata."""

from typing import Final

HINT_KEY: Final = "fogline-hint-bin"
"""What to do, in UTF-8."""
DETAIL_KEY: Final = "fogline-detail-bin"
"""A ``google.protobuf.Any`` with more about the error, for example SpecFaults."""
