"""Where a machine that joined keeps everything."""

import os
from pathlib import Path


def default_folder(role: str) -> Path:
    """Where a machine keeps everything, unless told otherwise."""
    if os.geteuid() == 0:
        return Path("/var/lib/fogline") / role
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "share") / f"fogline-{role}"


def joined() -> Path | None:
    """The settings that `fogline node join` wrote here; None: there are none, or this user may not read them."""
    path = default_folder("node") / "node.toml"
    return path if os.access(path, os.R_OK) else None
