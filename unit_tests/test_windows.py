"""Query windows, held against `zoneinfo`: whole days of a zone, whatever its clocks do, to the second."""

from datetime import date, datetime, timedelta, timezone
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

import pendulum
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector_kit.errors import ConnectorError, Failure
from source_kissmetrics.windows import Window, cut, last_closed_day

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
SIZES = ["day", "week", "month", "all"]
ZONES = [
    "UTC",
    "US/Pacific",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Santiago",
    "America/Havana",
    "America/Asuncion",
    "America/Scoresbysund",
    "Atlantic/Azores",
    "Europe/Berlin",
    "Africa/Cairo",
    "Asia/Amman",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
]
"""Some have no midnight on the day their clocks go forward, some have two on the day they go back."""

zones = st.sampled_from(ZONES)
days = st.dates(date(2000, 1, 1), date(2035, 12, 31))


def local(moment: datetime, zone: str) -> datetime:
    """What clocks in the zone show, worked out from UTC only."""
    return moment.astimezone(timezone.utc).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def begin_of(day: date, zone: str) -> datetime:
    """The first second of a day in UTC: where clocks in the zone first show its date."""
    early = datetime(day.year, day.month, day.day, tzinfo=timezone.utc) - 16 * timedelta(hours=1)
    seconds_before, seconds_after = 0, 32 * 3600
    while seconds_after - seconds_before > 1:
        middle = (seconds_before + seconds_after) // 2
        if local(early + middle * SECOND, zone).date() < day:
            seconds_before = middle
        else:
            seconds_after = middle
    return early + seconds_after * SECOND


def seconds_of(window: Window) -> int:
    """Both ends belong to the window."""
    return window.end.int_timestamp - window.start.int_timestamp + 1


# One window.


@given(days, st.integers(0, 40), zones)
@example(date(2018, 11, 4), 0, "America/Sao_Paulo")  # begins at 01:00
@example(date(2018, 2, 17), 0, "America/Sao_Paulo")  # its last hour comes twice
@example(date(2022, 3, 27), 0, "Asia/Beirut")
@example(date(2022, 9, 11), 0, "America/Santiago")
@example(date(2022, 11, 6), 0, "America/Havana")  # its first hour comes twice
@example(date(2022, 11, 5), 0, "America/Havana")
@example(date(2026, 10, 25), 0, "Atlantic/Azores")
@example(date(2026, 10, 24), 0, "Atlantic/Azores")
@settings(deadline=None)
def test_a_window_is_from_the_first_second_of_a_day_to_the_last_of_another(first: date, more: int, zone: str) -> None:
    last = first + more * DAY
    window = Window(first, last, zone)
    assert datetime.fromisoformat(window.start.isoformat()) == begin_of(first, zone)
    assert datetime.fromisoformat(window.end.isoformat()) == begin_of(last + DAY, zone) - SECOND
    for end in (window.start, window.end):
        shown = datetime.fromisoformat(end.isoformat()).replace(tzinfo=None)
        assert shown == local(end, zone), "the offset is the one of that second"


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("UTC", date(2026, 3, 8), 24),
        ("Asia/Kathmandu", date(2026, 3, 8), 24),
        ("US/Pacific", date(2026, 3, 7), 24),
        ("US/Pacific", date(2026, 3, 8), 23),
        ("US/Pacific", date(2026, 11, 1), 25),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("America/Sao_Paulo", date(2018, 2, 17), 25),
        ("Asia/Beirut", date(2022, 3, 27), 23),
        ("America/Santiago", date(2022, 9, 11), 23),
        ("America/Havana", date(2022, 11, 5), 24),
        ("America/Havana", date(2022, 11, 6), 25),
        ("Atlantic/Azores", date(2026, 10, 25), 25),
    ],
)
def test_a_day_has_as_many_hours_as_the_clocks_of_its_zone_give_it(zone: str, day: date, hours: float) -> None:
    assert seconds_of(Window(day, day, zone)) == hours * 3600


@pytest.mark.parametrize(
    ("zone", "day", "start", "end"),
    [
        ("UTC", date(2026, 3, 8), "2026-03-08T00:00:00Z", "2026-03-08T23:59:59Z"),
        ("US/Pacific", date(2026, 3, 8), "2026-03-08T00:00:00-08:00", "2026-03-08T23:59:59-07:00"),
        ("US/Pacific", date(2026, 11, 1), "2026-11-01T00:00:00-07:00", "2026-11-01T23:59:59-08:00"),
        ("Asia/Kathmandu", date(2026, 1, 1), "2026-01-01T00:00:00+05:45", "2026-01-01T23:59:59+05:45"),
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T01:00:00-02:00", "2018-11-04T23:59:59-02:00"),
        ("America/Havana", date(2022, 11, 6), "2022-11-06T00:00:00-04:00", "2022-11-06T23:59:59-05:00"),
    ],
)
def test_both_ends_are_written_with_the_offset_of_that_second(zone: str, day: date, start: str, end: str) -> None:
    window = Window(day, day, zone)
    assert (window.start.to_iso8601_string(), window.end.to_iso8601_string()) == (start, end)


# Windows of a range.


def expected_windows(size: str, first: date, last: date, is_final: bool) -> list[tuple[date, date]]:
    """Days by the week or month they lie in. The last group counts if the day after it lies in another one."""

    def group(day: date) -> object:
        return {"day": day, "week": day.isocalendar()[:2], "month": (day.year, day.month), "all": None}[size]

    groups = [
        list(found) for _, found in groupby((first + number * DAY for number in range((last - first).days + 1)), group)
    ]
    if groups and not is_final and size != "all" and group(last) == group(last + DAY):
        groups.pop()
    return [(found[0], found[-1]) for found in groups]


