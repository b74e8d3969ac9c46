"""The days of one time zone as the people who live there count them: 23 or 25 hours long when clocks change."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


class Days:
    """The local days from `first` to `last`, numbered from 0. `starts` has one more: the end of the last day."""

    def __init__(self, timezone: str, first: date, last: date) -> None:
        self.zone = ZoneInfo(timezone)
        self._first = first
        count = (last - first).days + 1
        midnights = (first + timedelta(days=number) for number in range(count + 1))
        self.starts = [int(datetime(*day.timetuple()[:3], tzinfo=self.zone).timestamp()) for day in midnights]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def overlapping(self, start: int, end: int) -> range:
        """The numbers of the days that have a second between two unix seconds, both included."""
        return range(max(0, bisect_right(self.starts, start) - 1), min(len(self), bisect_right(self.starts, end)))

    def date(self, number: int) -> date:
        """The calendar date of a day."""
        return self._first + timedelta(days=number)

    def wall_clock(self, second: int) -> int:
        """What the clocks on the wall show at a unix second, counted as if they stood in UTC."""
        offset = datetime.fromtimestamp(second, self.zone).utcoffset() or timedelta()
        return second + int(offset.total_seconds())
