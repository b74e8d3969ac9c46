"""Timestamps: what counts as one, and that their keys sort the way the instants do."""

import calendar
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector_kit.instants import are_rfc3339, is_rfc3339, sort_key, to_rfc3339

OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=OFFSETS)
FRACTION_DIGITS = st.sampled_from([None, 1, 3, 6, 9])
"""How many digits of a second's fraction a server writes; None for no more than needed."""


def rendered(moment: datetime, digits: int | None, prefers_z: bool) -> str:
    """RFC 3339, written out by hand; the fraction is never cut."""
    fraction = f"{moment.microsecond:06}".rstrip("0")
    if digits is not None:
        fraction = fraction.ljust(digits, "0")
    offset = moment.utcoffset()
    assert offset is not None
    minutes = int(offset.total_seconds()) // 60
    suffix = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    if minutes == 0 and prefers_z:
        suffix = "Z"
    clock = f"{moment.hour:02}:{moment.minute:02}:{moment.second:02}{'.' + fraction if fraction else ''}"
    return f"{moment.year:04}-{moment.month:02}-{moment.day:02}T{clock}{suffix}"


TEXTS_OF_MOMENTS = st.tuples(MOMENTS, FRACTION_DIGITS, st.booleans())


@given(TEXTS_OF_MOMENTS, TEXTS_OF_MOMENTS)
@example(
    (datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=timezone.utc), 1, True),
    (datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=timezone.utc), 3, True),
)
@example((datetime(2026, 1, 1, tzinfo=timezone.utc), None, True), (datetime(2026, 1, 1, tzinfo=timezone.utc), 1, False))
@example(
    (datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=timezone.utc), 9, True),
    (datetime(2026, 1, 1, 5, 30, 0, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))), 6, True),
)
@settings(deadline=None)
def test_keys_sort_as_the_instants_do(
    one: tuple[datetime, int | None, bool], other: tuple[datetime, int | None, bool]
) -> None:
    first, second = sort_key(rendered(*one)), sort_key(rendered(*other))
    assert first is not None
    assert second is not None
    assert (first < second, first == second) == (one[0] < other[0], one[0] == other[0])


@given(TEXTS_OF_MOMENTS)
@settings(deadline=None)
def test_any_moment_is_recognised_and_keeps_its_instant(written: tuple[datetime, int | None, bool]) -> None:
    text = rendered(*written)
    assert is_rfc3339(text)
    key = sort_key(text)
    assert key is not None
    assert datetime.fromisoformat(_six_digits(key) + "+00:00") == written[0]
    utc = to_rfc3339(text)
    assert utc is not None
    assert is_rfc3339(utc)
    assert utc.endswith("Z")
    assert datetime.fromisoformat(_six_digits(utc[:-1]) + "+00:00") == written[0]


def _six_digits(text: str) -> str:
    """Python before 3.11 reads a fraction of three or six digits only."""
    seconds, dot, fraction = text.partition(".")
    return f"{seconds}.{fraction[:6]:0<6}" if dot else seconds


