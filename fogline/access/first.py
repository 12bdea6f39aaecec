"""The file with the administrator's token, in the cloud's folder: the cloud writes it, who is beside it reads it."""

from pathlib import Path
from typing import Final

from fogline.access.token import ApiToken, new_api_token, parse_api_token
from fogline.service.files import write_whole

FILE: Final = "admin.token"


def read_token_file(path: Path) -> ApiToken:
    """The token in a file. Raises :class:`OSError`, :class:`fogline.model.errors.InvalidInput`."""
    return parse_api_token(path.read_text(encoding="utf-8", errors="replace"))


def write_token_file(path: Path, token: ApiToken) -> None:
    """Replace the file; nobody else can read it, not for a moment. Blocks on the disk, raises :class:`OSError`."""
    write_whole(path, f"{token}\n".encode(), private=True)


def ensure_token_file(folder: Path, authority: bytes) -> Path:
    """The file in a cloud's folder, with a new token if there is none: the cloud takes it up at its start."""
    path = folder / FILE
    if not path.exists():
        write_token_file(path, new_api_token(authority))
    return path
