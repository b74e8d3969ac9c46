"""People who signed up on a day and did not activate on it, as a CSV file for a CRM. See examples/README.md."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from examples.people import Found, main, replace

FIRST = ("person", "kmid", "day")


def write(path: Path, people: list[Found]) -> None:
    """One line for each person and day: who it is, then the report's columns."""
    rows = _read(path)
    held = {(row["day"], row["kmid"], row["person"]) for row in rows}
    for found in people:
        if found.key not in held:
            rows.append({"person": found.person, "kmid": found.kmid, "day": found.day, **found.columns})
    names = dict.fromkeys([*FIRST, *(name for row in rows for name in row)])
    content = io.StringIO(newline="")
    writer = csv.DictWriter(content, list(names), restval="")
    writer.writeheader()
    writer.writerows(rows)
    replace(path, content.getvalue())


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main("Who signed up on a day, but did not activate on it: a CSV file for a CRM.", write)
