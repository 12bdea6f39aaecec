"""Small pieces of text on pages. A text is never read as HTML."""

from nicegui.elements.mixins.text_element import TextElement


class Heading(TextElement, default_classes="heading"):
    """The title of a part of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(tag="h2", text=text)


class Quiet(TextElement, default_classes="card empty"):
    """What stands where there is nothing to show."""

    def __init__(self, text: str) -> None:
        super().__init__(tag="p", text=text)
