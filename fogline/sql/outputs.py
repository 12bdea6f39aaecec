"""Names of a query's output columns: each unique, each said."""

from sqlglot import exp

from fogline.model.faults import shown
from fogline.sql.text import SqlText

MAX_LENGTH = 63


class OutputNames:
    """The names that a SELECT has given out."""

    def __init__(self, text: SqlText) -> None:
        self._text = text
        self._taken: set[str] = set()

    def take(self, node: exp.Expr) -> str | None:
        """The name of an item of SELECT: its alias, or the column it is; ``None`` after a mistake."""
        if isinstance(node, exp.Alias):
            identifier = node.args["alias"]
            return self.take_name(identifier.name, self._text.start(identifier))
        inner = node.unnest()
        if isinstance(inner, exp.Column) and inner.name:
            return self.take_name(inner.name, self._text.start(node))
        self._text.blame(node, "this column needs a name", "write ... AS name")
        return None

    def take_name(self, name: str, index: int) -> str | None:
        """The name, if it is free and can be one."""
        if name in self._taken:
            self._text.fault(
                index, f"two columns are called {shown(name)}", "give one of them another name with AS"
            )
            return None
        if not name or len(name) > MAX_LENGTH or name.startswith("__") or not name.isprintable():
            hint = f"at most {MAX_LENGTH} visible characters; names that begin with __ are Fogline's own"
            self._text.fault(index, f"{shown(name)} cannot name a column", hint)
            return None
        self._taken.add(name)
        return name
