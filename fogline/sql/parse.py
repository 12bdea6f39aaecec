"""From text to a SELECT whose clauses are all known.

Read with sqlglot's own dialect, which is near to standard SQL. That parser takes in much that is not, so the
words are checked before it and the tree after it: what is not on the lists here never reaches a plan.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType
from sqlglot.tokens import Tokenizer

from fogline.model.faults import shown
from fogline.sql.text import SqlText

MAX_TOKENS: Final = 4_000
MAX_NESTING: Final = 24
"""Brackets within brackets."""

ATOMS: Final = frozenset({TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING, TokenType.NUMBER})
SYMBOLS: Final = ATOMS | {
    TokenType.COMMA,
    TokenType.DASH,
    TokenType.DOT,
    TokenType.DPIPE,
    TokenType.EQ,
    TokenType.GT,
    TokenType.GTE,
    TokenType.L_PAREN,
    TokenType.LT,
    TokenType.LTE,
    TokenType.MOD,
    TokenType.NEQ,
    TokenType.PLUS,
    TokenType.R_PAREN,
    TokenType.SEMICOLON,
    TokenType.SLASH,
    TokenType.STAR,
}
AFTER_COMMA: Final = frozenset(
    {
        TokenType.FROM,
        TokenType.R_PAREN,
        TokenType.COMMA,
        TokenType.WHERE,
        TokenType.GROUP_BY,
        TokenType.SEMICOLON,
    }
)
"""What cannot follow a comma."""

WORDS: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\s+[A-Za-z_][A-Za-z0-9_]*)*", re.ASCII)

COMPARING: Final = frozenset(
    {TokenType.EQ, TokenType.NEQ, TokenType.LT, TokenType.LTE, TokenType.GT, TokenType.GTE}
)
SEPARATING: Final = frozenset(
    {
        TokenType.AND,
        TokenType.CASE,
        TokenType.COMMA,
        TokenType.ELSE,
        TokenType.END,
        TokenType.FROM,
        TokenType.GROUP_BY,
        TokenType.OR,
        TokenType.THEN,
        TokenType.WHEN,
        TokenType.WHERE,
    }
)
"""Words behind which a comparison has ended."""

CLOSERS: Final = {"[": "]", "{": "}"}
"""Told with their openers."""

SYMBOL_HINTS: Final = {
    "::": "write CAST(x AS FLOAT)",
    "?": "there are no parameters; write the value",
    "`": 'write names with odd characters in double quotes: "name"',
    "[": "name the place in the payload in the stream's `fields:`",
    "{": "name the place in the payload in the stream's `fields:`",
    "->": "name the place in the payload in the stream's `fields:`",
    "<=>": "write `a = b OR (a IS NULL AND b IS NULL)`",
    "==": "write =",
    "!=": "write <>",
}

GRAMMAR: Final = "see docs/pipelines.md for what a query may be"
PARSE_ERRORS: Final = (
    (r"missing for <class '.*\.Quantile'>", "quantile takes 2 arguments, not 1", "write quantile(x, 0.99)"),
    (r"number of provided arguments", "too many arguments before {word}", GRAMMAR),
    (r"missing for <class", "something is missing behind {word}", GRAMMAR),
    (r"^Invalid expression", "not SQL: unexpected {word}", GRAMMAR),
)
"""The parser's own words, and ours for people who write specs."""

READING: Final = "it applies when reading: filter, sort and cut what `fogline results` or the SDK returns"
OWN_STEP: Final = "make the inner SELECT a step of its own and read FROM it by name"
CLAUSES: Final = {
    "with_": (("WITH",), "WITH", OWN_STEP),
    "distinct": (("DISTINCT",), "SELECT DISTINCT", "GROUP BY the columns; or count with approx_distinct(x)"),
    "joins": (
        ("JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL"),
        "JOIN",
        "a query reads one stream or step; write one query for each",
    ),
    "laterals": (("LATERAL",), "LATERAL", "a query reads one stream or step"),
    "having": (("HAVING",), "HAVING", READING),
    "order": (("ORDER",), "ORDER BY", READING),
    "limit": (("LIMIT", "FETCH"), "LIMIT", READING),
    "offset": (("OFFSET",), "OFFSET", READING),
    "qualify": (("QUALIFY",), "QUALIFY", READING),
    "windows": (("WINDOW",), "WINDOW", "write GROUP BY keys, TUMBLE(time, INTERVAL '10 seconds')"),
    "sample": (("TABLESAMPLE", "USING"), "TABLESAMPLE", "every reading counts; filter with WHERE"),
}
KNOWN_CLAUSES: Final = frozenset({"expressions", "from_", "where", "group"})


def parse_select(text: SqlText) -> exp.Select | None:
    """The query's tree, or ``None`` where mistakes keep it from being read."""
    tree = _parsed(text) if _words(text) else None
    if isinstance(tree, exp.SetOperation):
        word = type(tree).__name__.upper()
        text.fault(text.word(word), f"{word} is not available", "write a step for each SELECT")
    elif isinstance(tree, exp.Select):
        return tree if _clauses(text, tree) else None
    elif tree is not None:
        text.fault(0, "not a SELECT", "write SELECT ... FROM ...")
    return None