@given(st.sampled_from(SIZES), days, st.integers(0, 130), zones, st.booleans())
@example("week", date(2026, 3, 2), 7, "US/Pacific", False)
@example("month", date(2024, 1, 31), 29, "UTC", False)
@example("month", date(2026, 12, 1), 30, "UTC", False)
@settings(deadline=None)
def test_a_range_is_cut_where_days_weeks_and_months_end(
    size: str, first: date, more: int, zone: str, is_final: bool
) -> None:
    last = first + more * DAY
    windows = cut(size, first, last, zone, is_final=is_final)
    assert [(window.first, window.last) for window in windows] == expected_windows(size, first, last, is_final)
    assert {window.timezone for window in windows} <= {zone}


@given(st.sampled_from(SIZES), days, st.integers(0, 130), zones)
@example("day", date(2018, 11, 1), 10, "America/Sao_Paulo")
@example("day", date(2018, 2, 14), 10, "America/Sao_Paulo")
@example("day", date(2022, 11, 1), 10, "America/Havana")
@settings(deadline=None, max_examples=60)
def test_windows_tile_the_range_to_the_second(size: str, first: date, more: int, zone: str) -> None:
    last = first + more * DAY
    windows = cut(size, first, last, zone, is_final=True)
    for one, following in pairwise(windows):
        assert following.start.int_timestamp == one.end.int_timestamp + 1
    whole = begin_of(last + DAY, zone) - begin_of(first, zone)
    assert sum(map(seconds_of, windows)) == whole.total_seconds()
    assert windows == sorted(windows)


@pytest.mark.parametrize("is_final", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_a_range_that_has_not_begun_holds_no_window(size: str, is_final: bool) -> None:
    assert cut(size, date(2026, 3, 2), date(2026, 3, 1), "UTC", is_final=is_final) == []


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("day", ["2026-02-26 2026-02-26", "2026-02-27 2026-02-27", "2026-02-28 2026-02-28", "2026-03-01 2026-03-01",
                 "2026-03-02 2026-03-02", "2026-03-03 2026-03-03"]),
        ("week", ["2026-02-26 2026-03-01", "2026-03-02 2026-03-03 final"]),
        ("month", ["2026-02-26 2026-02-28", "2026-03-01 2026-03-03 final"]),
        ("all", ["2026-02-26 2026-03-03"]),
    ],
)  # fmt: skip
def test_a_last_window_that_is_cut_short_waits_until_the_range_is_final(size: str, expected: list[str]) -> None:
    """From a Thursday to a Tuesday."""

    def found(is_final: bool) -> list[str]:
        windows = cut(size, date(2026, 2, 26), date(2026, 3, 3), "UTC", is_final=is_final)
        return [f"{window.first} {window.last}" for window in windows]

    assert found(is_final=True) == [line.removesuffix(" final") for line in expected]
    assert found(is_final=False) == [line for line in expected if not line.endswith("final")]


# The last closed day.


@given(st.datetimes(datetime(2000, 1, 1), datetime(2035, 12, 31)), zones)
@settings(deadline=None)
def test_the_last_closed_day_is_yesterday_in_the_zone(moment: datetime, zone: str) -> None:
    now = pendulum.instance(moment, tz="UTC")
    assert last_closed_day(zone, now) == local(moment.replace(tzinfo=timezone.utc), zone).date() - DAY


@given(days, zones)
@settings(deadline=None)
def test_a_day_is_closed_with_its_last_second_and_not_before(day: date, zone: str) -> None:
    end = Window(day, day, zone).end
    assert last_closed_day(zone, end) == day - DAY
    assert last_closed_day(zone, end.add(seconds=1)) == day


@pytest.mark.parametrize(
    ("zone", "now", "closed"),
    [
        ("UTC", "2026-03-08T23:59:59Z", date(2026, 3, 7)),
        ("UTC", "2026-03-09T00:00:00Z", date(2026, 3, 8)),
        ("US/Pacific", "2026-03-09T06:59:59Z", date(2026, 3, 7)),
        ("US/Pacific", "2026-03-09T07:00:00Z", date(2026, 3, 8)),
        ("Asia/Kathmandu", "2025-12-31T18:14:59Z", date(2025, 12, 30)),
        ("Asia/Kathmandu", "2025-12-31T18:15:00Z", date(2025, 12, 31)),
    ],
)
def test_around_midnight_of_the_zone(zone: str, now: str, closed: date) -> None:
    moment = pendulum.instance(datetime.fromisoformat(now.replace("Z", "+00:00")))
    assert last_closed_day(zone, moment) == closed


def test_without_a_clock_it_is_now() -> None:
    before = datetime.now(timezone.utc).date()
    closed = last_closed_day("UTC")
    assert before - DAY <= closed <= datetime.now(timezone.utc).date() - DAY
    assert type(closed) is date


@pytest.mark.parametrize("zone", ["Mars/Base", "US/pacific", "+02:00", " UTC", "", "../UTC", "/UTC", "America", "a\0b"])
def test_a_zone_that_is_not_known_is_an_error_that_names_it(zone: str) -> None:
    with pytest.raises(ConnectorError) as raised:
        last_closed_day(zone)
    assert raised.value.failure is Failure.SYSTEM
    assert f"the time zone {zone!r}, which is not known" in raised.value.message
