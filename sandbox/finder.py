"""The engine behind the queries: goes through a product's people, day by day of the window."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sandbox.days import Days
from sandbox.people import People
from sandbox.rows import Row
from sandbox.searches import Calculation, Search

_EVENT_OPTIONS = {
    "times": ("total_times", "Total Times for Date Range"),
    "first": ("first", "Date of First Time for Date Range"),
    "last": ("last", "Date of Last Time for Date Range"),
}
NOT_SET = "(not set)"


@dataclass(frozen=True)
class Table:
    """The result of a query. Its first two columns are KMID and Person if it is one of people."""

    columns: list[dict[str, str]]
    rows: list[list[Any]]


class Finder:
    """Answers questions about one product and one window; both ends are unix seconds and belong to it."""

    def __init__(self, people: People, product: Row, start: int, end: int) -> None:
        self._people = people
        self._numbers = people.of_product(product["id"])
        self._days: Days = people.days(product.get("timezone") or "UTC")
        self._start, self._end = start, end
        self._window = self._days.overlapping(start, end)

    def search(self, search: Search) -> Table:
        """Everybody whom a people search finds."""
        events = {column.subject for column in search.columns if column.kind != "value"} - {search.did}
        rows = []
        for number in self._numbers:
            did = self._seconds(number, search.did)
            if not did or (search.did_not is not None and self._seconds(number, search.did_not)):
                continue
            sent = {search.did: did} | {event: self._seconds(number, event) for event in events}
            person = self._people.person(number)
            rows.append([person.kmid, person.identity, *(self._cell(number, each, sent) for each in search.columns)])
        return Table([_internal("KMID"), _internal("Person"), *map(_column, search.columns)], rows)

    def over_time(self, event: str, unit: str, interval: str) -> Table:
        """A metric's value for every day, week (from Monday) or month that has a part in the window."""
        periods: dict[date, list[int]] = defaultdict(list)
        for day in self._window:
            periods[_period(self._days.date(day), interval)].append(day)
        rows = []
        for label, days in periods.items():
            sent = [self._sent(number, event, range(days[0], days[-1] + 1)) for number in self._numbers]
            rows.append([label.isoformat(), self._measure(sent, unit)])
        return Table([], rows)

    def by_segment(self, event: str, unit: str, name: str) -> Table:
        """A metric's value for each value that a property has at the window's end."""
        segments: dict[str, list[list[int]]] = defaultdict(list)
        for number in self._numbers:
            value = self._value(number, name)
            segments[NOT_SET if value is None else str(value)].append(self._seconds(number, event))
        return Table([], [[segment, self._measure(sent, unit)] for segment, sent in sorted(segments.items())])

    def _cell(self, number: int, column: Calculation, sent: dict[str, list[int]]) -> Any:
        if column.kind == "value":
            return self._value(number, column.subject)
        found = sent[column.subject]
        if column.kind == "times":
            return len(found)
        # Dates are the product's wall clock spelled as unix seconds; a client that takes them for UTC is off.
        return self._days.wall_clock(found[0 if column.kind == "first" else -1]) if found else None

    def _value(self, number: int, name: str) -> Any:
        found = None
        for second, value in self._people.values(number, name):
            if second <= self._end:
                found = value
        return found

    def _seconds(self, number: int, event: str) -> list[int]:
        return self._sent(number, event, self._window)

    def _sent(self, number: int, event: str, days: range) -> list[int]:
        return [
            second
            for day in days
            for second in self._people.seconds(number, event, day)
            if self._start <= second <= self._end
        ]

    def _measure(self, sent: list[list[int]], unit: str) -> float | None:
        """A number of times, a share of the people, or a mean time of day; what nobody did has no time."""
        if unit == "percent":
            return round(100 * sum(map(bool, sent)) / len(sent), 6) if sent else 0.0
        count = sum(map(len, sent))
        if unit == "numeric":
            return float(count)
        seconds = (self._days.wall_clock(second) % 86_400 for each in sent for second in each)
        return round(sum(seconds) / count, 6) if count else None


def _period(day: date, interval: str) -> date:
    if interval == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if interval == "week" else day


def _internal(name: str) -> dict[str, str]:
    return {
        "display_name": name,
        "type": "internal",
        "return_option": "internal",
        "display_return_option": "internal",
    }


def _column(column: Calculation) -> dict[str, str]:
    option, display = ("last", "Last Value") if column.kind == "value" else _EVENT_OPTIONS[column.kind]
    return {
        "type": "property" if column.kind == "value" else "event",
        "display_name": column.subject,
        "return_option": option,
        "display_return_option": display,
    }
