"""What one browser looks at: its parts, told after every look."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from nicegui import Client

from cloud.dashboard.desk import Visit
from cloud.dashboard.live.snapshot import Snapshot
from cloud.dashboard.live.source import View
from cloud.dashboard.live.topics import Topic
from cloud.dashboard.parts.part import Part


@dataclass(frozen=True, slots=True)
class About:
    """A view of something named, or of a topic: equal ones make equal views, so that browsers share what it says."""

    make: Callable[..., Any]
    names: tuple[str | Topic[Any], ...]

    def __call__(self, snapshot: Snapshot) -> Any:
        """What the view says of the named."""
        return self.make(snapshot, *self.names)


class Screen:
    """Keeps the parts of one page in one browser up to date until the browser is gone."""

    def __init__(self, visit: Visit, client: Client, topics: Iterable[Topic[Any]]) -> None:
        live = visit.live
        self.live: Final = live
        self.who: Final = visit.who
        self._parts: Final[list[tuple[Part, View]]] = []
        self._watcher: Final = live.watch(topics, self._tell)
        client.on_delete(self._leave)

    async def ready(self) -> None:
        """Return when there is something to show, or it takes too long."""
        await self.live.served(self._watcher)

    def draw(self, kind: type[Part], view: View, **fixed: Any) -> Part:
        """Put a part where the page is being built, and keep it up to date."""
        part = kind(self.live.text(view), **fixed)
        self._parts.append((part, view))
        return part

    def _tell(self) -> None:
        for part, view in self._parts:
            part.show(self.live.text(view))

    def _leave(self) -> None:
        self.live.leave(self._watcher)
        self._parts.clear()
