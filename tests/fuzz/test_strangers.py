"""A bounded run of what ``fuzz_answers`` and ``fuzz_enrolment`` do without an end."""

import random

import pytest

from fogline.v1 import enrol_pb2
from fogline.wire import response
from tests.fuzz.enrolments import one_request, seeds, servicer
from tests.fuzz.mutation import changed
from tests.fuzz.operator_answers import SEEDS, one_answer


@pytest.mark.parametrize("looked_through", [0, response.SMALL])
def test_changed_answers_of_operators_are_taken_or_refused(
    monkeypatch: pytest.MonkeyPatch, looked_through: int
) -> None:
    monkeypatch.setattr(response, "SMALL", looked_through)
    rng = random.Random(731)
    for seed in SEEDS:
        one_answer(seed)
    for _ in range(20_000):
        one_answer(changed(rng, SEEDS))


# Certificates that are no good are warned of before they are refused.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_changed_requests_of_those_who_join_are_decided_or_refused() -> None:
    rng = random.Random(732)
    for seed in seeds():
        one_request(seed)
    with pytest.raises(StopIteration):
        servicer().Renew(enrol_pb2.RenewRequest.FromString(seeds()[2]), None).send(None)  # type: ignore[arg-type]  # the context is not asked
    for _ in range(2_000):
        one_request(changed(rng, seeds()))
