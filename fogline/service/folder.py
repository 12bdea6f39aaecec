"""A tier's data folder."""

import os
from pathlib import Path

from fogline.model.errors import FogError


class FolderUnusable(FogError):
    """The folder cannot be made or written."""

    code = "folder_unusable"


def make_folder(path: Path) -> None:
    """Make a folder if it is not there. Raises :class:`FolderUnusable` if nothing can be written in it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderUnusable(
            f"folder {path} cannot be made: {error.strerror}", hint="name another one"
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise FolderUnusable(f"folder {path} cannot be written", hint="change its owner, or name another one")
