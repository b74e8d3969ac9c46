"""A list as a stream: which rows are handed on, what is taken down, and what is an error."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector_kit.errors import ConfigError, ConnectorError, Failure
from connector_kit.pagination import OffsetPagination, Page, ReadAhead
from connector_kit.records import Row, Shaper
from connector_kit.stream import ListStream, Reading, Slice, Stream

Serve = Callable[[str, int, int], Page]


class Owners(ListStream):
    """Without a cursor, with a key of two fields."""

    name = "owners"
    primary_key = ("id", "part")
    path = "/owners"
    path_in_parent = "/owners/{parent_id}"
    pagination = OffsetPagination(page_size=2)

    def __init__(
        self, ahead: ReadAhead, serve: Serve, parents: Sequence[str] = (), page_size: int | None = None
    ) -> None:
        super().__init__(ahead, page_size)
        self._serve = serve
        self._parents = parents

    @property
    def declared_schema(self) -> dict[str, Any]:
        names = {"id", "part", "at", "secret", "n"}
        return {"type": "object", "properties": {name: {"type": ["null", "string"]} for name in sorted(names)}}

    def parent_ids(self) -> Sequence[str]:
        return self._parents

    def fetch(self, path: str, offset: int, limit: int) -> Page:
        return self._serve(path, offset, limit)


class Things(Owners):
    """With a cursor and a parent."""

    name = "things"
    primary_key = ("id",)
    cursor_field = "at"
    path = "/things"
    path_in_parent = "/owners/{parent_id}/things"
    parent: ClassVar[type[ListStream] | None] = Owners


@pytest.fixture(scope="module")
def ahead() -> Iterator[ReadAhead]:
    with ThreadPoolExecutor(2) as pool:
        yield ReadAhead(pool, 2)


def served(rows: list[Row], *, clocks: Sequence[str | None] = (), tells: bool = True) -> Serve:
    """A list's pages. `clocks` is the service's time at each page, the last one stays."""

    def serve(path: str, offset: int, limit: int) -> Page:
        clock = clocks[min(offset // limit, len(clocks) - 1)] if clocks else None
        return Page([dict(row) for row in rows[offset : offset + limit]], len(rows) if tells else None, served_at=clock)

    return serve


def things(*cursors: object) -> list[Row]:
    return [{"id": str(number), "at": cursor} for number, cursor in enumerate(cursors)]


def run(stream: Stream, checkpoint: Any = None, part: Slice | None = None) -> tuple[list[str], Any]:
    """The ids that are handed on, and the checkpoint to take down."""
    reading = Reading(checkpoint)
    ids = [row["id"] for rows in stream.read(part or Slice("*"), reading) for row in rows]
    return ids, reading.finish(checkpoint)


def test_without_a_state_all_rows_are_handed_on_and_the_newest_cursor_is_taken_down(ahead: ReadAhead) -> None:
    rows = things("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-01T00:00:00Z", None, "2026-01-02T12:00:00Z")
    assert run(Things(ahead, served(rows))) == (["0", "1", "2", "3", "4"], "2026-01-03T00:00:00Z")


@pytest.mark.parametrize("boundary", ["2026-01-02T00:00:00Z", "2026-01-02T00:00:00.000Z", "2026-01-02T05:30:00+05:30"])
@pytest.mark.parametrize(
    ("cursor", "is_handed_on"),
    [
        ("2026-01-01T23:59:59Z", False),
        ("2026-01-01T23:59:59.999999Z", False),
        ("2026-01-02T00:00:00Z", True),
        ("2026-01-02T00:00:00.0+00:00", True),
        ("2026-01-01T19:00:00-05:00", True),
        ("2026-01-02T00:00:00+01:00", False),
        ("2026-01-02T00:00:00.1Z", True),
        ("2026-01-02T00:00:01Z", True),
        (None, True),
        ("", True),
        ("soon", True),
        (5, True),
        ({"a": 1}, True),
    ],
)
def test_a_row_is_handed_on_from_the_states_own_instant_on_or_without_a_readable_cursor(
    boundary: str, cursor: object, is_handed_on: bool, ahead: ReadAhead
) -> None:
    ids, _ = run(Things(ahead, served(things(cursor))), boundary)
    assert ids == (["0"] if is_handed_on else [])


def test_a_row_without_the_cursor_field_is_handed_on(ahead: ReadAhead) -> None:
    assert run(Things(ahead, served([{"id": "0"}])), "2026-01-01T00:00:00Z") == (["0"], "2026-01-01T00:00:00Z")


def test_a_stream_without_cursor_hands_on_all_rows_and_takes_nothing_down(ahead: ReadAhead) -> None:
    rows = [{"id": "0", "part": "a", "at": "2026-01-01T00:00:00Z"}, {"id": "0", "part": "b"}]
    assert run(Owners(ahead, served(rows, clocks=["2026-01-05T00:00:00"]))) == (["0", "0"], None)


def test_an_empty_list_keeps_the_state_as_it_is(ahead: ReadAhead) -> None:
    stream = Things(ahead, served([], clocks=["2026-01-05T00:00:00"]))
    assert run(stream, "2026-01-01T00:00:00Z") == ([], "2026-01-01T00:00:00Z")
    assert run(stream) == ([], None)


def test_a_page_of_which_no_row_is_new_is_not_handed_on(ahead: ReadAhead) -> None:
    stream = Things(ahead, served(things("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z")))
    reading = Reading("2026-01-02T00:00:00Z")
    assert [[row["id"] for row in rows] for rows in stream.read(Slice("*"), reading)] == [["2"]]


# The checkpoint.


@pytest.mark.parametrize(
    ("clocks", "checkpoint", "expected"),
    [
        (["2026-01-10T00:00:00"], None, "2026-01-09T00:00:00Z"),
        (["2026-01-05T00:00:00", "2026-01-10T00:00:00"], None, "2026-01-05T00:00:00Z"),
        (["2026-01-09T00:00:00"], None, "2026-01-09T00:00:00Z"),
        (["2026-01-05T00:00:00"], "2026-01-07T00:00:00Z", "2026-01-07T00:00:00Z"),
        (["2026-01-10T00:00:00"], "2026-01-20T00:00:00Z", "2026-01-20T00:00:00Z"),
        (["2026-01-05T00:00:00"], "2026-01-03T00:00:00+00:00", "2026-01-05T00:00:00Z"),
        ([None], None, "2026-01-09T00:00:00Z"),
    ],
    ids=[
        "newest row",
        "moment of the first page",
        "both",
        "given state, clock before it",
        "given state, rows before it",
        "moment of the first page, after the given state",
        "newest row, without a clock",
    ],
)
def test_the_checkpoint_is_the_newest_row_but_not_after_the_first_page_nor_before_the_state(
    clocks: list[str | None], checkpoint: str | None, expected: str, ahead: ReadAhead
) -> None:
    rows = things("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z")
    assert run(Things(ahead, served(rows, clocks=clocks)), checkpoint)[1] == expected


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3))
TEXTS = st.tuples(MOMENTS, st.sampled_from([0, 330, -300, 60])).map(
    lambda pair: (
        pair[0].replace(tzinfo=timezone.utc).astimezone(timezone(timedelta(minutes=pair[1]))).isoformat()
    )
)  # fmt: skip


def instant(text: str) -> datetime:
    """An instant of up to six digits of a second's fraction, in any of the spellings used here."""
    head, dot, tail = text.replace("Z", "+00:00").partition(".")
    if dot:
        digits = tail[: -len("+00:00")]
        return datetime.fromisoformat(f"{head}.{digits:0<6}{tail[len(digits) :]}")
    return datetime.fromisoformat(head)


