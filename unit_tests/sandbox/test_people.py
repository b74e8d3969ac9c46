"""The people: who they are, and what they do on which second of whose day."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from sandbox import Universe
from sandbox.behaviour import EVENTS
from sandbox.days import Days
from sandbox.truth_queries import local_days

UNIVERSE = Universe()
FIRST, LAST = date(2026, 1, 1), date(2026, 3, 31)


def _product(place: int) -> Any:
    return UNIVERSE.rows("products")[place]


def _seconds(universe: Universe, product_id: str, event: str) -> list[int]:
    people = universe.people
    return [
        second
        for number in people.of_product(product_id)
        for day in range(90)
        for second in people.seconds(number, event, day)
    ]


def test_people_are_dealt_to_the_products() -> None:
    numbers = [number for row in UNIVERSE.rows("products") for number in UNIVERSE.people.of_product(row["id"])]
    assert sorted(numbers) == list(range(400)) == list(range(len(UNIVERSE.people)))
    assert not UNIVERSE.people.of_product("none")


def test_kmids_and_identities_are_unique_and_some_are_odd() -> None:
    persons = [UNIVERSE.people.person(number) for number in range(400)]
    assert len({person.kmid for person in persons}) == len({person.identity for person in persons}) == 400
    assert all(0 < person.kmid < 2**31 for person in persons)
    identities = [person.identity for person in persons]
    assert any(each.isascii() and "@" in each for each in identities)
    assert any(not each.isascii() for each in identities)
    assert sum(each.endswith("==") for each in identities) == 100


def test_the_same_seed_makes_the_same_people_and_another_seed_others() -> None:
    def all_of(seed: int) -> Any:
        universe = Universe(seed=seed)
        product = universe.rows("products")[1]["id"]
        persons = [universe.people.person(number) for number in range(400)]
        return persons, [_seconds(universe, product, event) for event in EVENTS]

    assert all_of(5) == all_of(5)
    for one, other in zip(all_of(5)[1], all_of(6)[1], strict=True):
        assert one != other


def test_a_million_people_are_ready_at_once() -> None:
    people = Universe(people=1_000_000).people
    assert people.person(999_999).kmid != people.person(0).kmid
    assert people.seconds(999_999, "Opened App", 3)


@pytest.mark.parametrize("place", [0, 1])
def test_events_happen_in_the_first_and_in_the_last_second_of_local_days(place: int) -> None:
    product = _product(place)
    windows = local_days(product["timezone"], FIRST, LAST)
    starts, ends = {start for start, _ in windows}, {end for _, end in windows}
    for event in EVENTS:
        seconds = set(_seconds(UNIVERSE, product["id"], event))
        assert seconds & starts, event
        assert seconds & ends, event


@pytest.mark.parametrize("day", [date(2026, 3, 8), FIRST, LAST])
def test_on_the_day_of_a_clock_change_its_edges_have_events(day: date) -> None:
    product = _product(1)
    assert product["timezone"] == "US/Pacific"
    ((start, end),) = local_days("US/Pacific", day, day)
    seconds = _seconds(UNIVERSE, product["id"], "Opened App")
    assert seconds.count(start) > 1
    assert seconds.count(end) > 1
    assert end - start + 1 == (82_800 if day == date(2026, 3, 8) else 86_400)


def test_everything_lies_in_the_range_and_in_its_own_day() -> None:
    people = UNIVERSE.people
    for place in (0, 1):
        product = _product(place)
        windows = local_days(product["timezone"], FIRST, LAST)
        for number in list(people.of_product(product["id"]))[:30]:
            for event in EVENTS:
                for day, (start, end) in enumerate(windows):
                    seconds = people.seconds(number, event, day)
                    assert seconds == sorted(seconds)
                    assert all(start <= second <= end for second in seconds), (event, day)


def test_on_a_quiet_day_nobody_does_anything_and_else_everybody_opens_the_app() -> None:
    people = UNIVERSE.people
    quiet = [day for day in range(90) if not any(people.seconds(0, event, day) for event in EVENTS)]
    assert quiet == [17, 47, 77]
    for number in range(400):
        opened = [day for day in range(90) if people.seconds(number, "Opened App", day)]
        assert [day for day in range(90) if day not in opened] == quiet
        assert not any(people.seconds(number, event, day) for event in EVENTS for day in quiet)


def test_everybody_signs_up_once_and_some_then_activate_on_the_day_or_the_next_or_never() -> None:
    people, delays = UNIVERSE.people, []
    for number in range(400):
        days = [day for day in range(90) for _ in people.seconds(number, "Signed Up", day)]
        assert len(days) == 1
        signed = people.seconds(number, "Signed Up", days[0])[0]
        activated = [(day, second) for day in range(90) for second in people.seconds(number, "Activated", day)]
        assert len(activated) <= 1
        assert all(second >= signed for _, second in activated)
        delays += [activated[0][0] - days[0] if activated else None]
    assert min(delays.count(delay) for delay in (0, 1, None)) > 30
    assert set(delays) == {0, 1, None}


def test_check_outs_follow_a_cart_of_the_day_or_of_the_day_before() -> None:
    people, late = UNIVERSE.people, 0
    for number in range(100):
        for day in range(1, 90):
            for second in people.seconds(number, "Finished Check Out", day):
                today = people.seconds(number, "Added to Cart", day)
                before = people.seconds(number, "Added to Cart", day - 1)
                assert (today and today[-1] <= second) or before
                late += not today
    assert late > 10


def test_values_are_of_every_kind_change_and_are_missing() -> None:
    people = UNIVERSE.people
    values = {
        name: [[value for _, value in people.values(number, name)] for number in range(400)]
        for name in ("Plan Name", "Billing Plan", "Zip Code", "Customer ID", "Nothing")
    }
    assert ["00123"] in values["Zip Code"]
    assert all(len(each[0]) == 5 for each in values["Zip Code"])
    assert {type(value) for each in values["Customer ID"] for value in each} == {int}
    assert min(value for each in values["Customer ID"] for value in each) > 2**53
    assert any(len(set(each)) == 2 for each in values["Plan Name"])
    assert all([] in values[name] for name in ("Plan Name", "Billing Plan", "Customer ID"))
    assert values["Nothing"] == [[]] * 400
    assert all(people.values(n, "Plan Name") == tuple(sorted(people.values(n, "Plan Name"))) for n in range(400))


def test_an_event_that_nobody_sends_has_no_seconds() -> None:
    assert UNIVERSE.people.seconds(0, "Closed Account", 3) == []


def test_people_without_products_or_days_are_refused() -> None:
    with pytest.raises(ValueError, match="people: cannot be without products"):
        Universe(products=0, events=0, properties=0, reports=0, metrics=0)
    with pytest.raises(ValueError, match="first_day: is after last_day"):
        Universe(first_day="2026-02-01", last_day="2026-01-31")


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        ("UTC", date(2026, 3, 8), 86_400),
        ("US/Pacific", date(2026, 3, 7), 86_400),
        ("US/Pacific", date(2026, 3, 8), 82_800),
        ("US/Pacific", date(2026, 11, 1), 90_000),
        ("Europe/Berlin", date(2026, 3, 29), 82_800),
        ("Asia/Beirut", date(2026, 3, 29), 82_800),
        ("Australia/Lord_Howe", date(2026, 4, 5), 88_200),
        ("Asia/Kathmandu", date(2026, 3, 8), 86_400),
    ],
)
def test_days_are_as_long_as_the_clocks_make_them(zone: str, day: date, length: int) -> None:
    days = Days(zone, day, day)
    assert days.starts[1] - days.starts[0] == length
    assert local_days(zone, day, day) == [(days.starts[0], days.starts[1] - 1)]
    assert (len(days), days.date(0)) == (1, day)


def test_known_windows_of_a_zone() -> None:
    assert local_days("US/Pacific", date(2026, 3, 7), date(2026, 3, 9)) == [
        (1_772_870_400, 1_772_956_799),
        (1_772_956_800, 1_773_039_599),
        (1_773_039_600, 1_773_125_999),
    ]
    assert local_days("UTC", date(1970, 1, 1), date(1970, 1, 2)) == [(0, 86_399), (86_400, 172_799)]


def test_days_that_overlap_a_window() -> None:
    days = Days("UTC", date(1970, 1, 1), date(1970, 1, 3))
    assert list(days.overlapping(0, 0)) == [0]
    assert list(days.overlapping(86_399, 86_400)) == [0, 1]
    assert list(days.overlapping(-100, 10**9)) == [0, 1, 2]
    assert not days.overlapping(-100, -1)
    assert not days.overlapping(3 * 86_400, 10**9)


def test_a_wall_clock_runs_by_the_zone() -> None:
    days = Days("US/Pacific", date(2026, 3, 8), date(2026, 3, 8))
    assert days.wall_clock(days.starts[0]) == days.starts[0] - 8 * 3600
    assert days.wall_clock(days.starts[1]) == days.starts[1] - 7 * 3600
