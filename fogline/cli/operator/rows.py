"""Rows out of a file, for trying an operator: CSV with a header, or a JSON object a line."""

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from fogline.model.errors import InvalidInput, NotFound
from fogline.model.plan import Scalar

MAX_ROWS: Final = 1_000_000
STDIN: Final = "-"

Row = dict[str, Scalar]


def read_rows(file: str) -> list[Row]:
    """Every row of a file, or of standard input. Raises :class:`NotFound` and :class:`InvalidInput`."""
    with _opened(file) as stream:
        first = stream.readline()
        lines = _lines(first, stream)
        return list(_json(lines, file) if first.lstrip().startswith("{") else _csv(lines, file))


@contextmanager
def _opened(file: str) -> Iterator[TextIO]:
    if file == STDIN:
        yield sys.stdin
        return
    try:
        with Path(file).open(encoding="utf-8-sig", newline="") as stream:
            yield stream
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file} is not UTF-8: {error.reason}") from None


def _lines(first: str, stream: TextIO) -> Iterator[str]:
    yield first
    yield from stream


def _json(lines: Iterator[str], file: str) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        _bounded(number, file)
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InvalidInput(f"{file}:{number}: no JSON: {error}") from None
        if not isinstance(row, dict) or not all(_is_scalar(value) for value in row.values()):
            hint = "an object a line, of numbers, texts, true, false and null"
            raise InvalidInput(f"{file}:{number}: no row", hint=hint)
        yield row


def _csv(lines: Iterator[str], file: str) -> Iterator[Row]:
    reader = csv.DictReader(lines, strict=True)
    texts: list[Mapping[str, str | None]] = []
    try:
        for number, row in enumerate(reader, start=2):
            _bounded(number, file)
            if None in row or None in row.values():
                raise InvalidInput(f"{file}:{number}: not as many values as the header has names")
            texts.append(row)
    except csv.Error as error:
        raise InvalidInput(f"{file}:{reader.line_num}: no CSV: {error}") from None
    names = reader.fieldnames or ()
    columns = {name: _column([row[name] or "" for row in texts]) for name in names}
    for at in range(len(texts)):
        yield {name: columns[name][at] for name in names}


def _column(texts: list[str]) -> list[Scalar]:
    """A column's values: of the narrowest type that all of them are; nothing is null."""
    for read in (_truth, int, _number):
        try:
            return [read(text) if text else None for text in texts]
        except ValueError:
            continue
    return [text or None for text in texts]


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _number(text: str) -> float:
    if "_" in text:
        raise ValueError(text)
    return float(text)


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _bounded(number: int, file: str) -> None:
    if number > MAX_ROWS:
        raise InvalidInput(f"{file} has more than {MAX_ROWS} rows", hint="try a part of it")
