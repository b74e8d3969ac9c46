"""The checkpoint of a windowed stream: what is read, what may still change, and which queries were started."""

import json
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector_kit.errors import ConfigError, Failure
from source_kissmetrics.progress import Progress, QueryRun
from source_kissmetrics.windows import Window, cut

DAY = timedelta(days=1)
FIRST = date(2026, 1, 1)
NOW = 1_767_700_000.5
ADDRESS = "https://query.example.com/v2/queries/1/status"


def day(number: int) -> date:
    """January is long enough: the 1st is day 1."""
    return FIRST + (number - 1) * DAY


def window(first: int, last: int | None = None) -> Window:
    return Window(day(first), day(last or first), "UTC")


def closed(last: int) -> list[Window]:
    """Daily windows up to a day."""
    return [window(number) for number in range(1, last + 1)]


def read(*windows: Window, at: int = 31, lookback_days: int = 0, size: str = "day") -> Progress:
    """Windows that were read when `at` was the last closed day."""
    progress = Progress(size)
    for each in windows:
        progress = progress.with_window(each, day(at), lookback_days)
    return progress


def statuses(progress: Progress) -> dict[date, str]:
    return {first: run.status for first, run in progress.runs.items()}


def stored(progress: Progress) -> Progress:
    """As it comes back from the state."""
    return Progress.of(json.loads(json.dumps(progress.as_json())), progress.size, "people_search_results")


windows_of_days = st.tuples(st.integers(1, 60), st.integers(0, 9)).map(lambda pair: window(pair[0], sum(pair)))
some_progress = st.builds(
    Progress,
    st.sampled_from(["day", "week", "month", "all"]),
    st.lists(st.tuples(st.dates(), st.dates()), max_size=4),
    st.dictionaries(st.dates(), st.dates(), max_size=4),
    st.dictionaries(st.dates(), st.builds(QueryRun, st.dates(), st.text(), st.integers()), max_size=4),
)


# What is read.


def ranges_of(windows: list[Window]) -> list[tuple[date, date]]:
    """By another rule: all days, then those that follow each other."""
    days = sorted(
        {each.first + number * DAY for each in windows for number in range((each.last - each.first).days + 1)}
    )
    begins = [each for each in days if each - DAY not in days]
    ends = [each for each in days if each + DAY not in days]
    return list(zip(begins, ends, strict=True))


@given(
    st.lists(windows_of_days, min_size=1, max_size=12).flatmap(
        lambda all: st.tuples(st.just(all), st.permutations(all))
    )
)
@example(([window(1), window(2)], [window(2), window(1)]))
@example(([window(1, 9), window(3)], [window(3), window(1, 9)]))
@example(([window(1), window(3)], [window(3), window(1)]))
@settings(deadline=None)
def test_windows_that_end_in_any_order_give_the_same_joined_ranges(orders: tuple[list[Window], list[Window]]) -> None:
    one, other = (read(*order, at=99) for order in orders)
    assert one.read == other.read == ranges_of(orders[0])
    assert one == other


@given(st.permutations(range(1, 16)), st.integers(0, 5))
@settings(deadline=None)
def test_daily_windows_in_any_order_leave_the_same_checkpoint(order: list[int], lookback_days: int) -> None:
    progress = read(*map(window, order), at=15, lookback_days=lookback_days)
    assert progress.as_json() == {
        "size": "day",
        "read": [["2026-01-01", "2026-01-15"]],
        "unsettled": {str(day(number)): "2026-01-15" for number in range(1, 16) if number > 15 - lookback_days},
        "runs": {},
    }


def test_a_change_makes_a_new_checkpoint_and_leaves_the_old_one() -> None:
    before = read(window(1), at=1, lookback_days=3).with_run(window(2), ADDRESS, NOW)
    held = before.as_json()
    before.with_window(window(2), day(2), 3)
    before.with_run(window(3), ADDRESS, NOW)
    before.without_run(window(2))
    assert before.as_json() == held


# What the state holds.


