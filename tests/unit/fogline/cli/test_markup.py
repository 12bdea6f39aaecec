"""What others wrote, on a terminal."""

from io import StringIO

import pytest
from rich.console import Console

from fogline.cli.markup import escape
from fogline.cli.tables import health, print_faults


def test_neither_markup_nor_control_characters_of_others_are_obeyed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = StringIO()
    Console(file=screen, force_terminal=True, color_system=None, width=200).print(
        escape("[red]no[/nothing] \x1b]0;title\x07")
    )
    assert screen.getvalue() == "[red]no[/nothing] ?]0;title?\n"
    print_faults((name, "\x1b[2J[/] is wrong") for name in ("n1", "n2", "[n3]"))
    assert capsys.readouterr().out == "n1, n2, [n3]: ?[2J[/] is wrong\n"


def test_health_is_a_word_and_how_much_is_wrong() -> None:
    assert health(alive=True) == "[green]well[/]"
    assert health(alive=True, faults=("a", "b")) == "[yellow]2 faults[/]"
    assert health(alive=False, faults=("a",)) == "[red]silent[/], [yellow]1 fault[/]"
