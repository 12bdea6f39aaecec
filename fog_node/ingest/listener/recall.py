"""What the node remembers of senders when it starts, from its journal."""

from collections.abc import Collection, Iterable

from fog_node.ingest.listener.settings import ListenerSettings
from fog_node.ingest.ports import Memory
from fog_node.ingest.rebuild import rebuild_sessions
from fog_node.ingest.session import Sessions


async def recalled_sessions(
    journal: Memory,
    streams: Iterable[str],
    settings: ListenerSettings,
    *,
    now_us: int,
    brokers: Collection[str] = (),
) -> Sessions:
    """The sessions of devices and brokers, as the newest messages of these streams tell them.

    ``brokers``: what the journal calls the brokers that are read from.
    """
    keep_us = settings.session_keep_s * 1_000_000
    sessions = Sessions(
        keep_us=keep_us, most_sessions=settings.most_sessions, most_entries=settings.remembered_messages
    )
    await rebuild_sessions(
        journal,
        streams,
        sessions,
        newest=settings.rebuild_messages,
        keep_us=keep_us,
        now_us=now_us,
        brokers=brokers,
    )
    return sessions
