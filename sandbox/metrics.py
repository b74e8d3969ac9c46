"""What the saved metrics measure. Neither this nor their queries were ever published: the shapes are our own."""

from __future__ import annotations

from sandbox.behaviour import EVENTS
from sandbox.rows import Row

INTERVALS = ("day", "week", "month")
SEGMENT = "Plan Name"
"""The property by which a metric is split if none is named."""

_PROPERTIES = {name.lower(): name for name in ("Plan Name", "Billing Plan", "Zip Code", "Customer ID")}


def event_of(metric: Row) -> str:
    """The event whose occurrences a metric counts."""
    return EVENTS[int(metric["sort_index"]) % len(EVENTS)]


def property_of(row: Row) -> str:
    """The property of people that an entry of the property library names; most name one that nobody has."""
    name = str(row["name"])
    return _PROPERTIES.get(name.lower(), name)
