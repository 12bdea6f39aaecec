"""A window's standing as columns, and back."""

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


def standing_values(standing: Standing) -> dict[str, int | str]:
    """The columns of a standing."""
    return {
        "status": standing.status.value,
        "settled": int(standing.settled),
        "have": standing.have,
        "expected": standing.expected,
        "missing": json.dumps(standing.missing),
        "revision": standing.revision,
    }
