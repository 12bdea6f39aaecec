"""Where things are shown."""

from urllib.parse import quote


def pipeline_link(name: str) -> str:
    """A pipeline's page."""
    return f"/pipelines/{quote(name, safe='')}"


def node_link(name: str) -> str:
    """A node's page."""
    return f"/nodes/{quote(name, safe='')}"


def ledger_link() -> str:
    """The ledger."""
    return "/ledger"