def test_the_state_is_written_as_documented() -> None:
    progress = read(window(2), window(1), window(5), at=5, lookback_days=2).with_run(window(6), ADDRESS, NOW)
    assert progress.as_json() == {
        "size": "day",
        "read": [["2026-01-01", "2026-01-02"], ["2026-01-05", "2026-01-05"]],
        "unsettled": {"2026-01-05": "2026-01-05"},
        "runs": {"2026-01-06": {"last": "2026-01-06", "status": ADDRESS, "started": 1_767_700_000}},
    }


@given(some_progress)
@settings(deadline=None)
def test_a_checkpoint_comes_back_from_the_state_as_it_was(progress: Progress) -> None:
    assert stored(progress) == progress


@given(some_progress)
@settings(deadline=None)
def test_the_same_progress_is_written_the_same_way(progress: Progress) -> None:
    assert json.dumps(stored(progress).as_json()) == json.dumps(progress.as_json())


def test_without_a_checkpoint_nothing_is_read() -> None:
    assert Progress.of(None, "day", "s") == Progress("day")
    assert Progress("day").as_json() == {"size": "day", "read": [], "unsettled": {}, "runs": {}}


@pytest.mark.parametrize("size", ["week", "month", "all", None])
def test_windows_of_another_size_start_anew(size: str | None) -> None:
    checkpoint = {**read(window(1), at=1, lookback_days=3).with_run(window(2), ADDRESS, NOW).as_json(), "size": size}
    assert Progress.of(checkpoint, "day", "s") == Progress("day")


@pytest.mark.parametrize(
    "checkpoint",
    [
        "2026-01-01T00:00:00Z",
        5,
        True,
        [],
        [["2026-01-01", "2026-01-02"]],
        {"read": None},
        {"read": 5},
        {"read": ["2026-01-01"]},
        {"read": [["2026-01-01"]]},
        {"read": [["2026-01-01", "2026-01-02", "2026-01-03"]]},
        {"read": [["2026-01-01", None]]},
        {"read": [["2026-01-01", "2026-01-32"]]},
        {"read": [["2026-01-01", "2026-01-02T00:00:00Z"]]},
        {"read": [[1, 2]]},
        {"unsettled": None},
        {"unsettled": []},
        {"unsettled": {"yesterday": "2026-01-01"}},
        {"unsettled": {"2026-01-01": None}},
        {"runs": None},
        {"runs": [ADDRESS]},
        {"runs": {"first": ADDRESS}},
    ],
    ids=str,
)
def test_a_checkpoint_that_cannot_be_read_is_a_config_error_with_the_way_out(checkpoint: Any) -> None:
    if isinstance(checkpoint, dict):
        checkpoint = {**Progress("day").as_json(), **checkpoint}
    with pytest.raises(ConfigError) as raised:
        Progress.of(checkpoint, "day", "people_search_results")
    assert raised.value.failure is Failure.CONFIG
    assert "The state of stream people_search_results holds a checkpoint that cannot be read" in raised.value.message
    assert "Reset this stream" in raised.value.message


@pytest.mark.parametrize("missing", ["read", "unsettled", "runs"])
def test_a_checkpoint_without_one_of_its_parts_is_a_config_error(missing: str) -> None:
    checkpoint = Progress("day").as_json()
    del checkpoint[missing]
    with pytest.raises(ConfigError):
        Progress.of(checkpoint, "day", "s")


# What is open.


def test_windows_that_were_read_are_not_open_and_all_others_are() -> None:
    progress = read(window(2), window(3), window(6))
    assert progress.open_windows(closed(7), day(7)) == [window(1), window(4), window(5), window(7)]


@pytest.mark.parametrize(
    ("wanted", "is_open"),
    [((3, 5), False), ((4, 4), False), ((2, 5), True), ((3, 6), True), ((1, 2), True), ((6, 6), True), ((1, 9), True)],
)
def test_a_window_is_read_if_a_single_range_holds_all_of_it(wanted: tuple[int, int], is_open: bool) -> None:
    progress = read(window(3, 5), window(7, 9))
    assert bool(progress.open_windows([window(*wanted)], day(9))) is is_open


