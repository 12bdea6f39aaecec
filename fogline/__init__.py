"""Fogline: one SQL pipeline across fog nodes, aggregators and the cloud."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fogline.client.aio.client import AsyncClient as AsyncClient
    from fogline.client.client import Client as Client

__version__ = "0.1.0"
__all__ = ["AsyncClient", "Client", "__version__"]


def __getattr__(name: str) -> object:
    # A node imports `fogline` for its model; it must not pay for the SDK.
    if name in ("AsyncClient", "Client"):
        from fogline import client  # noqa: PLC0415 -- lazy on purpose, see above

        return getattr(client, name)
    raise AttributeError(f"module 'fogline' has no attribute {name!r}")
