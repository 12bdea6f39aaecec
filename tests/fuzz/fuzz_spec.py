"""Coverage-guided fuzzing of specs, SQL and plans: `python tests/fuzz/fuzz_spec.py -max_total_time=60`."""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))
with atheris.instrument_imports(include=["fogline.spec", "fogline.sql", "fogline.wire"]):
    from tests.fuzz.spec_texts import one_input

if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
