"""One step's SQL: its words, and where in the file they stand."""

from collections.abc import Callable
from typing import Final

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from fogline.model.faults import Faults, Place


class SqlText:
    """The text of a query; mistakes are blamed on characters of it."""

    def __init__(self, text: str, place: Callable[[int], Place], path: str, faults: Faults) -> None:
        self.text: Final = text
        self.tokens: list[Token] = []
        self._place: Final = place
        self._path: Final = path
        self._faults: Final = faults

    def fault(self, index: int, message: str, hint: str = "") -> None:
        """Note a mistake at a character of the text."""
        self._faults.add(self._place(index), self._path, message, hint)

    def blame(self, node: exp.Expr, message: str, hint: str = "") -> None:
        """Note a mistake at the first word of a node."""
        self.fault(self.start(node), message, hint)

    def start(self, node: exp.Expr) -> int:
        """Index of a node's first character, as near as the parser tells."""
        own = node.meta.get("start")
        if isinstance(own, int):
            return own
        starts = [n.meta["start"] for n in node.walk() if "start" in n.meta]
        if starts:
            return self._opened(min(starts), node)
        parent = node.parent
        start = self.start(parent) if isinstance(parent, exp.Expr) else 0
        if isinstance(node, exp.Func):
            return self.nearest(start, *type(node).sql_names())
        constants = node.find(exp.Boolean, exp.Null) is not None
        return self.nearest(start, "TRUE", "FALSE", "NULL") if constants else start

    def nearest(self, index: int, *words: str) -> int:
        """Index of the one of these keywords that is nearest to a character; else the character itself."""
        found = [token.start for token in self.tokens if token.text.upper() in words]
        return min(found, key=lambda start: abs(start - index), default=index)

    def word_at(self, index: int) -> str:
        """The word that begins at a character."""
        return next((token.text for token in self.tokens if token.start == index), "")

    def _opened(self, start: int, node: exp.Expr) -> int:
        """The parser forgets the words that open some nodes: step back over them."""
        number = next((n for n, token in enumerate(self.tokens) if token.start >= start), 0)
        if isinstance(node, exp.Case):
            while number and self.tokens[number].text.upper() != "CASE":
                number -= 1
        elif isinstance(node, (exp.Neg, exp.Not, exp.Paren, exp.Interval, exp.Subquery, exp.Distinct)):
            number = max(0, number - 1)
        elif isinstance(node, exp.Func) and not isinstance(node, exp.Binary):
            number = self._name_before(number)
        return self.tokens[number].start if self.tokens else start

    def _name_before(self, number: int) -> int:
        """Number of the name before the bracket that is open at a token; the token's own if there is none."""
        depth = 0
        for before in range(number - 1, 0, -1):
            token = self.tokens[before].token_type
            depth += (token is TokenType.R_PAREN) - (token is TokenType.L_PAREN)
            if depth < 0:
                if self.tokens[before - 1].text.isidentifier():
                    return before - 1
                depth = 0
        return number

    def token_number(self, index: int, word: str) -> int:
        """Number of the first token at or behind a character that is this keyword; it must be there."""
        return next(n for n, t in enumerate(self.tokens) if t.start >= index and t.text.upper() == word)

    def word(self, *words: str) -> int:
        """Index of the first of these keywords in the text; 0 if there is none."""
        for token in self.tokens:
            if token.text.upper().split(" ")[0] in words:
                return token.start
        return 0
