"""A Prometheus, asked over its HTTP API for what the shipped board shows."""

import asyncio
import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

BOARD = Path(__file__).parents[1] / "deploy" / "grafana" / "dashboards" / "fogline.json"
SILENT = {"Brokers", "Connections turned away or ended"}
"""Panels with nothing to show where nothing is wrong and no broker is read."""


def read(url: str) -> bytes:
    """What is there."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        return bytes(answer.read())


class Prometheus:
    """Asked over its HTTP API."""

    def __init__(self, root: str) -> None:
        self._root = root

    async def get(self, path: str, **parameters: str) -> Any:
        """The answer's data; None while it does not answer. Fails with its words if it refuses."""
        url = f"{self._root}{path}?{urllib.parse.urlencode(parameters)}"
        try:
            answer = await asyncio.to_thread(read, url)
        except urllib.error.HTTPError as error:
            pytest.fail(f"{parameters}: {error.read().decode()}")
        except OSError:
            return None
        return json.loads(answer)["data"]

    async def vector(self, expression: str) -> list[dict[str, Any]]:
        """What an expression is now."""
        data = await self.get("/api/v1/query", query=expression)
        return [] if data is None else list(data["result"])


def as_asked(expression: str, interval: str) -> str:
    """The expression as Grafana sends it."""
    return expression.replace("$__rate_interval", interval).replace("$instance", ".*")


def panels(interval: str = "10s") -> list[tuple[str, list[str]]]:
    """Titles and queries of the board, with rates over this time: four scrapes, as Grafana takes."""
    found = json.loads(BOARD.read_text())["panels"]
    return [
        (p["title"], [as_asked(t["expr"], interval) for t in p["targets"]])
        for p in found
        if p["type"] != "row"
    ]


async def shows_something(server: Prometheus, expressions: list[str]) -> bool:
    """Whether a panel with these queries is not empty."""
    return any([await server.vector(expression) for expression in expressions])
