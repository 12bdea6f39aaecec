from pathlib import Path

import pytest

from fogline.engine.operation import FINISHING, OPERATIONS
from fogline.engine.state import DENSE_KINDS, SPARSE_KINDS

PAGE = Path(__file__).parents[4] / "docs" / "engine.md"


@pytest.mark.parametrize("name", [*OPERATIONS, *FINISHING])
def test_every_operation_is_documented(name: str) -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]

    assert any(f"`{name}`" in row.split(" | ")[0].replace("|", "") for row in rows)


@pytest.mark.parametrize("kind", [*DENSE_KINDS, *SPARSE_KINDS])
def test_every_kind_of_state_says_how_exact_it_is(kind: str) -> None:
    assert f"`{kind}`" in PAGE.read_text()
