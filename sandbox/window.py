"""The window that a query is run over, as its body spells it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Window:
    """Two unix seconds that both belong to it."""

    start: int
    end: int

    @classmethod
    def of(cls, body: dict[str, Any], *, iso: bool) -> Window:
        """The window of `start_date` and `end_date`. ISO 8601 only where `iso`; ValueError says what is wrong."""
        start = math.ceil(_instant("start_date", body, iso))
        end = math.floor(_instant("end_date", body, iso))
        if start > end:
            raise ValueError("start_date is after end_date")
        return cls(start, end)


def _instant(name: str, body: dict[str, Any], iso: bool) -> float:
    value = body.get(name)
    if type(value) is int:
        return value
    if not iso:
        raise ValueError(f"{name} is not a number of unix seconds")
    if not isinstance(value, str):
        raise ValueError(f"{name} is neither an ISO 8601 date-time nor a number of unix seconds")
    try:
        instant = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(f"{name} is not an ISO 8601 date-time") from None
    if instant.tzinfo is None:
        raise ValueError(f"{name} has no offset")
    return instant.timestamp()
