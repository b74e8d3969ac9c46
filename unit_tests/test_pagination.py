"""Reading a list completely, against a list server in memory that caps, lies, ignores and moves.

The one property: every row that was there throughout is handed out exactly once, or the read ends with an error.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector_kit import pagination
from connector_kit.errors import ConnectorError, Failure
from connector_kit.pagination import OffsetPagination, Page, ReadAhead


class _LateFuture(Future[Any]):
    def __init__(self, pool: "LatePool") -> None:
        super().__init__()
        self._pool = pool

    def result(self, timeout: float | None = None) -> Any:
        self._pool.run()
        return super().result(timeout)


class LatePool(Executor):
    """Runs what was submitted only when a result is asked for, newest first if `reverse`: a pool's worst case, twice
    the same."""

    def __init__(self, reverse: bool) -> None:
        self._reverse = reverse
        self._waiting: list[tuple[_LateFuture, Callable[..., Any], tuple[Any, ...]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = _LateFuture(self)
        self._waiting.append((future, fn, args))
        return future

    def run(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future, fn, args in reversed(waiting) if self._reverse else waiting:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args))
                except Exception as error:
                    future.set_exception(error)


Move = Callable[[list[str]], None]


@dataclass
class ListServer:
    """A list of ids behind `limit` and `offset`."""

    ids: list[str]
    cap: int | None = None
    """The most rows that a page holds, whatever is asked for."""
    total: Callable[[int], int | None] = lambda true: true
    """What it says that the list holds."""
    links: bool = False
    """Whether it names a next page."""
    ignores_offset: bool = False
    moves: dict[int, Move] = field(default_factory=dict)
    """What happens to the list before the n-th request, counted from 0."""
    every: Move | None = None
    """What happens to it before each request."""
    asked: list[tuple[int, int]] = field(default_factory=list)
    throughout: set[str] = field(init=False)
    ever: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.throughout, self.ever = set(self.ids), set(self.ids)

    def fetch(self, offset: int, limit: int) -> Page:
        for move in (self.moves.get(len(self.asked)), self.every):
            if move:
                move(self.ids)
                self.throughout &= set(self.ids)
                self.ever |= set(self.ids)
        self.asked.append((offset, limit))
        if len(self.asked) > 5000:
            raise AssertionError("the reader never ends")
        start = 0 if self.ignores_offset else offset
        step = min(limit, self.cap or limit)
        rows = [{"id": key} for key in self.ids[start : start + step]]
        return Page(rows, self.total(len(self.ids)), has_next=self.links and offset + step < len(self.ids))


@dataclass
class Outcome:
    handed_out: list[str]
    error: ConnectorError | None


def ids(count: int) -> list[str]:
    return [f"row {number}" for number in range(count)]


def read(server: ListServer, page_size: int, *, width: int = 3, reverse: bool = False) -> Outcome:
    handed_out: list[str] = []
    try:
        for page in OffsetPagination().read(
            server.fetch, lambda row: row["id"], ReadAhead(LatePool(reverse), width), page_size=page_size
        ):
            handed_out += [row["id"] for row in page.rows]
    except ConnectorError as error:
        return Outcome(handed_out, error)
    return Outcome(handed_out, None)


def assert_nothing_is_lost_in_silence(server: ListServer, outcome: Outcome) -> None:
    assert len(outcome.handed_out) == len(set(outcome.handed_out)), "a row was handed out twice"
    assert set(outcome.handed_out) <= server.ever
    if outcome.error is None:
        assert server.throughout <= set(outcome.handed_out), "rows were lost in silence"
    else:
        assert outcome.error.failure is Failure.TRANSIENT
        assert outcome.error.message.endswith("3 passes were made.")


SIZES = st.integers(0, 300)
PAGE_SIZES = st.integers(1, 50)
CAPS = st.none() | st.integers(1, 50)
WIDTHS = st.integers(1, 6)
quickly = settings(deadline=None, max_examples=200)


# A list that stands still.


@given(SIZES, PAGE_SIZES, CAPS, st.booleans(), st.booleans(), WIDTHS, st.booleans())
@example(300, 1, None, True, False, 6, True)
@example(100, 50, 25, True, False, 3, False)
@example(100, 50, 7, False, False, 3, False)
@quickly
def test_a_list_is_handed_out_whole_and_in_order(
    size: int, page_size: int, cap: int | None, tells: bool, links: bool, width: int, reverse: bool
) -> None:
    """With or without a total, with or without links, and whatever the server makes of the limit."""
    server = ListServer(ids(size), cap, (lambda true: true) if tells else (lambda true: None), links)
    outcome = read(server, page_size, width=width, reverse=reverse)
    assert outcome.error is None
    assert outcome.handed_out == ids(size)
    step = min(page_size, cap or page_size)
    assert len(server.asked) <= size // max(1, step - 1) + 2, "of each page but the first, one row is known"
    assert len(set(server.asked)) == len(server.asked), "a page was asked for twice"
    assert {limit for _, limit in server.asked} == {page_size}


@pytest.mark.parametrize(
    ("size", "page_size", "expected"),
    [
        (0, 100, 1),
        (1, 100, 1),
        (99, 100, 1),
        (101, 100, 2),
        (250, 100, 3),
        (1050, 100, 11),
        (100, 100, 2),
        (300, 100, 4),
    ],
)
def test_a_list_that_tells_its_total_costs_as_many_requests_as_it_has_pages(
    size: int, page_size: int, expected: int
) -> None:
    """And one more if it ends with a full page, behind which there might be others."""
    server = ListServer(ids(size))
    assert read(server, page_size).error is None
    assert len(server.asked) == expected


def test_without_a_page_size_a_hundred_rows_are_asked_for() -> None:
    server = ListServer(ids(150))
    pages = list(OffsetPagination().read(server.fetch, lambda row: row["id"], ReadAhead(LatePool(False), 2)))
    assert [len(page.rows) for page in pages] == [100, 50]
    assert server.asked == [(0, 100), (99, 100)], "pages share a row"


def test_a_page_keeps_what_the_service_said_with_it() -> None:
    answer = Page([{"id": 1}], total=1, has_next=False, served_at="2026-01-01T00:00:00")
    pages = list(
        OffsetPagination().read(lambda offset, limit: answer, lambda row: row["id"], ReadAhead(LatePool(False), 2))
    )
    assert pages == [answer]


def test_an_error_of_a_page_passes_as_it_is() -> None:
    def fetch(offset: int, limit: int) -> Page:
        if offset >= 20:
            raise ConnectorError(Failure.CONFIG, f"no page at {offset}")
        return ListServer(ids(100)).fetch(offset, limit)

    handed_out: list[Any] = []
    reading = OffsetPagination().read(fetch, lambda row: row["id"], ReadAhead(LatePool(False), 3), page_size=10)
    with pytest.raises(ConnectorError, match="no page at 27"):
        handed_out.extend(row["id"] for page in reading for row in page.rows)
    assert handed_out == ids(28)


# A server that lies.


@given(SIZES, PAGE_SIZES, CAPS, st.integers(1, 400), st.booleans(), st.booleans())
@quickly
def test_a_total_that_is_too_high_is_an_error_after_all_rows_were_handed_out(
    size: int, page_size: int, cap: int | None, excess: int, links: bool, reverse: bool
) -> None:
    server = ListServer(ids(size), cap, lambda true: true + excess, links)
    outcome = read(server, page_size, reverse=reverse)
    assert outcome.handed_out == ids(size)
    assert outcome.error is not None
    assert f"names {size + excess} rows for the list, but served {size} of them" in outcome.error.message


@given(st.integers(1, 300), PAGE_SIZES, st.integers(1, 300), st.booleans(), st.booleans())
@example(300, 50, 100, False, False)
@example(300, 50, 270, False, False)
@example(300, 50, 300, False, False)
@quickly
def test_a_total_that_is_too_low_loses_no_row(size: int, page_size: int, lack: int, links: bool, reverse: bool) -> None:
    server = ListServer(ids(size), None, lambda true: max(0, true - lack), links)
    outcome = read(server, page_size, reverse=reverse)
    assert_nothing_is_lost_in_silence(server, outcome)


@given(st.integers(1, 300), PAGE_SIZES, st.integers(1, 50), st.integers(1, 300))
@quickly
def test_links_outvote_a_total_that_is_too_low(size: int, page_size: int, cap: int, lack: int) -> None:
    server = ListServer(ids(size), cap, lambda true: max(0, true - lack), links=True)
    assert_nothing_is_lost_in_silence(server, read(server, page_size))


@given(SIZES, PAGE_SIZES, st.booleans())
@quickly
def test_a_server_that_ignores_the_offset_is_found_out(size: int, page_size: int, tells: bool) -> None:
    server = ListServer(ids(size), None, (lambda true: true) if tells else (lambda true: None), ignores_offset=True)
    outcome = read(server, page_size)
    assert outcome.handed_out == ids(size)[:page_size]
    assert_nothing_is_lost_in_silence(server, outcome)
    if size > page_size:
        assert outcome.error is not None
        expected = (
            f"names {size} rows for the list, but served {page_size} of them"
            if tells
            else f"answers every page of the list with the same {page_size} rows"
        )
        assert expected in outcome.error.message
    elif tells:
        assert outcome.error is None


@given(st.integers(1, 100), PAGE_SIZES, st.booleans())
@quickly
def test_a_server_that_ignores_offset_and_limit_hands_out_all_rows_once(size: int, page_size: int, tells: bool) -> None:
    def fetch(offset: int, limit: int) -> Page:
        return Page([{"id": key} for key in ids(size)], size if tells else None)

    handed_out: list[str] = []
    reading = OffsetPagination().read(fetch, lambda row: row["id"], ReadAhead(LatePool(False), 2), page_size=page_size)
    try:
        for page in reading:
            handed_out += [row["id"] for row in page.rows]
    except ConnectorError:
        assert not tells
    assert handed_out == ids(size)


def test_a_row_that_is_listed_twice_is_handed_out_once_and_said() -> None:
    server = ListServer([*ids(25), "row 3"])
    outcome = read(server, 10)
    assert outcome.handed_out == ids(25)
    assert outcome.error is not None
    assert "names 26 rows for the list, but served 25 of them" in outcome.error.message


# A list that moves while it is read.


def insert(place: float, key: str) -> Move:
    return lambda rows: rows.insert(round(place * len(rows)), key)


def delete(place: float) -> Move:
    def move(rows: list[str]) -> None:
        if rows:
            del rows[round(place * (len(rows) - 1))]

    return move


PLACES = st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1)
TIMES = st.integers(0, 30)
INSERTIONS = st.dictionaries(TIMES, PLACES, max_size=4).map(
    lambda moves: {time: insert(place, f"new {time}") for time, place in moves.items()}
)
DELETIONS = st.dictionaries(TIMES, PLACES, max_size=4).map(
    lambda moves: {time: delete(place) for time, place in moves.items()}
)


@given(SIZES, PAGE_SIZES, CAPS, INSERTIONS | DELETIONS, WIDTHS, st.booleans())
@example(100, 10, None, {1: delete(0.0)}, 3, False)
@example(100, 10, None, {1: delete(0.0), 2: delete(0.0)}, 3, True)
@example(100, 10, None, {1: insert(0.0, "new")}, 3, False)
@example(100, 10, None, {9: insert(1.0, "new")}, 3, False)
@example(100, 10, None, {5: delete(0.5)}, 3, True)
@example(100, 10, None, {9: delete(1.0)}, 1, False)
@quickly
def test_rows_that_were_there_throughout_survive_insertions_or_deletions(
    size: int, page_size: int, cap: int | None, moves: dict[int, Move], width: int, reverse: bool
) -> None:
    server = ListServer(ids(size), cap, moves=moves)
    assert_nothing_is_lost_in_silence(server, read(server, page_size, width=width, reverse=reverse))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    "move", [insert(0.0, "new"), insert(1.0, "new"), insert(0.5, "new"), delete(0.0), delete(1.0), delete(0.5)]
)
@pytest.mark.parametrize("time", range(12))
def test_one_move_at_any_time_is_repaired_without_an_error(time: int, move: Move, reverse: bool) -> None:
    server = ListServer(ids(100), moves={time: move})
    outcome = read(server, 10, reverse=reverse)
    assert outcome.error is None
    assert server.throughout <= set(outcome.handed_out)


@given(st.integers(1, 100), PAGE_SIZES, st.randoms(use_true_random=False), WIDTHS, st.booleans())
@quickly
def test_an_order_that_changes_with_each_request_loses_no_row_in_silence(
    size: int, page_size: int, random: Any, width: int, reverse: bool
) -> None:
    server = ListServer(ids(size), every=random.shuffle)
    assert_nothing_is_lost_in_silence(server, read(server, page_size, width=width, reverse=reverse))


def test_a_list_that_shrinks_before_every_page_is_reported_in_the_end() -> None:
    server = ListServer(ids(300), every=delete(0.0))
    outcome = read(server, 10)
    assert_nothing_is_lost_in_silence(server, outcome)
    assert outcome.error is not None
    assert "rows for the list" in outcome.error.message or "The list shrank to" in outcome.error.message


@given(SIZES, PAGE_SIZES, INSERTIONS, st.booleans())
@quickly
def test_insertions_lose_no_row_even_where_no_total_is_told(
    size: int, page_size: int, moves: dict[int, Move], reverse: bool
) -> None:
    server = ListServer(ids(size), total=lambda true: None, moves=moves)
    assert_nothing_is_lost_in_silence(server, read(server, page_size, reverse=reverse))


def test_a_deletion_that_an_insertion_makes_up_for_loses_no_row() -> None:
    def replace_first_by_last(rows: list[str]) -> None:
        del rows[0]
        rows.append("new")

    server = ListServer(ids(100), moves={1: replace_first_by_last})
    assert_nothing_is_lost_in_silence(server, read(server, 10))


# Reading ahead.


def results(items: Sequence[int], request: Callable[[int], int], pool: Executor, width: int, rows: int) -> list[int]:
    return list(ReadAhead(pool, width).map(request, items, rows))


@given(st.lists(st.integers()), WIDTHS, st.booleans())
@quickly
def test_results_come_in_the_order_of_the_items(items: list[int], width: int, reverse: bool) -> None:
    assert results(items, lambda item: item * 2, LatePool(reverse), width, 1) == [item * 2 for item in items]


@pytest.mark.parametrize("workers", [1, 4])
def test_results_come_in_order_from_real_threads_too(workers: int) -> None:
    with ThreadPoolExecutor(workers) as pool:
        assert results(range(200), lambda item: item * 2, pool, 4, 1) == list(range(0, 400, 2))
        assert ReadAhead(pool, 4).run(lambda item: item * 2, 21) == 42


class CountingPool(LatePool):
    """Notes how many results were under way or not yet taken at most."""

    def __init__(self) -> None:
        super().__init__(reverse=False)
        self.submitted = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.submitted += 1
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize(
    ("width", "rows", "expected"),
    [(8, 1, 8), (8, 100, 8), (8, 500, 8), (8, 1000, 4), (8, 2000, 2), (8, 10_000, 2), (32, 200, 20), (1, 10_000, 1)],
)
def test_what_is_under_way_is_bounded_by_the_width_and_by_the_rows(width: int, rows: int, expected: int) -> None:
    """4000 rows may be ahead, but two requests at least."""
    assert pagination.ROWS_AHEAD == 4000
    pool = CountingPool()
    taken, most = 0, 0
    for _ in ReadAhead(pool, width).map(lambda item: item, range(100), rows):
        taken += 1
        most = max(most, pool.submitted - taken)
    assert taken == 100
    assert most == expected


def test_nothing_is_asked_for_that_is_not_wanted_yet() -> None:
    pool = CountingPool()
    asked = iter(range(1000))
    reading = ReadAhead(pool, 3).map(lambda item: item, asked, 1)
    assert pool.submitted == 0
    assert next(reading) == 0
    assert next(asked) == 4


def test_an_error_ends_the_reading_and_cancels_what_has_not_begun() -> None:
    """Of six that are under way, the first two are done when the error comes; one has taken the free place."""
    begun: list[int] = []
    release = threading.Event()

    def request(item: int) -> int:
        begun.append(item)
        if item == 1:
            raise ValueError("item 1")
        if item > 1:
            release.wait(30)
        return item

    with ThreadPoolExecutor(2) as pool:
        reading = ReadAhead(pool, 6).map(request, range(100), 1)
        with pytest.raises(ValueError, match="item 1"):
            list(reading)
        release.set()
    assert set(begun) <= set(range(7))


def test_a_reader_that_stops_cancels_what_has_not_begun() -> None:
    pool = LatePool(reverse=False)
    begun: list[int] = []

    def request(item: int) -> int:
        begun.append(item)
        return item

    reading = ReadAhead(pool, 4).map(request, range(100), 1)
    assert next(reading) == 0
    assert isinstance(reading, Iterator)
    reading.close()  # type: ignore[attr-defined]
    pool.run()
    assert begun == [0, 1, 2, 3]