@given(st.integers(1, 9999), st.integers(0, 13), st.integers(0, 32))
@example(2024, 2, 29)
@example(2026, 2, 29)
@example(1900, 2, 29)
@example(2000, 2, 29)
@example(2026, 4, 31)
def test_a_day_counts_if_the_calendar_has_it(year: int, month: int, day: int) -> None:
    exists = 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]
    text = f"{year:04}-{month:02}-{day:02}T12:00:00Z"
    assert is_rfc3339(text) is exists
    assert (to_rfc3339(text) is not None) is exists
    assert (sort_key(text) is not None) is exists


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z",
        "2026-01-01t00:00:00z",
        "2026-01-01T00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00,5Z",
        "2026-01-01T00:00:00+0000",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+00:60",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "26-01-01T00:00:00Z",
        "12026-01-01T00:00:00Z",
        " 2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z\n",
        "2026-01-01T00:00:00Z\n2026-01-01T00:00:00Z",
        "٢٠٢٦-01-01T00:00:00Z",
    ],
)
def test_what_is_not_rfc3339_is_refused(text: str) -> None:
    assert not is_rfc3339(text)
    assert not are_rfc3339([text])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-04T05:06:07Z", "2026-03-04T05:06:07Z"),
        ("2026-03-04T05:06:07+02:00", "2026-03-04T03:06:07Z"),
        ("2026-03-04T05:06:07.25-00:30", "2026-03-04T05:36:07.250000Z"),
        ("2026-03-04t05:06:07z", "2026-03-04T05:06:07Z"),
        ("2026-03-04 05:06:07 UTC", "2026-03-04T05:06:07Z"),
        ("2026-03-04 05:06:07 GMT", "2026-03-04T05:06:07Z"),
        ("2026-03-04 05:06:07 +0200", "2026-03-04T03:06:07Z"),
        ("2026-03-04 05:06:07+02", "2026-03-04T03:06:07Z"),
        ("2026-03-04 05:06:07", "2026-03-04T05:06:07Z"),
        ("2026-03-04T05:06Z", "2026-03-04T05:06:00Z"),
        ("20260304T050607Z", "2026-03-04T05:06:07Z"),
        ("2026/03/04 05:06:07", "2026-03-04T05:06:07Z"),
        ("2026/03/04", "2026-03-04T00:00:00Z"),
        ("2026-03-04", "2026-03-04T00:00:00Z"),
    ],
)
def test_another_spelling_of_a_moment_is_read(text: str, expected: str) -> None:
    assert to_rfc3339(text) == expected
    assert sort_key(text) == expected[:-1].replace("250000", "25")


@pytest.mark.parametrize(
    "text",
    ["now", "today", "May", "Monday", "12", "8.5", "10:00", "10am", "2026", "2026-05", "1700000000", "P1D",
     "01/02/2026", "04.03.2026", "2026-03-04T05:06:07 EST", "2026-03-04/2026-03-05", "Wed", "5 PM", "2026-366", "null",
     "-", "", " "],
)  # fmt: skip
def test_what_would_have_to_be_guessed_is_no_moment(text: str) -> None:
    """A date that is completed with the present day, month or zone would be made up."""
    assert to_rfc3339(text) is None
    assert sort_key(text) is None


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "0000-01-01T00:00:00+01:00"]
)
def test_a_moment_outside_the_years_1_to_9999_has_no_key(text: str) -> None:
    assert to_rfc3339(text) is None
    assert sort_key(text) is None


@pytest.mark.parametrize("value", [None, 1, 1.5, True, [], {}, ["2026-01-01"]])
def test_what_is_no_text_is_no_moment(value: object) -> None:
    assert to_rfc3339(value) is None


@given(st.text() | st.from_regex(r"\A[0-9]{4}[-/]?[0-9]{2}[-/]?[0-9]{2}[T ]?[0-9:.,+Z -]{0,16}\Z"))
@settings(deadline=None)
def test_any_text_is_a_moment_or_none_and_never_an_exception(text: str) -> None:
    repaired = to_rfc3339(text)
    assert repaired is None or is_rfc3339(repaired)
    assert (sort_key(text) is None) <= (repaired is None or is_rfc3339(text))


RIGHT = ["2026-01-01T00:00:00Z", "2026-12-31T23:59:59.5+05:30", "2024-02-29T00:00:00Z", "2000-02-29T00:00:00+01:00"]
WRONG = ["", "\n", "2026-01-01", f"{RIGHT[0]}\n", f"\n{RIGHT[0]}", "2026-04-31T00:00:00Z", "2026-02-29T00:00:00Z"]
LINES = st.lists(
    st.sampled_from(RIGHT) | st.sampled_from(WRONG) | st.builds(rendered, MOMENTS, FRACTION_DIGITS, st.booleans()),
    max_size=5,
)


@given(LINES)
@example(["2026-01-01T00:00:00Z", ""])
@example([""])
@example([])
@example(["2026-01-01T00:00:00Z\n2026-01-01T00:00:00Z"])
@settings(deadline=None)
def test_many_at_once_are_judged_like_each_on_its_own_but_for_a_leap_day(texts: list[str]) -> None:
    if any("-02-29T" in text for text in texts):
        assert not are_rfc3339(texts)
    else:
        assert are_rfc3339(texts) is all(is_rfc3339(text) for text in texts)
