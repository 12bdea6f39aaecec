"""Which cloud a command means, and how it shows itself there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from google.protobuf.message import Message

from fogline.cli.exits import reported
from fogline.client import link
from fogline.client.asks import Ask
from fogline.client.client import Client
from fogline.client.connection import Connection
from fogline.client.find import Place, find_cloud
from fogline.model.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What was said before the command: ``fogline --token-file FILE --ca FILE COMMAND``."""

    token: str | None = field(default=None, repr=False)
    ca: Path | None = None


_SHOWN: Final[ContextVar[Shown]] = ContextVar("shown")
_NOTHING: Final = Shown()


def note_shown(token_file: Path | None, ca: Path | None) -> None:
    """Keep what was said before the command for it. Raises :class:`InvalidInput`."""
    _SHOWN.set(Shown(token=read_token(token_file) if token_file is not None else None, ca=ca))


def shown() -> Shown:
    """What the running command was told."""
    return _SHOWN.get(_NOTHING)


def read_token(path: Path) -> str:
    """The token in a file. Raises :class:`InvalidInput`."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"--token-file {path} cannot be read: {error}") from None


class Server:
    """Which cloud a command means: ``--server``, ``--dir``, or neither."""

    def __init__(self, address: str | None, directory: Path | None) -> None:
        self._address = address
        self._directory = directory

    def place(self) -> Place:
        """Find it, and what is known of it."""
        told = shown()
        return find_cloud(self._address, self._directory, token=told.token, ca=told.ca)

    def connect(self) -> Client:
        """A client of it; the connection itself is made by the first call."""
        told = shown()
        return Client(self._address, directory=self._directory, token=told.token, ca=told.ca)


@contextmanager
def asking(place: Callable[[], Place], service: str) -> Iterator[Callable[..., Any]]:
    """Ask a service that the SDK does not have: method, request, answer's type; errors end the command."""
    with reported():
        connection = Connection(place(), timeout=link.TIMEOUT, attempts=link.ATTEMPTS)

        def ask(method: str, request: Message, answer: type[Message], *, repeatable: bool = True) -> Any:
            return connection.do(
                Ask(
                    method=f"{service}/{method}",
                    request=request,
                    answer=answer,
                    read=lambda said: said,
                    repeatable=repeatable,
                )
            )

        try:
            yield ask
        finally:
            connection.close()
