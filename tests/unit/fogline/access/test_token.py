import pytest
from hypothesis import given
from hypothesis import strategies as st

from fogline.access.bearer import bearer, token_in
from fogline.access.token import MAX_CHARACTERS, new_api_token, parse_api_token
from fogline.model.errors import InvalidInput

TOKEN = str(new_api_token(b"f" * 32))


@pytest.mark.parametrize("authority", [b"", b"a" * 32])
def test_a_token_is_read_as_it_was_made(authority: bytes) -> None:
    token = new_api_token(authority)
    assert parse_api_token(f" {token}\n") == token
    assert token.fingerprint == authority[:16]
    assert len(str(token)) <= MAX_CHARACTERS


def test_its_value_shows_no_secret() -> None:
    token = new_api_token()
    assert str(token).split(".")[3] not in repr(token)
    assert repr(token.secret) not in repr(token)


@given(st.integers(0, len(TOKEN) - 1), st.characters(codec="utf-8"))
def test_a_mistyped_token_is_none(place: int, letter: str) -> None:
    spoiled = TOKEN[:place] + letter + TOKEN[place + 1 :]
    if spoiled.strip() != TOKEN:
        with pytest.raises(InvalidInput, match="not a whole API token"):
            parse_api_token(spoiled)


@given(st.integers(0, len(TOKEN) - 1))
def test_a_cut_token_is_none(end: int) -> None:
    with pytest.raises(InvalidInput):
        parse_api_token(TOKEN[:end])


@given(st.text(max_size=200))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_api_token(text)


@pytest.mark.parametrize("header", [bearer("t"), "bearer t", "BEARER  t ", b"Bearer t"])
def test_the_scheme_is_read_in_any_case(header: str | bytes) -> None:
    assert token_in(header) == "t"


@pytest.mark.parametrize("header", [None, "", "t", "Basic dDp0", "Bearer", "Bearer "])
def test_what_is_no_bearer_has_no_token(header: str | None) -> None:
    assert token_in(header) == ""
