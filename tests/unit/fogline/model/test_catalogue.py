"""One table of errors: every class has a code of its own, and every code is explained."""

import ast
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from fogline.model.catalogue import CATALOGUE
from fogline.model.errors import FogError, NotFound, StoreBusy
from tests.unit.docs.blocks import ROOT

PACKAGES = ("fogline", "fog_node", "aggregator", "cloud")
ROW = re.compile(r"^\| `(\w+)` \| (\d+) \| (\w+) \| (yes|no) \| (.+) \|$", re.MULTILINE)
INHERIT = {
    "BlockGivenUp",
    "CacheFull",
    "ContainerFault",
    "Disbelieved",
    "MalformedBatch",
    "NoCache",
    "NoSuchContainer",
    "NotHad",
    "RuntimeAway",
    "SpecErrors",
    "SpecRejected",
    "TooManyPieces",
    "TooSlow",
    "WrongColumn",
}
"""Further spellings of what their base says, apart for who catches them."""


def classes() -> Iterator[tuple[str, set[str], str | None]]:
    """Every class of the project: its name, its bases, the code that it declares."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "v1" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
                    codes = [
                        statement.value.value
                        for statement in node.body
                        if isinstance(statement, ast.Assign | ast.AnnAssign)
                        and isinstance(statement.value, ast.Constant)
                        and "code" in ast.unparse(statement).partition("=")[0]
                    ]
                    yield node.name, bases, str(codes[0]) if codes else None


def errors() -> dict[str, str | None]:
    """The errors of the tree, by name, with the code that each declares."""
    found = list(classes())
    tree = {"FogError"}
    while True:
        more = {name for name, bases, _ in found if bases & tree} - tree
        if not more:
            return {name: code for name, _, code in found if name in tree}
        tree |= more


def test_every_class_has_a_code_of_its_own() -> None:
    declared = {name: code for name, code in errors().items() if name not in INHERIT}
    assert {name for name, code in declared.items() if code is None} == set()
    assert [code for code, count in Counter(declared.values()).items() if count > 1] == []
    assert set(declared.values()) <= CATALOGUE.keys()


def test_every_code_is_said_by_some_class() -> None:
    assert CATALOGUE.keys() == {code for code in errors().values() if code is not None}


def test_every_code_is_explained_as_it_is_spelled() -> None:
    rows = ROW.findall((ROOT / "docs" / "errors.md").read_text())
    assert [code for code, count in Counter(row[0] for row in rows).items() if count > 1] == []
    assert {row[:4] for row in rows} == {
        (entry.code, str(entry.http), entry.status.name, "yes" if entry.retry_s else "no")
        for entry in CATALOGUE.values()
    }


def test_codes_are_stable_words() -> None:
    assert all(re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", code) for code in CATALOGUE)
    assert all(entry.title and 400 <= entry.http < 600 for entry in CATALOGUE.values())


def test_an_error_says_what_its_kind_says_unless_the_occasion_says_better() -> None:
    assert StoreBusy("locked").hint == "try again"
    assert StoreBusy("locked", hint="look at the disk").hint == "look at the disk"
    assert StoreBusy("locked").retryable
    assert not NotFound("nothing").retryable


def test_a_code_from_a_newer_server_is_kept_and_spelled_as_its_class() -> None:
    error = NotFound("there is no moon", code="moon_not_found")
    assert (error.code, error.status, error.entry.code) == (
        "moon_not_found",
        NotFound("").status,
        "not_found",
    )


def test_a_class_with_a_code_that_the_catalogue_lacks_cannot_be_made() -> None:
    with pytest.raises(AssertionError, match="not in the catalogue"):
        type("Lost", (FogError,), {"code": "lost"})
