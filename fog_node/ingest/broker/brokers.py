"""All brokers that a node reads from."""

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from fog_node.ingest.broker.address import Address, address_of, check, sender
from fog_node.ingest.broker.kept import KeptBroker
from fog_node.ingest.broker.link import Link, Surroundings, tls_of
from fog_node.ingest.broker.settings import BrokerSettings
from fog_node.ingest.broker.standing import BrokerStanding
from fog_node.ingest.broker.subscriptions import SubscribedRouter
from fog_node.ingest.topics import TemplateRouter
from fogline.model.errors import InvalidInput

SHUTDOWN_S: Final = 5.0
"""How long messages in hand may still reach the journal when the node stops."""


class Brokers:
    """The node's links to brokers, as a context manager: inside it they are read from; leaving it waits for what is
    in hand.
    """

    def __init__(
        self,
        settings: Sequence[BrokerSettings],
        *,
        node: str,
        folder: Path,
        router: TemplateRouter,
        around: Surroundings,
    ) -> None:
        """``folder`` holds what is kept of each broker."""
        self._settings: Final = tuple(settings)
        self._node: Final = node
        self._folder: Final = folder
        self._router: Final = router
        self._around: Final = around
        self._links: list[Link] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._group: Final = asyncio.TaskGroup()

    def standings(self) -> list[BrokerStanding]:
        """How the node stands with each."""
        return [link.standing() for link in self._links]

    def changed(self) -> None:
        """The streams may have changed."""
        for link in self._links:
            link.changed()

    async def __aenter__(self) -> Self:
        """Raises :class:`InvalidInput` for settings that can never work; a broker that is away is no such thing."""
        names: set[tuple[str, str]] = set()
        for settings in self._settings:
            address = await asyncio.to_thread(_checked, settings)
            client_id = client_id_of(settings, self._node)
            if (address.identity, client_id) in names:
                raise InvalidInput(
                    f"{address.url} is set twice for client id {client_id}",
                    hint="a broker ends a connection when the same client id comes again",
                )
            names.add((address.identity, client_id))
            self._links.append(await self._link(settings, address, client_id))
        await self._group.__aenter__()
        for link in self._links:
            self._tasks.append(self._group.create_task(link.run(), name="read from a broker"))
        return self

    async def _link(self, settings: BrokerSettings, address: Address, client_id: str) -> Link:
        kept = KeptBroker(self._folder, f"{address.host}:{address.port}", client_id)
        await kept.load()
        return Link(
            settings,
            address,
            client_id=client_id,
            router=SubscribedRouter(self._router, settings.share),
            kept=kept,
            around=self._around,
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for link in self._links:
            link.stop()
        if self._tasks:
            # What waits for a full journal is given up: unacknowledged, it stays with the broker.
            _, waiting = await asyncio.wait(self._tasks, timeout=SHUTDOWN_S)
            for task in waiting:
                task.cancel()
        await self._group.__aexit__(kind, error, trace)


def client_id_of(settings: BrokerSettings, node: str) -> str:
    """What names the node's session in the broker."""
    return settings.client_id or f"fogline-{node}"


def senders(settings: Sequence[BrokerSettings], node: str) -> set[str]:
    """What the journal calls these brokers. Raises :class:`InvalidInput`; reads files."""
    return {sender(client_id_of(each, node), address_of(each)) for each in settings}


def _checked(settings: BrokerSettings) -> Address:
    address = address_of(settings)
    check(settings, address)
    if address.tls:
        try:
            tls_of(settings)
        except (OSError, ssl.SSLError) as fault:
            raise InvalidInput(f"cannot use TLS for {address.url}: {fault}") from fault
    return address
