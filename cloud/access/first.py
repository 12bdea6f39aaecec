"""The first token of an installation: an administrator's, in a file that only the cloud's user can read."""

import asyncio
from pathlib import Path
from typing import Final

import structlog

from cloud.store.access import ApiTokenRow, ApiTokens
from fogline.access.first import FILE, read_token_file, write_token_file
from fogline.access.token import ApiToken, new_api_token
from fogline.model.caller import LOCAL, PEOPLES
from fogline.model.clock import Clock
from fogline.model.errors import FogError, InvalidInput

NAME: Final = "administrator"

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


async def make_first(tokens: ApiTokens, folder: Path, authority: bytes, clock: Clock) -> Path | None:
    """Make sure that somebody can come in: the file with an administrator's token, or None if the store has one
    whose text is elsewhere.

    The file is written before the store hears of it: a crash in between leaves a file that the next start takes up.
    Raises :class:`FogError` if it cannot be written.
    """
    path = folder / FILE
    found = await asyncio.to_thread(_read, path)
    if found is not None and await tokens.create_first(_row(found, clock.now_us()), clock.now_us()):
        return path
    made = new_api_token(authority)
    await asyncio.to_thread(_write, path, made)
    if await tokens.create_first(_row(made, clock.now_us()), clock.now_us()):
        _log.info("an administrator's API token was made", file=str(path))
        return path
    # What the file had opens nothing, and neither does the new one: somebody else has a token that does.
    await asyncio.to_thread(path.unlink, missing_ok=True)
    return None


async def make_another(tokens: ApiTokens, folder: Path, authority: bytes, clock: Clock) -> Path:
    """Make a further administrator's token, whatever there is, and write it to the file."""
    made, path = new_api_token(authority), folder / FILE
    await asyncio.to_thread(_write, path, made)
    await tokens.create(_row(made, clock.now_us()), clock.now_us())
    return path


def _row(token: ApiToken, now_us: int) -> ApiTokenRow:
    return ApiTokenRow(
        id=token.id, tenant=LOCAL.tenant, name=NAME, rights=PEOPLES, hash=token.hash, created_us=now_us
    )


def _read(path: Path) -> ApiToken | None:
    try:
        return read_token_file(path)
    except (FileNotFoundError, InvalidInput):
        return None
    except OSError as error:
        raise FogError(f"{path} cannot be read: {error.strerror}") from error


def _write(path: Path, token: ApiToken) -> None:
    try:
        write_token_file(path, token)
    except OSError as error:
        raise FogError(f"{path} cannot be written: {error.strerror}") from error
