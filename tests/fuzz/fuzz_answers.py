"""Answers of operators: ``python -m tests.fuzz.fuzz_answers -max_total_time=60``. Needs atheris."""

import sys

import atheris

with atheris.instrument_imports(include=["fogline.wire"]):
    from tests.fuzz.operator_answers import one_answer

if __name__ == "__main__":
    atheris.Setup(sys.argv, one_answer)
    atheris.Fuzz()
