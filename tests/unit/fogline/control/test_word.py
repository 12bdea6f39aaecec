"""What is believed of a parent's word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fogline.control.keys import Disbelieved, SigningKey
from fogline.control.word import Word, judge
from fogline.testing.control import KeyChain, desired_state
from fogline.v1 import control_pb2


def believed(
    told: control_pb2.AttachResponse, known: SigningKey | None = None, held: Word | None = None
) -> Word | None:
    found = judge(told, known=known, held=held, anchor=None)
    return None if found is None else found.word


def reason(
    told: control_pb2.AttachResponse, known: SigningKey | None = None, held: Word | None = None
) -> str:
    with pytest.raises(Disbelieved) as refused:
        judge(told, known=known, held=held, anchor=None)
    return refused.value.reason


CHAIN = KeyChain()
HELD = CHAIN.word(desired_state(5, "a"))
KNOWN = CHAIN.keys[0]


def test_a_newer_state_that_the_cloud_signed_is_believed() -> None:
    assert believed(CHAIN.word(desired_state(6)).told(), KNOWN, HELD) == CHAIN.word(desired_state(6))
    assert believed(HELD.told()) == HELD


def test_what_holds_already_is_no_news() -> None:
    assert believed(HELD.told(), KNOWN, HELD) is None


@given(at=st.integers(0), bit=st.integers(0, 7))
def test_a_state_with_any_bit_changed_is_refused(at: int, bit: int) -> None:
    told = CHAIN.word(desired_state(6, "plan")).told()
    content = bytearray(told.signed.content)
    content[at % len(content)] ^= 1 << bit
    told.signed.content = bytes(content)
    assert reason(told, KNOWN, HELD) == "tampered"


@given(signature=st.binary(max_size=70))
def test_a_signature_of_somebody_else_is_refused(signature: bytes) -> None:
    told = CHAIN.word(desired_state(6)).told()
    told.signed.signature = signature
    assert reason(told, KNOWN, HELD) == "tampered"


def test_an_older_state_is_refused_however_well_it_is_signed() -> None:
    assert reason(CHAIN.word(desired_state(4, "old")).told(), KNOWN, HELD) == "older"


def test_two_states_of_one_generation_cannot_both_be_right() -> None:
    assert reason(CHAIN.word(desired_state(5, "b")).told(), KNOWN, HELD) == "contested"


def test_an_unsigned_state_of_a_former_release_gives_way_to_the_same_generation() -> None:
    unsigned = Word(state=desired_state(5, "a"))
    assert believed(HELD.told(), None, unsigned) == HELD
    assert reason(CHAIN.word(desired_state(4)).told(), None, unsigned) == "older"


def test_a_state_of_another_installation_is_refused() -> None:
    assert reason(KeyChain().word(desired_state(9)).told(), KNOWN, HELD) == "unknown_key"


def test_after_a_rotation_the_key_before_signs_nothing_any_more() -> None:
    chain = KeyChain()
    old = chain.word(desired_state(7, "old key"))
    first = chain.keys[0]
    chain.rotate()
    new = judge(chain.word(desired_state(6)).told(), known=first, held=HELD, anchor=None)
    assert new is not None
    assert new.key == chain.keys[1]
    assert reason(old.told(), new.key, new.word) == "older_key"
    both = old.told()
    both.keys.append(chain.word(desired_state(1)).told().keys[1])
    assert reason(both, new.key, new.word) == "older_key"


def test_a_state_that_names_a_key_that_is_not_in_the_list_is_refused() -> None:
    told = CHAIN.word(desired_state(6)).told()
    told.signed.key = 9
    assert reason(told, KNOWN, HELD) == "unknown_key"


def test_a_word_without_a_state_is_refused() -> None:
    assert reason(control_pb2.AttachResponse(desired=desired_state(9)), KNOWN, HELD) == "unknown_key"


def test_content_that_is_no_state_is_refused_though_it_is_signed() -> None:
    chain = KeyChain()
    told = chain.sign(b"\xff\xff").told()
    assert reason(told) == "malformed"
