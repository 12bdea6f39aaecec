"""What may be asked in the query of a URL; a parameter that is not known is refused, as it is likely a misspelling."""

import re
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from cloud.api.pages import MAX_PAGE
from cloud.api.results import MAX_KEYS, MAX_WINDOWS
from fogline.model.clock import from_datetime

_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _instant(value: Any) -> Any:
    # In a URL a + is a space unless it was escaped, and nearly nobody escapes it.
    text = re.sub(r" (?=\d\d:\d\d$)", "+", value) if isinstance(value, str) else ""
    if not _RFC3339.fullmatch(text):
        raise ValueError("write an instant with its zone, for example 2026-01-31T12:00:00Z")
    return text


Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]


class Asked(BaseModel):
    """Parameters of a query."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Page(Asked):
    """Which page of a list."""

    page_size: int = Field(default=0, ge=0, le=MAX_PAGE)
    """Most entries of the page; 0 takes 100."""
    page_token: str = ""
    """`next_page_token` of the page before; empty: the first page."""


class StreamsPage(Page):
    """Which streams."""

    pipeline: str = ""
    """Only those of this pipeline; empty: all."""


class ContainersPage(Page):
    """Which containers, or whose events."""

    pipeline: str = ""
    """Only those of this pipeline; empty: all."""
    node: str = ""
    """Only those on this node; empty: all."""


class Windows(Asked):
    """Which windows."""

    since: Instant | None = None
    """Windows that start at or after this instant (RFC 3339 with its zone)."""
    until: Instant | None = None
    """Windows that start before this instant."""
    step: str = ""
    """Only those of this window step; empty: all."""

    def bounds(self) -> dict[str, int]:
        """As the contract has them, in microseconds."""
        asked = {"since_us": self.since, "until_us": self.until}
        return {name: _microseconds(value) for name, value in asked.items() if value is not None}


class ResultsPage(Windows, Page):
    """Which results, and which page of them."""


class FollowedWindows(Windows):
    """Which results to follow."""

    resume_token: str = ""
    """`resume_token` of the newest answer that was taken; empty: everything first."""


class LatestWindows(Asked):
    """How much of the newest."""

    step: str = ""
    """The window step; empty: the first by name."""
    windows: int = Field(default=0, ge=0, le=MAX_WINDOWS)
    """Newest windows; 0 takes 60."""
    keys: int = Field(default=0, ge=0, le=MAX_KEYS)
    """Keys, those with most readings in the newest closed window first; 0 takes 10."""


class LedgerOf(Asked):
    """Which part of the ledger."""

    pipeline: str = ""
    """Only this pipeline; empty: all."""


class Target(Asked):
    """What to go back to."""

    to: str = Field(default="", max_length=255)
    """A release's number, the beginning of a plan's name, or `PLAN/NUMBER`; empty: what was deployed before."""


class SpecFile(Asked):
    """Where a spec comes from."""

    file: str = Field(default="", max_length=255)
    """Name of its file, for messages."""


def _microseconds(instant: datetime) -> int:
    return from_datetime(instant)
