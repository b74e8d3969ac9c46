"""Query windows: parts of the configured date range, cut in a product's own time zone.

A day of the zone may have 23 or 25 hours. Both ends of a window belong to it, to the second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pendulum

from connector_kit.errors import ConnectorError, Failure

DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Window:
    """Whole days of a time zone, from `first` to `last`, both included."""

    first: date
    last: date
    timezone: str

    @property
    def start(self) -> pendulum.DateTime:
        """The first second."""
        return self._midnight(self.first)

    @property
    def end(self) -> pendulum.DateTime:
        """The last second: one before the next day begins."""
        return self._midnight(self.last + DAY).subtract(seconds=1)

    def _midnight(self, day: date) -> pendulum.DateTime:
        # In zones that change their clocks at midnight, a day may have two midnights, and begins with the first, or
        # none, and begins at 01:00: pendulum moves there by itself, but only when it is asked for the second.
        first, second = (
            pendulum.datetime(day.year, day.month, day.day, tz=self.timezone, fold=fold) for fold in (0, 1)
        )
        return first if first.date() == day else second


def last_closed_day(timezone: str, now: pendulum.DateTime | None = None) -> date:
    """Yesterday in the zone: the service goes on counting a day until it is over there."""
    try:
        today = (now or pendulum.now("UTC")).in_timezone(timezone).date()
    except (ValueError, OSError):  # the second for a folder of the time zone database, such as "America"
        raise ConnectorError(
            Failure.SYSTEM,
            f"The service names the time zone {timezone!r}, which is not known. Please report this.",
        ) from None
    return date(today.year, today.month, today.day) - DAY


def cut(size: str, first: date, last: date, timezone: str, *, is_final: bool) -> list[Window]:
    """The windows of a size (`day`, `week` from Monday, `month`, `all`) in a range of days, oldest first.

    The first window begins with the range. A last window that the range cuts short is left out unless the range
    `is_final`, which means that its end was asked for and has come: else it would be read before it is complete.
    """
    return [
        Window(begin, min(end, last), timezone)
        for begin, end in _periods(size, first, last)
        if end <= last or is_final or size == "all"
    ]


def _periods(size: str, first: date, last: date) -> Iterator[tuple[date, date]]:
    begin = first
    while begin <= last:
        end = {"day": begin, "week": _sunday(begin), "month": _last_of_month(begin), "all": last}[size]
        yield begin, end
        begin = end + DAY


def _sunday(day: date) -> date:
    return day + timedelta(days=6 - day.weekday())


def _last_of_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - DAY
