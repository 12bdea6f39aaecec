"""Payloads of every format: ``python -m tests.fuzz.fuzz_decode -max_total_time=60``. Needs atheris."""

import sys

import atheris

with atheris.instrument_imports(include=["fog_node.decode"]):
    from tests.fuzz.payloads import one_payload

if __name__ == "__main__":
    atheris.Setup(sys.argv, one_payload)
    atheris.Fuzz()
