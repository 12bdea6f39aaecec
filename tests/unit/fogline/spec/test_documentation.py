"""What docs/pipelines.md shows is run as it stands."""

import re
from pathlib import Path

import pytest

from fogline.spec import document, make_plan, operators, read, read_spec, services, streams
from fogline.spec.document import MAX_CHARACTERS, MAX_VALUES
from fogline.spec.steps import KEYS as STEP_KEYS
from fogline.spec.steps import LATER, MAX_SQL
from fogline.sql.expression import MAX_DEPTH
from fogline.sql.parse import MAX_NESTING, MAX_TOKENS
from fogline.sql.vocabulary import AGGREGATES, CASTS, FUNCTIONS
from fogline.wire.plan import plan_from_wire, plan_to_wire

PAGE = (Path(__file__).parents[4] / "docs" / "pipelines.md").read_text()
SPECS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", SPECS, ids=[text.split("\n")[0] for text in SPECS])
def test_a_spec_of_the_reference_becomes_a_plan(text: str) -> None:
    plan = make_plan(read_spec(text, "pipelines.md"), "main")

    assert plan_from_wire(plan_to_wire(plan)) == plan


@pytest.mark.parametrize("word", [*AGGREGATES, *FUNCTIONS, *CASTS, *STEP_KEYS, *read.KEYS, *streams.KEYS])
def test_every_word_is_documented(word: str) -> None:
    assert re.search(rf"`[^`\n]*\b{word}\b[^`\n]*`", PAGE)


@pytest.mark.parametrize("word", [*read.LATER, "sink"])
def test_what_comes_later_is_said(word: str) -> None:
    assert word in read.LATER or word in LATER
    assert word in PAGE


@pytest.mark.parametrize(
    "limit", [MAX_CHARACTERS, MAX_VALUES, MAX_SQL, MAX_TOKENS, MAX_NESTING, MAX_DEPTH, document.MAX_DEPTH]
)
def test_every_limit_is_documented(limit: int) -> None:
    assert f"{limit:,}" in PAGE


@pytest.mark.parametrize("word", [*operators.KEYS, *services.KEYS])
def test_every_key_of_containers_is_documented(word: str) -> None:
    assert re.search(rf"^\|[^|]*`{word}`", PAGE, re.MULTILINE)
