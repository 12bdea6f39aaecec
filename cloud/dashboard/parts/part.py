"""An element that the browser draws from one value."""

from pathlib import Path
from typing import Any, ClassVar, Final

from nicegui.element import Element

BROWSER: Final = Path(__file__).parent / "browser"


class Part(Element, esm={"fogline": str(BROWSER)}):
    """Draws ``view``, a text of JSON.

    The text is made once for all browsers (:meth:`cloud.dashboard.live.source.Live.text`), and goes to a browser
    only when it changed. A subclass names its script as ``component``.
    """

    label: ClassVar[str] = ""

    def __init__(self, view: str, **fixed: Any) -> None:
        super().__init__()
        self._props["view"] = view
        for name, value in fixed.items():
            self._props[name] = value

    def show(self, view: str) -> None:
        """Draw this instead."""
        if view != self._props["view"]:
            self._props["view"] = view
