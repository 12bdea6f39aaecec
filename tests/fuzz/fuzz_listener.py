"""Strangers at the listener: ``python -m tests.fuzz.fuzz_listener -max_total_time=60``. Needs atheris."""

import sys

import atheris

with atheris.instrument_imports(include=["fog_node.ingest"]):
    from tests.fuzz.listener import one_stranger

if __name__ == "__main__":
    atheris.Setup(sys.argv, one_stranger)
    atheris.Fuzz()
