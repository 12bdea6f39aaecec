"""Requests of those who join: ``python -m tests.fuzz.fuzz_enrolment -max_total_time=60``. Needs atheris."""

import sys

import atheris

with atheris.instrument_imports(include=["fogline.identity"]):
    from tests.fuzz.enrolments import one_request

if __name__ == "__main__":
    atheris.Setup(sys.argv, one_request)
    atheris.Fuzz()
