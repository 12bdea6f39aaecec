"""A mistake in SQL is blamed on the file's line and column, however the text is written in YAML."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fogline.model.faults import Faults, SpecErrors
from fogline.spec import read_spec
from fogline.spec.document import TableNode, TextNode, read_document
from fogline.spec.embedded import Embedded

HEAD = "name: x\nstreams: {air: {mqtt: a, fields: {temp: float}}}\nsteps:\n  s:\n"
SQL = ["SELECT temp AS t", "FROM air", "WHERE tmep > 1"]
WORD = "tmep"


def block(indent: int, ending: str = "\n") -> str:
    return "".join(f"{' ' * indent}{line}{ending}" for line in SQL)


STYLES = {
    "literal": "|\n" + block(6),
    "literal, after blank lines": "|  # why\n\n\n" + block(7),
    "literal, with an indentation that is said": "|2\n" + block(7),
    "literal, tail kept": "|+\n" + block(6, "\n\n"),
    "folded": ">-\n" + block(6),
    "plain": "\n      ".join(SQL) + "\n",
    "single quotes": "'" + " ".join(SQL).replace("temp AS t", "''it''''s'' AS t") + "'\n",
    "double quotes": '"' + "\\n".join(SQL).replace(" AS ", "\\u0020AS\\x20") + '"\n',
    "double quotes with a folded line": '"' + " \\\n     ".join(SQL).replace("S", "\\u0053") + '"\n',
    "anchored": "&q |\n" + block(6),
}


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("style", STYLES)
def test_an_unknown_column_is_blamed_where_it_stands(style: str, ending: str) -> None:
    document = (HEAD + "    sql: " + STYLES[style]).replace("\n", ending)
    before = document[: document.index(WORD)]

    with pytest.raises(SpecErrors) as raised:
        read_spec(document, "x.yaml")

    (fault,) = raised.value.faults
    assert WORD in fault.message
    assert (fault.line, fault.column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))


def sql_of(document: str) -> TextNode:
    root = read_document(document, "x.yaml", Faults())
    assert isinstance(root, TableNode)
    found = root.entries["sql"]
    assert isinstance(found, TextNode)
    return found


WORDS = st.lists(st.sampled_from(["a", "bb", "'it''s'", "é", "x=1", "(", ")"]), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(words=WORDS, style=st.sampled_from(["|", ">", '"', "'"]), indent=st.integers(1, 5))
def test_every_visible_character_is_found_again(words: list[str], style: str, indent: int) -> None:
    margin = "\n" + " " * indent
    match style:
        case "'":
            body = "'" + margin.join(words).replace("'", "''") + "'"
        case '"':
            body = '"' + margin.join(words).replace("é", "\\u00e9") + '"'
        case _:
            body = style + margin + margin.join(words)
    document = f"sql: {body}\n"

    embedded = Embedded(sql_of(document), document)

    lines = document.split("\n")
    for index, character in enumerate(embedded.text):
        place = embedded.place(index)
        written_there = lines[place.line - 1][place.column - 1 :]
        if not character.isspace():
            assert written_there.startswith((character, "\\u00e9")), (index, character, written_there)


def test_a_text_without_characters_is_blamed_where_it_begins() -> None:
    document = 'sql: ""\n'
    assert Embedded(sql_of(document), document).place(0).column == 6


def test_a_text_that_cannot_be_found_again_is_blamed_where_it_begins() -> None:
    document = "sql: abc\n"
    node = sql_of(document)
    changed = TextNode(place=node.place, text="other", start=node.start, style=node.style)
    assert Embedded(changed, document).place(3).column == 6
