"""The right answers to queries, from everything that people ever did. Shares no code with the engine that serves.

Only the data are common: who did what when, and what a report looks for. The engine walks through the days of a
window; here each person's whole history is laid out first, and the window then cut from it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, datetime, timedelta, timezone
from typing import Any
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from sandbox.metrics import event_of, property_of
from sandbox.searches import Calculation, search_of
from sandbox.universe import Universe

_COLUMNS = {
    "times": ("event", "total_times", "Total Times for Date Range"),
    "first": ("event", "first", "Date of First Time for Date Range"),
    "last": ("event", "last", "Date of Last Time for Date Range"),
    "value": ("property", "last", "Last Value"),
}
_HISTORIES: WeakKeyDictionary[Universe, dict[tuple[int, str], list[int]]] = WeakKeyDictionary()


def local_window(timezone_name: str, first: date, last: date) -> tuple[int, int]:
    """The first and the last unix second of whole local days, both dates included."""
    zone = ZoneInfo(timezone_name)
    start = datetime(first.year, first.month, first.day, tzinfo=zone)
    after = last + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=zone)
    return int(start.timestamp()), int(end.timestamp()) - 1


def local_days(timezone_name: str, first: date, last: date) -> list[tuple[int, int]]:
    """The windows of the local days one by one: 82,800 or 90,000 seconds long when clocks change."""
    dates = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [local_window(timezone_name, day, day) for day in dates]


def people_search(
    universe: Universe, report_id: str, start: int, end: int, *, kmid_position: int | None = 0
) -> dict[str, list[Any]]:
    """The `columns` and `rows` of a saved people search, in order, as v1 gives them.

    The window's ends are unix seconds and both belong to it. `kmid_position` is the mode of that name. v2 gives
    the same rows, without columns and with the KMID first.
    """
    report = _row(universe, "reports", report_id)
    zone = _zone(universe, report["product_id"])
    search = search_of(report)
    rows = []
    for number in universe.people.of_product(report["product_id"]):
        did = _between(universe, number, search.did, start, end)
        did_not = _between(universe, number, search.did_not, start, end) if search.did_not else []
        if did and not did_not:
            person = universe.people.person(number)
            cells = [_cell(universe, number, column, start, end, zone) for column in search.columns]
            rows.append(_placed([person.kmid, person.identity, *cells], kmid_position))
    internal = [_described(name, "internal", "internal", "internal") for name in ("KMID", "Person")]
    calculated = [_described(column.subject, *_COLUMNS[column.kind]) for column in search.columns]
    return {"columns": _placed([*internal, *calculated], kmid_position), "rows": rows}


def metric_over_time(
    universe: Universe, metric_id: str, start: int, end: int, interval: str = "day"
) -> list[list[Any]]:
    """`[date, value]` for each local day, week (by its Monday) or month (by its first) with a part in the window."""
    metric = _row(universe, "metrics", metric_id)
    zone = _zone(universe, metric["product_id"])
    first, last = universe.people.range
    numbers = list(universe.people.of_product(metric["product_id"]))
    periods: dict[date, list[tuple[int, int]]] = {}
    for day in (first + timedelta(days=number) for number in range((last - first).days + 1)):
        opens, closes = local_window(zone.key, day, day)
        if closes >= start and opens <= end:
            periods.setdefault(_label(day, interval), []).append((max(opens, start), min(closes, end)))
    return [
        [label.isoformat(), _measured(universe, metric, numbers, days[0][0], days[-1][1], zone)]
        for label, days in periods.items()
    ]


def metric_by_segment(
    universe: Universe, metric_id: str, start: int, end: int, property_id: str | None = None
) -> list[list[Any]]:
    """`[segment, value]` in order, split by a property of the library, or by `Plan Name`."""
    metric = _row(universe, "metrics", metric_id)
    name = "Plan Name" if property_id is None else property_of(_row(universe, "properties", property_id))
    members: dict[str, list[int]] = {}
    for number in universe.people.of_product(metric["product_id"]):
        value = _value(universe, number, name, end)
        members.setdefault("(not set)" if value is None else f"{value}", []).append(number)
    zone = _zone(universe, metric["product_id"])
    return [[segment, _measured(universe, metric, members[segment], start, end, zone)] for segment in sorted(members)]


def _label(day: date, interval: str) -> date:
    if interval == "month":
        return date(day.year, day.month, 1)
    return day - timedelta(days=day.isoweekday() - 1 if interval == "week" else 0)


def _measured(
    universe: Universe, metric: dict[str, Any], numbers: list[int], start: int, end: int, zone: ZoneInfo
) -> float | None:
    sent = {number: _between(universe, number, event_of(metric), start, end) for number in numbers}
    if metric["unit_type"] == "percent":
        return round(100 * len([number for number in sent if sent[number]]) / len(sent), 6) if sent else 0.0
    seconds = [second for number in sent for second in sent[number]]
    if metric["unit_type"] == "numeric":
        return float(len(seconds))
    times = [_clock(second, zone).time() for second in seconds]
    total = sum(time.hour * 3600 + time.minute * 60 + time.second for time in times)
    return round(total / len(times), 6) if times else None


def _cell(universe: Universe, number: int, column: Calculation, start: int, end: int, zone: ZoneInfo) -> Any:
    if column.kind == "value":
        return _value(universe, number, column.subject, end)
    seconds = _between(universe, number, column.subject, start, end)
    if column.kind == "times":
        return len(seconds)
    if not seconds:
        return None
    return int(
        _clock(min(seconds) if column.kind == "first" else max(seconds), zone).replace(tzinfo=timezone.utc).timestamp()
    )


def _value(universe: Universe, number: int, name: str, end: int) -> Any:
    held = [value for second, value in universe.people.values(number, name) if second <= end]
    return held[-1] if held else None


def _between(universe: Universe, number: int, event: str, start: int, end: int) -> list[int]:
    histories = _HISTORIES.setdefault(universe, {})
    seconds = histories.get((number, event))
    if seconds is None:
        first, last = universe.people.range
        days = range((last - first).days + 1)
        seconds = sorted(second for day in days for second in universe.people.seconds(number, event, day))
        histories[number, event] = seconds
    return seconds[bisect_left(seconds, start) : bisect_right(seconds, end)]


def _clock(second: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(second, zone)


def _placed(cells: list[Any], kmid_position: int | None) -> list[Any]:
    kmid, *others = cells
    if kmid_position is not None:
        others.insert(kmid_position, kmid)
    return others


def _described(name: str, kind: str, option: str, display: str) -> dict[str, str]:
    return {"display_name": name, "type": kind, "return_option": option, "display_return_option": display}


def _zone(universe: Universe, product_id: str) -> ZoneInfo:
    return ZoneInfo(_row(universe, "products", product_id).get("timezone") or "UTC")


def _row(universe: Universe, stream: str, id_: str) -> dict[str, Any]:
    return next(row for row in universe.rows(stream) if row["id"] == id_)
