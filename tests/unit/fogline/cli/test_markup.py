"""What others wrote, on a terminal."""

from io import StringIO

from rich.console import Console

from fogline.cli.markup import escape
from fogline.cli.tables import health


def test_neither_markup_nor_control_characters_of_others_are_obeyed() -> None:
    screen = StringIO()
    Console(file=screen, force_terminal=True, color_system=None, width=200).print(
        escape("[red]no[/nothing] \x1b]0;title\x07"), health(alive=True, faults=("\x1b[2J[/]",))
    )
    assert screen.getvalue() == "[red]no[/nothing] ?]0;title? ?[2J[/]\n"