def _parsed(text: SqlText) -> exp.Expr | None:
    try:
        trees = [tree for tree in sqlglot.parse(text.text) if tree is not None]
    except ParseError as error:
        _blame_parse_error(text, error)
        return None
    except RecursionError:
        text.fault(0, "nested too deeply", "split the query into steps")
        return None
    if len(trees) > 1:
        text.blame(trees[1], "a step is one query", "make the second a step of its own")
        return None
    for identifier in trees[0].find_all(exp.Identifier):
        # A name is the same with and without quotes.
        identifier.set("quoted", False)
    return trees[0]


def _words(text: SqlText) -> bool:
    """Take the text apart; whether every word of it may stand in a query."""
    try:
        text.tokens = list(Tokenizer().tokenize(text.text))
    except TokenError:
        text.fault(0, "a quote or comment in this query is never closed", "close it")
        return False
    if not text.tokens:
        text.fault(0, "there is no query", "write SELECT ... FROM ...")
        return False
    first = text.tokens[0]
    if first.token_type is not TokenType.SELECT:
        hint = OWN_STEP if first.text.upper() == "WITH" else "write SELECT ... FROM ..."
        text.fault(first.start, f"a query begins with SELECT, not with {shown(first.text)}", hint)
        return False
    mistakes = [*_odd_words(text), *_odd_pairs(text), *_loose_is(text), *_nesting(text)]
    for index, message, hint in mistakes:
        text.fault(index, message, hint)
    return not mistakes


Mistake = tuple[int, str, str]


def _odd_words(text: SqlText) -> Iterator[Mistake]:
    told: set[str] = set()
    for token in text.tokens:
        written = text.text[token.start : token.end + 1]
        if written in told:
            continue
        if token.token_type not in SYMBOLS:
            told |= {written, CLOSERS.get(written, written)}
        if token.token_type is TokenType.VAR and not WORDS.fullmatch(written):
            yield (
                token.start,
                f"{shown(written)} cannot be read here",
                SYMBOL_HINTS.get(written[:1], "write a column's name"),
            )
        elif token.token_type not in SYMBOLS and not WORDS.fullmatch(written):
            yield token.start, f"{shown(written)} is not available", SYMBOL_HINTS.get(written, "")
        elif written == "==":
            yield token.start, f"{shown(written)} is not SQL", SYMBOL_HINTS[written]


def _odd_pairs(text: SqlText) -> Iterator[Mistake]:
    for token, after in pairwise(text.tokens):
        if token.token_type in ATOMS and after.token_type in ATOMS and after.start == token.end + 1:
            # The parser would take the second for a name of the first: 1_000 for a 1 called _000.
            written = text.text[token.start : after.end + 1]
            yield (
                token.start,
                f"{shown(written)} cannot be read",
                "write numbers as 1000 or 1.5e3, texts as 'a'",
            )
        if token.token_type is TokenType.COMMA and after.token_type in AFTER_COMMA:
            yield token.start, "nothing follows this comma", "remove it"


def _loose_is(text: SqlText) -> Iterator[Mistake]:
    """Databases read `a = b IS NULL` as (a = b) IS NULL, the parser as a = (b IS NULL)."""
    compared = [False]
    for token in text.tokens:
        if token.token_type is TokenType.L_PAREN:
            compared.append(False)
        elif token.token_type is TokenType.R_PAREN:
            compared = compared[:-1] or [False]
        elif token.token_type in COMPARING:
            compared[-1] = True
        elif token.token_type is TokenType.IS and compared[-1]:
            yield token.start, "IS behind a comparison can mean two things", "put one of them in brackets"
        elif token.token_type in SEPARATING:
            compared[-1] = False


def _nesting(text: SqlText) -> Iterator[Mistake]:
    if len(text.tokens) > MAX_TOKENS:
        yield 0, f"more than {MAX_TOKENS} words", "split the step"
    depth = 0
    for token in text.tokens:
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        if depth > MAX_NESTING:
            yield token.start, f"brackets are nested deeper than {MAX_NESTING}", "split the query into steps"
            return


def _blame_parse_error(text: SqlText, error: ParseError) -> None:
    found = error.errors[0] if error.errors else {}
    index = _token_at(text, found.get("line") or 0, found.get("col") or 0)
    words = str(found.get("description") or "")
    for pattern, message, hint in PARSE_ERRORS:
        if re.search(pattern, words):
            text.fault(index, message.format(word=shown(text.word_at(index))), hint)
            return
    words = (
        re.sub(r"<Token .*?text: (.*?), line.*?>", r"\1", words).replace("SENTINEL", "the end").rstrip(".")
    )
    text.fault(index, f"not SQL: {words[:1].lower()}{words[1:]}", GRAMMAR)


def _token_at(text: SqlText, line: int, column: int) -> int:
    """Index of the token that ends at this line and column, as the parser counts them."""
    found: Token | None = None
    for token in text.tokens:
        if (token.line, token.col) <= (line, column):
            found = token
    return found.start if found else 0


def _clauses(text: SqlText, select: exp.Select) -> bool:
    sound = True
    for name, value in select.args.items():
        if not value or name in KNOWN_CLAUSES:
            continue
        words, title, hint = CLAUSES.get(name, (("SELECT",), name.strip("_").upper(), ""))
        index = text.nearest(_near(text, value), *words)
        text.fault(index, f"{title} is not available here", hint)
        # The rest of the query can still be judged beside what only reads results.
        sound = sound and hint is READING
    return sound


def _near(text: SqlText, value: object) -> int:
    """Where a clause's contents stand; its own word is nearest to them."""
    first = value[0] if isinstance(value, list) else value
    return text.start(first) if isinstance(first, exp.Expr) else 0
