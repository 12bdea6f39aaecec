"""The frame of every page: header with health and theme, navigation, and the place for content."""

from dataclasses import asdict, dataclass
from typing import Final

import msgspec
from nicegui import app, ui

from cloud.dashboard.looks import ROUTE, STATIC, style_link
from cloud.dashboard.pages.screen import Screen
from cloud.dashboard.parts.elements import Frame
from cloud.dashboard.view import frame as view


@dataclass(frozen=True, slots=True)
class Door:
    """A page in the navigation."""

    name: str
    path: str
    icon: str


OVERVIEW: Final = Door("Overview", "/", "overview")
PIPELINES: Final = Door("Pipelines", "/pipelines", "pipelines")
STREAMS: Final = Door("Streams", "/streams", "streams")
LEDGER: Final = Door("Ledger", "/ledger", "ledger")
NODES: Final = Door("Nodes", "/nodes", "nodes")
DOORS: Final = (OVERVIEW, PIPELINES, STREAMS, LEDGER, NODES)


def frame(screen: Screen, door: Door, *, title: str = "", installation: str) -> Frame:
    """Draw what stands around a page's content; the content goes into what is returned.

    ``title``: of a page below that of the door.
    """
    ui.page_title(f"{title or door.name} · {installation}")
    chrome = {
        "installation": installation,
        "server": screen.live.address,
        "who": screen.who,
        "doors": [asdict(each) for each in DOORS],
        "here": door.path,
        "title": title or door.name,
        "above": asdict(door) if title else None,
    }
    around = ui.context.client.content.parent_slot
    if around is not None:
        around.parent.props("role=none")  # Quasar calls all of it <main>; the frame has its own
    part = screen.draw(Frame, view.state, chrome=msgspec.json.encode(chrome).decode())
    assert isinstance(part, Frame)
    return part


def serve_looks() -> None:
    """Serve the style sheet, and put it and the theme's script into every page's head."""
    script = (STATIC / "head.js").read_text()
    app.add_static_files(ROUTE, STATIC, max_cache_age=86_400)
    ui.add_head_html(f"{style_link()}<script>{script}</script>", shared=True)
