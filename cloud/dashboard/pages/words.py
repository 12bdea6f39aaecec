"""Small pieces of text on pages."""

from nicegui.elements.mixins.text_element import TextElement


class Heading(TextElement, default_classes="heading"):
    """The title of a part of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(tag="h2", text=text)
