"""What certificates say, who may sign which, and that keys do what they are for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fogline.identity.authority import (
    ISSUING_LASTS_US,
    Authority,
    fingerprint_of,
    key_of_request,
    make_request,
    make_root,
)
from fogline.identity.certificates import describe, ends_us, key_of, leads_to, parse_pem, to_der
from fogline.identity.issuing import make_identity
from fogline.identity.joining import keys_of
from fogline.identity.keys import key_from_pem, key_id, key_to_pem, new_key, sign, verify
from fogline.identity.names import Subject
from fogline.identity.servicer import proven
from fogline.model.clock import DAY, EPOCH, SECOND
from fogline.model.errors import DataLoss, FogError, InvalidInput, NotAllowed
from fogline.v1 import enrol_pb2

NOW = 1_700_000_000 * SECOND
ROOT = make_root("test")
KEY = new_key()
N1 = Subject(tenant="main", role="node", name="n1")
A1 = Subject(tenant="main", role="aggregator", name="a1")


def issuing(tenant: str = "main") -> Authority:
    key = new_key()
    subject = Subject(tenant=tenant, role="aggregator", name="a1")
    certificate = ROOT.issue_issuing(key.public_key(), subject, now_us=NOW)
    return Authority(key=key, certificate=certificate, root=ROOT.certificate)


def test_a_certificate_names_its_machine_and_holds_since_the_ca_does() -> None:
    certificate = ROOT.issue(KEY.public_key(), N1, now_us=NOW)
    said = describe(certificate)
    assert (said.subject, said.key) == (N1, key_id(KEY.public_key()))
    assert said.issuer_key == key_id(key_of(ROOT.certificate))
    assert said.until_us == NOW + 90 * DAY
    assert certificate.not_valid_before_utc == ROOT.certificate.not_valid_before_utc == EPOCH
    assert len(fingerprint_of(certificate)) == 32


def test_what_an_aggregator_signs_does_not_outlive_its_right_to_sign() -> None:
    below = issuing()
    late = below.issue(KEY.public_key(), N1, now_us=NOW + ISSUING_LASTS_US - DAY)
    assert ends_us(late) == ends_us(below.certificate) == NOW + ISSUING_LASTS_US
    assert leads_to([late, below.certificate], ROOT.certificate)
    assert not leads_to([late], ROOT.certificate)
    assert not leads_to([], ROOT.certificate)
    with pytest.raises(InvalidInput, match="only the cloud lets somebody sign"):
        below.issue_issuing(KEY.public_key(), A1, now_us=NOW)


def renewal(authority: Authority, subject: Subject) -> enrol_pb2.RenewRequest:
    identity = make_identity(authority, subject, now_us=NOW)
    keys = keys_of(identity)
    request = make_request(keys.own)
    return enrol_pb2.RenewRequest(
        request=request,
        certificates=to_der(parse_pem(identity.chain_pem)),
        signature=sign(keys.own, request),
    )


def test_the_key_of_a_certificate_of_ours_proves_who_renews() -> None:
    for authority in (ROOT, issuing()):
        assert proven(renewal(authority, N1), ROOT.certificate).certificate.subject == N1


def test_an_aggregator_signs_for_nodes_of_its_tenant_alone() -> None:
    """TLS refuses such certificates by itself; a renewal comes where no certificate was asked for."""
    other = Subject(tenant="other", role="node", name="n1")
    with pytest.raises(NotAllowed, match="signed by somebody who may not"):
        proven(renewal(issuing(), other), ROOT.certificate)


def test_a_renewal_that_proves_nothing_is_refused() -> None:
    good, foreign = renewal(ROOT, N1), renewal(make_root("foreign"), N1)
    with pytest.raises(NotAllowed, match="of another CA"):
        proven(foreign, ROOT.certificate)
    mixed = enrol_pb2.RenewRequest(
        request=foreign.request, certificates=good.certificates, signature=good.signature
    )
    with pytest.raises(NotAllowed, match="does not have the certificate's key"):
        proven(mixed, ROOT.certificate)
    with pytest.raises(InvalidInput, match="shows 1 to 4 certificates"):
        proven(enrol_pb2.RenewRequest(), ROOT.certificate)


GOOD = renewal(ROOT, N1)


@given(st.data())
def test_any_change_of_a_renewal_is_refused_in_words(data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(["request", "signature", "certificates"]))
    spoiled = enrol_pb2.RenewRequest.FromString(GOOD.SerializeToString())
    content = bytearray(spoiled.certificates[0] if field == "certificates" else getattr(spoiled, field))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    cut = bytes(content[: data.draw(st.sampled_from([place, len(content)]))])
    if field == "certificates":
        spoiled.certificates[0] = cut
    else:
        setattr(spoiled, field, cut)
    with pytest.raises(FogError):
        proven(spoiled, ROOT.certificate)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_request_or_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        key_of_request(content)


def test_a_request_is_signed_by_its_key() -> None:
    assert key_of_request(make_request(KEY)) == KEY.public_key()
    spoiled = bytearray(make_request(KEY))
    spoiled[-1] ^= 1
    with pytest.raises(InvalidInput):
        key_of_request(bytes(spoiled))


def test_only_the_keys_owner_signs() -> None:
    signature = sign(KEY, b"content")
    assert verify(KEY.public_key(), b"content", signature)
    assert not verify(KEY.public_key(), b"other", signature)
    assert not verify(new_key().public_key(), b"content", signature)
    assert key_from_pem(key_to_pem(KEY), where="here").public_key() == KEY.public_key()
    with pytest.raises(DataLoss, match="here holds no private key"):
        key_from_pem(b"nothing", where="here")


def test_a_certificate_without_a_name_of_ours_names_nobody() -> None:
    with pytest.raises(InvalidInput):
        describe(ROOT.certificate)
