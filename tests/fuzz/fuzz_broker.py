"""Brokers that talk nonsense: ``python -m tests.fuzz.fuzz_broker -max_total_time=60``. Needs atheris."""

import sys

import atheris

with atheris.instrument_imports(include=["fog_node.ingest"]):
    from tests.fuzz.broker import one_broker

if __name__ == "__main__":
    atheris.Setup(sys.argv, one_broker)
    atheris.Fuzz()
