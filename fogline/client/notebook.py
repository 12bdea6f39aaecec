"""Small tables for notebooks."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import Any, Final

from fogline.client.columns import to_columns
from fogline.client.values import Result

SHOWN: Final = 10
"""Results in a notebook's table."""


def results_html(title: str, results: Sequence[Result]) -> str:
    """Show the first results; one more than :data:`SHOWN` says that there are more."""
    if not results:
        return f"<p>{escape(title)}: no results yet</p>"
    columns = to_columns(results[:SHOWN])
    note = f"the first {SHOWN}" if len(results) > SHOWN else f"all {len(results)}"
    rows = zip(*(c.values for c in columns), strict=True)
    return table_html(f"{title}, {note}", [c.name for c in columns], rows)


def table_html(caption: str, names: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Make a table of plain cells."""
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    match value:
        case None:
            return "<td>null</td>"
        case bool():
            return f"<td>{str(value).lower()}</td>"
        case int():
            return f'<td style="text-align: right">{value:,}</td>'
        case float():
            return f'<td style="text-align: right">{value:,.6g}</td>'
        case datetime():
            return f"<td>{value:%Y-%m-%d %H:%M:%S}</td>"
        case _:
            return f"<td>{escape(str(value))}</td>"
