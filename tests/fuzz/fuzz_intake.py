"""Parts from the wire: ``python -m tests.fuzz.fuzz_intake -max_total_time=60``. Needs atheris."""

import sys

import atheris

with atheris.instrument_imports(include=["fogline.wire"]):
    from tests.fuzz.wire_parts import one_part

if __name__ == "__main__":
    atheris.Setup(sys.argv, one_part)
    atheris.Fuzz()
