"""Specs, SQL and plans: ``python -m tests.fuzz.fuzz_spec -max_total_time=60``. Needs atheris."""

import sys

import atheris

with atheris.instrument_imports(include=["fogline.spec", "fogline.sql", "fogline.wire"]):
    from tests.fuzz.spec_texts import one_input

if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
