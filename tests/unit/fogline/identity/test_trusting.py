"""Which CAs a machine goes by."""

from dataclasses import replace

from fogline.identity.authority import make_root
from fogline.identity.certificates import leads_to
from fogline.identity.keys import new_key
from fogline.identity.names import Subject
from fogline.identity.trusting import MAX_ROOTS, bundle, roots_of, trusting, vouched_for
from fogline.v1 import enrol_pb2

OLD, NEW, OTHER = make_root("old"), make_root("new"), make_root("other")
N1 = Subject(tenant="main", role="node", name="n1")
BOTH = replace(OLD, beside=(NEW.root,))


def test_a_ca_that_the_own_one_vouches_for_is_trusted_beside_it() -> None:
    trusted = trusting((OLD.root,), vouched_for(BOTH))
    assert trusted == BOTH.roots == (OLD.root, NEW.root)
    assert trusting(trusted, vouched_for(BOTH)) == trusted, "once"
    assert roots_of(bundle(trusted)) == trusted
    certificate = NEW.issue(new_key().public_key(), N1, now_us=1)
    assert leads_to([certificate], *trusted)
    assert not leads_to([certificate], OLD.root)


def test_what_nobody_that_is_trusted_vouches_for_is_left_out() -> None:
    forged = vouched_for(replace(OTHER, beside=(NEW.root,)))
    (right,) = vouched_for(BOTH)
    (another,) = vouched_for(replace(OLD, beside=(OTHER.root,)))
    mixed = enrol_pb2.TrustedAuthority(certificate=another.certificate, signature=right.signature)
    nonsense = enrol_pb2.TrustedAuthority(certificate=b"x", signature=b"y")
    assert trusting((OLD.root,), [*forged, mixed, nonsense]) == (OLD.root,)


def test_whoever_passes_an_offer_on_takes_nobody_away() -> None:
    assert trusting(BOTH.roots, []) == BOTH.roots


def test_a_bounded_number_is_trusted() -> None:
    many = replace(OLD, beside=tuple(make_root(str(number)).root for number in range(MAX_ROOTS + 2)))
    assert len(trusting((OLD.root,), vouched_for(many))) == MAX_ROOTS