def test_an_unsettled_window_is_open_again_only_when_another_day_has_closed() -> None:
    progress = stored(read(window(1), at=1, lookback_days=2))
    assert progress.open_windows([window(1)], day(1)) == []
    assert progress.open_windows([window(1)], day(2)) == [window(1)]


def test_a_settled_window_is_never_open_again() -> None:
    progress = stored(read(window(1), at=3, lookback_days=2))
    assert progress.unsettled == {}
    assert progress.open_windows([window(1)], day(31)) == []


@pytest.mark.parametrize(
    ("at", "lookback_days", "is_settled"),
    [(5, 0, True), (5, 1, False), (6, 1, True), (7, 3, False), (8, 3, True), (9, 3, True)],
)
def test_a_window_is_settled_so_many_closed_days_after_its_last(at: int, lookback_days: int, is_settled: bool) -> None:
    progress = read(window(1, 5), at=at, lookback_days=lookback_days, size="week")
    assert progress.unsettled == ({} if is_settled else {day(1): day(at)})


@given(st.integers(0, 6), st.integers(1, 12))
@settings(deadline=None)
def test_with_a_sync_each_day_a_window_is_read_once_and_again_in_each_day_of_the_lookback(
    lookback_days: int, last: int
) -> None:
    progress = Progress("day")
    reads: Counter[Window] = Counter()
    for today in range(1, last + lookback_days + 5):
        for _ in range(3):  # syncs of the same day
            for each in progress.open_windows(closed(min(today, last)), day(today)):
                reads[each] += 1
                progress = stored(progress.with_window(each, day(today), lookback_days))
    assert reads == dict.fromkeys(closed(last), 1 + lookback_days)


def test_a_whole_range_that_has_grown_is_open_again() -> None:
    progress = read(window(1, 5), size="all")
    assert progress.open_windows(cut("all", day(1), day(5), "UTC", is_final=False), day(5)) == []
    assert progress.open_windows(cut("all", day(1), day(6), "UTC", is_final=False), day(6)) == [window(1, 6)]
    assert progress.with_window(window(1, 6), day(6), 0).read == [(day(1), day(6))]


# Queries that were started.


def test_a_run_is_kept_until_its_window_is_read_and_the_others_stay() -> None:
    progress = Progress("day").with_run(window(1), "a", NOW).with_run(window(2), "b", NOW).with_run(window(1), "c", NOW)
    assert statuses(stored(progress)) == {day(1): "c", day(2): "b"}
    progress = progress.with_window(window(1), day(2), 0)
    assert statuses(progress) == {day(2): "b"}


def test_a_run_says_nothing_about_what_was_read() -> None:
    progress = read(window(1)).with_run(window(2), ADDRESS, NOW)
    assert progress.open_windows(closed(2), day(2)) == [window(2)]
    assert progress.read == read(window(1)).read


def test_a_run_is_dropped_alone_and_one_that_is_not_there_is_not_missed() -> None:
    progress = read(window(1), at=1, lookback_days=3).with_run(window(2), "a", NOW).with_run(window(3), "b", NOW)
    dropped = progress.without_run(window(2)).without_run(window(9))
    assert statuses(dropped) == {day(3): "b"}
    assert (dropped.read, dropped.unsettled) == (progress.read, progress.unsettled)


def test_a_run_is_asked_again_only_for_just_its_window() -> None:
    """Of `all`, or of a month that the end date cuts short, the last day moves from sync to sync."""
    progress = stored(Progress("all").with_run(window(1, 5), ADDRESS, NOW))
    assert progress.run_of(window(1, 5), NOW + 60) == ADDRESS
    assert progress.run_of(window(1, 31), NOW + 60) is None
    assert progress.run_of(window(2, 5), NOW + 60) is None


def test_a_run_that_has_not_ended_in_a_day_is_not_asked_again() -> None:
    progress = stored(Progress("day").with_run(window(1), ADDRESS, NOW))
    assert progress.run_of(window(1), NOW + 24 * 3600 - 10) == ADDRESS
    assert progress.run_of(window(1), NOW + 24 * 3600 + 10) is None
