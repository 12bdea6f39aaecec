"""Lists of signing keys, followed by machines that know some of them, with a CA and without."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from fogline.control.keys import Disbelieved, SigningKey, follow, key_to_wire, keys_from_wire, verify
from fogline.testing.control import KeyChain
from fogline.v1 import control_pb2

CA = Ed25519PrivateKey.generate()


def anchor(content: bytes, signature: bytes) -> bool:
    return verify(CA.public_key().public_bytes_raw(), content, signature)


def chain(length: int, *, certified: bool = False) -> tuple[SigningKey, ...]:
    keys = KeyChain()
    for _ in range(length - 1):
        keys.rotate()
    first, *others = keys.keys
    return (certify(first) if certified else first, *others)


def certify(key: SigningKey) -> SigningKey:
    return replace(key, signature=CA.sign(key.statement))


def refusal(known: SigningKey | None, offered: tuple[SigningKey, ...], *, ca: bool) -> str:
    with pytest.raises(Disbelieved) as refused:
        follow(known, offered, anchor if ca else None)
    return refused.value.reason


LONG = chain(6)
CERTIFIED = chain(6, certified=True)
OTHER = chain(6)


@given(known=st.integers(0, 6), first=st.integers(0, 5), ca=st.booleans())
def test_whoever_was_away_follows_every_key_that_came_since(known: int, first: int, *, ca: bool) -> None:
    """As long as the list begins no later than the key after the one that is known."""
    keys = CERTIFIED if ca else LONG
    before = keys[known - 1] if known else None
    offered = keys[min(first, known) :] if not ca or known else keys
    if offered:
        assert follow(before, offered, anchor if ca else None) == keys[-1]


@given(known=st.integers(2, 6), told=st.integers(1, 5))
def test_nobody_goes_back_to_an_older_key(known: int, told: int) -> None:
    if told < known:
        assert refusal(LONG[known - 1], LONG[:told], ca=False) == "older_key"


@given(known=st.integers(1, 6), length=st.integers(1, 6), ca=st.booleans())
def test_no_list_of_another_installation_is_followed(known: int, length: int, *, ca: bool) -> None:
    ours = (CERTIFIED if ca else LONG)[known - 1]
    assert refusal(ours, OTHER[:length], ca=ca) in ("unknown_key", "older_key")


@given(at=st.integers(1, 5), bit=st.integers(0, 511), known=st.integers(1, 6))
def test_a_list_with_one_wrong_signature_after_what_is_known_is_not_followed(
    at: int, bit: int, known: int
) -> None:
    wrong = bytearray(LONG[at].signature)
    wrong[bit // 8] ^= 1 << bit % 8
    offered = (*LONG[:at], replace(LONG[at], signature=bytes(wrong)), *LONG[at + 1 :])
    if known <= at:
        assert refusal(LONG[known - 1], offered, ca=False) == "unknown_key"
    else:
        assert follow(LONG[known - 1], offered, None) == LONG[-1]


def test_without_a_ca_the_first_list_that_is_told_is_believed() -> None:
    assert follow(None, LONG, None) == LONG[-1]


def test_with_a_ca_the_first_key_must_be_vouched_for() -> None:
    assert refusal(None, LONG, ca=True) == "unknown_key"
    assert follow(None, CERTIFIED, anchor) == CERTIFIED[-1]


def test_a_key_that_the_ca_vouches_for_mends_a_list_that_was_lost() -> None:
    restored = (*CERTIFIED[:2], certify(replace(OTHER[5], version=7)))
    for known in (None, *CERTIFIED):
        assert follow(known, restored, anchor) == restored[-1]


def test_a_hole_in_the_list_is_not_followed() -> None:
    assert refusal(LONG[0], (LONG[0], *LONG[2:]), ca=False) == "unknown_key"


def test_an_empty_list_says_nothing() -> None:
    assert refusal(None, (), ca=False) == "unknown_key"


@pytest.mark.parametrize(
    "messages",
    [
        [control_pb2.SigningKey(version=1, public_key=b"short")],
        [control_pb2.SigningKey(version=0, public_key=bytes(32))],
        [control_pb2.SigningKey(version=1, public_key=bytes(32), signature=bytes(1000))],
        [key_to_wire(LONG[1]), key_to_wire(LONG[0])],
        [key_to_wire(LONG[0]), key_to_wire(LONG[0])],
        [control_pb2.SigningKey(version=n + 1, public_key=bytes(32)) for n in range(1001)],
    ],
)
def test_what_is_no_list_of_keys_is_refused(messages: list[control_pb2.SigningKey]) -> None:
    with pytest.raises(Disbelieved) as refused:
        keys_from_wire(messages)
    assert refused.value.reason == "malformed"


def test_bytes_that_are_no_key_verify_nothing() -> None:
    assert not verify(b"\xff" * 32, b"content", bytes(64))
    assert not verify(b"", b"content", bytes(64))
