"""People who added to their cart on a day and did not check out on it, as JSON Lines for a mailer.

`send_on` is three days later. See examples/README.md.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

from examples.people import Found, main, replace

LATER = timedelta(days=3)


def write(path: Path, people: list[Found]) -> None:
    """One object for each person and day."""
    text = path.read_text("utf-8") if path.exists() else ""
    lines = [line for line in text.split("\n") if line]
    held = {(row["day"], row["kmid"] or "", row["person"] or "") for row in map(json.loads, lines)}
    for found in people:
        if found.key not in held:
            lines.append(json.dumps(_row(found), ensure_ascii=False))
    replace(path, "".join(f"{line}\n" for line in lines))


def _row(found: Found) -> dict[str, object]:
    send_on = date.fromisoformat(found.day) + LATER
    return {
        "person": found.person,
        "kmid": found.kmid,
        "day": found.day,
        "send_on": send_on.isoformat(),
        "columns": found.columns,
    }


if __name__ == "__main__":
    main("Who added to the cart on a day, but did not check out on it: JSON Lines for a mailer.", write)
