"""Lists in pages, in the order of their names: what comes and goes meanwhile neither repeats nor skips the others."""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from cloud.api.tokens import NamePlace, Tokens
from fogline.model.errors import InvalidInput

DEFAULT_PAGE: Final = 100
MAX_PAGE: Final = 1_000

T = TypeVar("T")


def page_size(asked: int) -> int:
    """The size of a page; 0 takes the default. Raises :class:`InvalidInput`."""
    if asked > MAX_PAGE:
        raise InvalidInput(
            f"a page has at most {MAX_PAGE} entries, not {asked}", hint="ask for less, and for further pages"
        )
    return asked or DEFAULT_PAGE


def page_of(
    entries: Iterable[T], name: Callable[[T], tuple[str, ...]], *, size: int, token: str, tokens: Tokens
) -> tuple[list[T], str]:
    """The page behind a token, and the token of the next one: empty at the end."""
    behind = tokens.open(token, NamePlace).name if token else None
    rest = sorted((entry for entry in entries if behind is None or name(entry) > behind), key=name)
    page = rest[: page_size(size)]
    return page, tokens.seal(NamePlace(name(page[-1]))) if len(page) < len(rest) else ""