@given(st.lists(TEXTS | st.none(), max_size=6), MOMENTS, st.none() | TEXTS)
@example(["2026-01-01T00:00:00.500000+00:00"], datetime(2026, 1, 2), "2026-01-01T00:00:00.5+00:00")
@settings(deadline=None)
def test_a_sync_and_the_next_lose_no_row(
    cursors: list[str | None], served_at: datetime, checkpoint: str | None
) -> None:
    """A row that is not handed on lies before the state, and the new state lies not before the old one."""
    with ThreadPoolExecutor(1) as pool:
        stream = Things(ReadAhead(pool, 1), served(things(*cursors), clocks=[served_at.isoformat()]))
        ids, reached = run(stream, checkpoint)
        kept = {
            str(number)
            for number, cursor in enumerate(cursors)
            if cursor is None or checkpoint is None or instant(cursor) >= instant(checkpoint)
        }
        assert set(ids) == kept
        if reached is None:
            assert checkpoint is None
            assert not any(cursors)
            return
        if checkpoint is not None:
            assert instant(reached) >= instant(checkpoint)
        limits = [instant(cursor) for cursor in cursors if cursor] + ([instant(checkpoint)] if checkpoint else [])
        assert instant(reached) <= max(limits)
        if checkpoint is None:
            assert instant(reached) <= served_at.replace(tzinfo=timezone.utc)
        again, unmoved = run(stream, reached)
        assert unmoved == reached
        assert set(again) <= kept


@pytest.mark.parametrize(
    "checkpoint", ["soon", "", "May", "2026-02-30T00:00:00Z", 5, 1.5, True, [], ["2026-01-01"], {}]
)
def test_a_checkpoint_that_is_no_moment_is_a_config_error(checkpoint: object, ahead: ReadAhead) -> None:
    with pytest.raises(ConfigError) as raised:
        run(Things(ahead, served(things("2026-01-01T00:00:00Z"))), checkpoint)
    assert "stream things" in raised.value.message
    assert repr(checkpoint) in raised.value.message
    assert "Reset this stream" in raised.value.message


