"""Tokens say where to go on, on this store and for this question only; lists neither repeat nor skip."""

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.api.pages import MAX_PAGE, page_of, page_size
from cloud.api.tokens import ChangePlace, NamePlace, ResultPlace, Tokens
from fogline.model.errors import InvalidInput, PageTokenExpired, ResumeTokenExpired

LIFE, OTHER_LIFE = b"\x01" * 16, b"\x02" * 16


def tokens(*, life: bytes = LIFE, question: str = "q") -> Tokens:
    return Tokens(incarnation=life, question=(question,), expired=ResumeTokenExpired)


@given(
    change=st.integers(0, 2**63 - 1),
    start=st.integers(-(2**63), 2**63 - 1),
    words=st.tuples(st.text(), st.text()),
)
def test_a_token_opens_to_what_was_sealed(change: int, start: int, words: tuple[str, str]) -> None:
    for place in (ChangePlace(change), ResultPlace(start, *words), NamePlace(words)):
        assert tokens().open(tokens().seal(place), type(place)) == place


@pytest.mark.parametrize("other", [tokens(life=OTHER_LIFE), tokens(question="else")])
def test_a_foreign_token_is_refused(other: Tokens) -> None:
    with pytest.raises(ResumeTokenExpired) as refused:
        tokens().open(other.seal(ChangePlace(1)), ChangePlace)
    assert refused.value.code == "resume_token_expired"
    assert "begin again" in refused.value.hint


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(ResumeTokenExpired):
        tokens().open(text, ChangePlace)


@pytest.mark.parametrize("place", [-1, 2**63, "1", None, [1]])
def test_a_forged_place_is_refused(place: object) -> None:
    sealed = base64.urlsafe_b64decode(tokens().seal(ChangePlace(1)) + "===")
    version, life, question, _ = msgspec.msgpack.decode(sealed)
    for forged in ([version, life, question, [place]], [version + 1, life, question, [1]], [version]):
        token = base64.urlsafe_b64encode(msgspec.msgpack.encode(forged)).decode()
        with pytest.raises(ResumeTokenExpired):
            tokens().open(token, ChangePlace)


def test_a_token_beyond_the_limit_is_not_even_read() -> None:
    with pytest.raises(ResumeTokenExpired):
        tokens().open("A" * 10_000, ChangePlace)


@given(names=st.sets(st.text(max_size=3), max_size=20), size=st.integers(1, 7), gone=st.data())
def test_pages_show_what_stays_once_and_in_order(names: set[str], size: int, gone: st.DataObject) -> None:
    seen: list[str] = []
    token, left = "", set(names)
    while True:
        page, token = page_of(left, lambda name: (name,), size=size, token=token, tokens=tokens())
        seen += page
        if not token:
            break
        left -= {gone.draw(st.sampled_from(sorted(left)))}
    assert seen == sorted(set(seen))
    assert left <= set(seen) <= names


def test_a_page_has_a_size() -> None:
    assert (page_size(0), page_size(7), page_size(MAX_PAGE)) == (100, 7, 1_000)
    with pytest.raises(InvalidInput, match="at most 1000"):
        page_size(MAX_PAGE + 1)
    with pytest.raises(PageTokenExpired):
        Tokens(incarnation=LIFE, question=(), expired=PageTokenExpired).open("x", NamePlace)
