"""A window's standing from its columns."""

import json

from sqlalchemy import RowMapping

from cloud.finish.decision import Standing, Status

COLUMNS = ("status", "have", "expected", "missing", "revision")


def standing_of(row: RowMapping) -> Standing:
    """The standing in a row of ``windows``."""
    return Standing(
        status=Status(row["status"]),
        have=row["have"],
        expected=row["expected"],
        missing=tuple(json.loads(row["missing"])),
        revision=row["revision"],
    )