def test_no_checkpoint_is_taken_down_if_rows_are_missing(ahead: ReadAhead) -> None:
    def serve(path: str, offset: int, limit: int) -> Page:
        return Page(things("2026-01-03T00:00:00Z") if offset == 0 else [], total=2)

    reading = Reading("2026-01-01T00:00:00Z")
    with pytest.raises(ConnectorError, match="names 2 rows"):
        list(Things(ahead, serve).read(Slice("*"), reading))
    assert reading.finish(reading.checkpoint) == "2026-01-01T00:00:00Z"


# Rows that are none.


@pytest.mark.parametrize("row", [None, 5, "text", [], ["id"], True])
def test_an_item_that_is_no_object_is_an_error(row: Any, ahead: ReadAhead) -> None:
    def serve(path: str, offset: int, limit: int) -> Page:
        return Page([{"id": "0"}, row], total=2)

    with pytest.raises(ConnectorError) as raised:
        run(Things(ahead, serve))
    assert raised.value.failure is Failure.SYSTEM
    assert f"no object but {type(row).__name__}" in raised.value.message


@pytest.mark.parametrize("row", [{}, {"name": "x", "at": "y"}, {"id": None}])
def test_a_row_without_its_key_is_an_error_that_names_its_fields(row: Row, ahead: ReadAhead) -> None:
    def serve(path: str, offset: int, limit: int) -> Page:
        return Page([row])

    with pytest.raises(ConnectorError) as raised:
        run(Things(ahead, serve))
    assert raised.value.failure is Failure.SYSTEM
    assert "has no id" in raised.value.message
    assert (", ".join(sorted(row)) or "(none)") in raised.value.message


@pytest.mark.parametrize("row", [{"id": "1"}, {"part": "1"}, {"id": "1", "part": None}, {}])
def test_a_row_without_a_part_of_its_key_is_an_error(row: Row, ahead: ReadAhead) -> None:
    with pytest.raises(ConnectorError, match="has no id or no part"):
        Owners(ahead, served([])).row_key(row)


@pytest.mark.parametrize(("row", "key"), [({"id": 0}, 0), ({"id": ""}, ""), ({"id": "a", "x": 1}, "a")])
def test_a_key_may_be_falsy(row: Row, key: object, ahead: ReadAhead) -> None:
    assert Things(ahead, served([])).row_key(row) == key


def test_a_key_of_two_fields_tells_rows_apart_by_both(ahead: ReadAhead) -> None:
    rows = [{"id": "1", "part": part} for part in "abc"]
    assert run(Owners(ahead, served(rows)))[0] == ["1", "1", "1"]


# Slices, paths, estimates and schemas.


def test_a_list_without_parents_is_one_slice(ahead: ReadAhead) -> None:
    assert [part.key for part in Things(ahead, served([])).slices(lambda key: None)] == ["*"]


def test_a_list_with_parents_is_a_slice_for_each_and_asks_for_its_own_path(ahead: ReadAhead) -> None:
    asked: list[tuple[str, int, int]] = []

    def serve(path: str, offset: int, limit: int) -> Page:
        asked.append((path, offset, limit))
        return Page([], 0)

    stream = Things(ahead, serve, parents=["a", "b"], page_size=7)
    parts = stream.slices(lambda key: None)
    assert [part.key for part in parts] == ["a", "b"]
    for part in [*parts, Slice("*")]:
        run(stream, None, part)
    assert asked == [("/owners/a/things", 0, 7), ("/owners/b/things", 0, 7), ("/things", 0, 7)]


def test_a_list_that_belongs_to_no_parent_is_read_whole_whatever_is_chosen(ahead: ReadAhead) -> None:
    assert [part.key for part in Owners(ahead, served([]), parents=["a", "b"]).slices(lambda key: None)] == ["*"]


@pytest.mark.parametrize(("tells", "expected"), [(True, [5]), (False, [])])
def test_the_total_of_the_first_page_is_announced_once(tells: bool, expected: list[int], ahead: ReadAhead) -> None:
    announced: list[int] = []
    stream = Things(ahead, served(things(*["2026-01-01T00:00:00Z"] * 5), tells=tells))
    list(stream.read(Slice("*"), Reading(None, announced.append)))
    assert announced == expected


def test_a_dropped_field_is_neither_in_the_schema_nor_in_the_row(ahead: ReadAhead) -> None:
    stream = Things(ahead, served([]))
    assert sorted(stream.json_schema["properties"]) == ["at", "id", "n", "part", "secret"]
    stream.drop = ("secret", "n")
    assert sorted(stream.json_schema["properties"]) == ["at", "id", "part"]
    assert sorted(stream.declared_schema["properties"]) == ["at", "id", "n", "part", "secret"]
    row: Row = {"id": "1", "secret": "s3cret", "n": None, "unknown": 1}
    assert list(Shaper(stream.json_schema, drop=stream.drop).shape(row)) == []
    assert row == {"id": "1", "unknown": 1}
