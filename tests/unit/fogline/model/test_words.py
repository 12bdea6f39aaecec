"""Words of others."""

from hypothesis import given
from hypothesis import strategies as st

from fogline.model.words import plain


@given(st.text(), st.integers(1, 50))
def test_they_are_one_line_that_steers_nothing(text: str, most: int) -> None:
    shown = plain(text, most)
    assert shown.isprintable()
    assert len(shown) == min(len(text), most)


def test_what_can_be_printed_stays() -> None:
    assert plain("größer als 5 °C") == "größer als 5 °C"
    assert plain("\x1b[31mred\r\nnext\x07") == "?[31mred  next?"
    assert plain("abcdef", 3) == "ab…"
