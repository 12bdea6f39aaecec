"""Join tokens as texts, and whether they open the door."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fogline.identity.judging import KnownToken, judge
from fogline.identity.names import Subject, subject_of
from fogline.identity.token import JoinToken, TokenRefused, hash_of, new_token, parse_token
from fogline.model.clock import HOUR, SECOND
from fogline.model.errors import InvalidInput

NOW = 1_700_000_000 * SECOND
N1 = Subject(tenant="main", role="node", name="n1")
OPEN = KnownToken(hash=hash_of(b"secret"), subject=N1, expires_us=NOW + HOUR)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=16, max_size=16))
def test_a_token_is_read_as_it_was_written(authority: bytes, secret: bytes) -> None:
    token = JoinToken(tenant="main", authority=authority, secret=secret)
    assert parse_token(f" {token}\n") == token


@given(st.binary(min_size=16, max_size=16), st.data())
def test_a_token_that_was_cut_or_mistyped_is_known_as_such(secret: bytes, data: st.DataObject) -> None:
    text = str(JoinToken(tenant="main", authority=b"a" * 32, secret=secret))
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("aZ09_-. ").filter(lambda letter: letter != text[place]))
    for spoiled in (text[:place], text[:place] + other + text[place + 1 :]):
        if spoiled.strip() != text:
            with pytest.raises(TokenRefused, match="not a whole join token"):
                parse_token(spoiled)


@given(st.text())
def test_any_text_is_a_token_or_refused(text: str) -> None:
    with pytest.raises(TokenRefused):
        parse_token(text)


def test_a_token_does_not_show_its_secret() -> None:
    token = new_token("main", b"a" * 32)
    assert str(token.secret) not in repr(token)


def judged(token: KnownToken | None, **asked: object) -> Subject:
    return judge(token, **{"role": "node", "name": "", "key": "k", "now_us": NOW, **asked})  # type: ignore[arg-type] # as drawn


def test_an_open_token_gives_the_name_that_it_was_made_for() -> None:
    assert judged(OPEN) == judged(OPEN, name="n1") == N1


@given(
    used=st.none() | st.tuples(st.integers(0, NOW), st.sampled_from(["k", "other"])),
    revoked=st.none() | st.integers(0, NOW),
    expires=st.sampled_from([NOW - 1, NOW, NOW + 1]),
    role=st.sampled_from(["node", "aggregator"]),
    name=st.sampled_from(["", "n1", "n2"]),
)
def test_a_token_opens_only_if_nothing_speaks_against_it(
    used: tuple[int, str] | None, revoked: int | None, expires: int, role: str, name: str
) -> None:
    token = KnownToken(
        hash=b"h",
        subject=N1,
        expires_us=expires,
        used_us=used[0] if used else None,
        used_key=used[1] if used else "",
        revoked_us=revoked,
    )
    against = (
        revoked is not None
        or (used is not None and used[1] != "k")
        or expires <= NOW
        or role != "node"
        or name == "n2"
    )
    if against:
        with pytest.raises(TokenRefused) as refused:
            judged(token, role=role, name=name)
        assert refused.value.hint
    else:
        assert judged(token, role=role, name=name) == N1


def test_who_is_named_stands_in_the_certificate_as_a_uri() -> None:
    assert N1.uri == "fogline://main/node/n1"
    assert subject_of(N1.uri) == N1


@pytest.mark.parametrize(
    "uri",
    ["", "https://main/node/n1", "fogline://main/node", "fogline://main/king/n1", "fogline://A/node/n1"],
)
def test_a_uri_that_names_nobody_is_refused(uri: str) -> None:
    with pytest.raises(InvalidInput):
        subject_of(uri)
