"""Rows of a people search: the person is found by column, no cell is lost, and each row has a key of its own."""

import re
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from source_kissmetrics.people_rows import PeopleRows, headings

Json = dict[str, Any]


def internal(name: str) -> Json:
    return {"display_name": name, "type": "internal", "return_option": "internal", "display_return_option": "internal"}


def calculated(name: str, calculation: str = "Total Times Ever") -> Json:
    return {"display_name": name, "type": "event", "return_option": "some", "display_return_option": calculation}


KMID, PERSON = internal("KMID"), internal("Person")
VISITS = calculated("Visited Site")
LAST_VISIT = calculated("Visited Site", "Date of Last Time for Date Range")
COLUMNS = [KMID, PERSON, VISITS, LAST_VISIT]
V, L = "Visited Site (Total Times Ever)", "Visited Site (Date of Last Time for Date Range)"

cells = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False)
)


def records(columns: Sequence[Json] | None, *rows: Any) -> list[Json]:
    """What the rows of a run give, repetitions left out."""
    reader = PeopleRows(columns)
    return [record for record in map(reader.record, rows) if record is not None]


def keys(columns: Sequence[Json] | None, *rows: Any) -> list[str]:
    return [record["row_key"] for record in records(columns, *rows)]


# Where things stand.


def test_a_row_is_an_array_in_the_order_of_the_columns() -> None:
    assert records(COLUMNS, [12345, "bob@kissmetrics.com", 22, 1433203200]) == [
        {
            "row_key": "12345",
            "kmid": 12345,
            "person": "bob@kissmetrics.com",
            "columns": {V: 22, L: 1433203200},
        }
    ]


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        ([PERSON, KMID, VISITS, LAST_VISIT], ["bob", 5, 22, 33]),
        ([VISITS, PERSON, LAST_VISIT, KMID], [22, "bob", 33, 5]),
        ([VISITS, LAST_VISIT, KMID, PERSON], [22, 33, 5, "bob"]),
    ],
)
def test_the_person_is_found_by_column_wherever_it_stands(columns: list[Json], row: list[Any]) -> None:
    expected = {"row_key": "5", "kmid": 5, "person": "bob", "columns": {V: 22, L: 33}}
    assert records(columns, row) == [expected]


def test_without_a_kmid_the_person_is_the_key() -> None:
    expected = {"row_key": "bob", "kmid": None, "person": "bob", "columns": {V: 22}}
    assert records([PERSON, VISITS], ["bob", 22]) == [expected]
    assert records([KMID, PERSON, VISITS], [None, "bob", 22]) == [expected]


def test_without_a_person_the_kmid_is_enough() -> None:
    assert records([VISITS, KMID], [22, 5]) == [{"row_key": "5", "kmid": 5, "person": None, "columns": {V: 22}}]


@pytest.mark.parametrize(
    "column",
    [{**VISITS, "display_name": "KMID"}, {**VISITS, "display_name": "Person"}, internal("Alias"), internal("person")],
)
def test_a_column_counts_as_the_person_by_name_and_kind_together(column: Json) -> None:
    """An event may be called `Person`."""
    [record] = records([KMID, column], [5, 22])
    heading = f"{column['display_name']} ({column['display_return_option']})"
    assert record == {"row_key": "5", "kmid": 5, "person": None, "columns": {heading: 22}}


def test_where_no_columns_are_described_kmid_and_person_come_first_and_the_rest_is_numbered() -> None:
    expected = {"row_key": "5", "kmid": 5, "person": "bob", "columns": {"column_1": 22, "column_2": None}}
    assert records(None, [5, "bob", 22, None]) == [expected]
    assert records(None, [5, "bob"]) == [{**expected, "columns": {}}]


def test_a_row_may_be_an_object_with_identity_and_columns() -> None:
    row = {"identity": "bob", "columns": ["1433203200", "google"], "more": 1}
    expected = {
        "row_key": "bob",
        "kmid": None,
        "person": "bob",
        "columns": {"column_1": "1433203200", "column_2": "google"},
    }
    assert records(None, row) == [expected]
    assert records(COLUMNS, row) == [{**expected, "columns": {V: "1433203200", L: "google"}}]
    assert records(None, {**row, "kmid": 5}) == [{**expected, "row_key": "5", "kmid": 5}]


def test_arrays_and_objects_of_the_same_row_give_the_same_record() -> None:
    array, mapping = [5, "bob", 22, None], {"kmid": 5, "identity": "bob", "columns": [22, None]}
    assert records(COLUMNS, array) == records(COLUMNS, mapping)
    assert len(records(COLUMNS, array, mapping)) == 1


@given(st.lists(cells, min_size=2, max_size=2))
@example([None, None])
@example(["", 0])
@example(["00123", 9.0])
@example([False, 2**53])
@settings(deadline=None)
def test_a_cell_stays_as_the_service_sent_it(sent: list[Any]) -> None:
    [record] = records(COLUMNS, [5, "bob", *sent])
    assert orjson.dumps(list(record["columns"].values())) == orjson.dumps(sent)
    assert list(record["columns"]) == [V, L]


def test_a_row_is_not_changed_by_being_read() -> None:
    row = [5, "bob", 22, None]
    records(COLUMNS, row)
    assert row == [5, "bob", 22, None]


# What columns are called.


def test_a_heading_is_the_display_name_and_the_calculation_as_in_the_services_own_csv() -> None:
    assert PeopleRows(COLUMNS).headings == [V, L]


def test_the_same_heading_is_told_apart_by_a_number_and_no_cell_is_lost() -> None:
    columns = [KMID, VISITS, LAST_VISIT, VISITS, VISITS]
    [record] = records(columns, [5, 1, 2, 3, 4])
    assert record["columns"] == {V: 1, L: 2, f"{V} 2": 3, f"{V} 3": 4}


@given(
    st.lists(
        st.builds(calculated, st.sampled_from(["A", "A (B)", "A 2", "A (B) 2"]), st.sampled_from(["B", "B) (B", "2"])),
        max_size=9,
    )
)
@settings(deadline=None)
def test_headings_are_all_different_whatever_things_are_called(columns: list[Json]) -> None:
    assert len(set(headings(columns))) == len(columns)


def test_a_report_may_calculate_nothing() -> None:
    reader = PeopleRows([KMID, PERSON])
    assert reader.headings == []
    assert reader.record([5, "bob"]) == {"row_key": "5", "kmid": 5, "person": "bob", "columns": {}}


# What tells rows apart.


def test_the_same_row_twice_is_one() -> None:
    row = [5, "bob", 22, None]
    assert keys(COLUMNS, row, list(row), [6, "eve", 22, None], row) == ["5", "6"]


def test_another_row_of_the_same_person_is_kept_under_a_key_of_its_own() -> None:
    first, second, third = ([5, "bob", number, None] for number in (1, 2, 3))
    found = keys(COLUMNS, first, second, first, third, second, third)
    assert len(set(found)) == 3
    assert found[0] == "5"
    assert all(key.startswith("5#") for key in found[1:])


def test_people_of_the_same_name_are_told_apart_by_their_kmid() -> None:
    assert keys(COLUMNS, [5, "bob", 22, None], [6, "bob", 22, None]) == ["5", "6"]


def test_a_kmid_that_is_another_persons_name_loses_neither() -> None:
    found = records(COLUMNS, [5, "bob", 1, None], [None, "5", 1, None])
    assert [record["person"] for record in found] == ["bob", "5"]
    assert len({record["row_key"] for record in found}) == 2


def test_rows_without_a_person_are_all_kept_and_numbered() -> None:
    """Two of them that are alike may be two people."""
    row, other = [None, None, 22, None], [None, None, 23, None]
    first, second, third, fourth = keys(COLUMNS, row, other, row, row)
    assert (third, fourth) == (f"{first}#2", f"{first}#3")
    assert second not in (first, third, fourth)


@given(
    st.lists(
        st.tuples(st.none() | st.integers(0, 3), st.none() | st.sampled_from("ab"), st.integers(0, 2)), max_size=12
    )
)
@settings(deadline=None)
def test_keys_are_different_the_same_in_each_run_and_only_repetitions_are_left_out(rows: list[tuple[Any, ...]]) -> None:
    sent = [list(row) for row in rows]
    columns = [KMID, PERSON, VISITS]
    found = records(columns, *sent)
    assert found == records(columns, *sent)
    assert len({record["row_key"] for record in found}) == len(found)
    delivered = [(record["kmid"], record["person"], record["columns"][V]) for record in found]
    known = {row for row in rows if row[:2] != (None, None)}
    assert sorted(delivered, key=str) == sorted([*known, *(row for row in rows if row[:2] == (None, None))], key=str)


@given(st.permutations([[5, "a", 1], [6, "b", 1], [None, "c", 1], [None, None, 7], [None, None, 7], [None, None, 8]]))
@settings(deadline=None)
def test_keys_do_not_depend_on_the_order_in_which_rows_come(rows: list[list[Any]]) -> None:
    columns = [KMID, PERSON, VISITS]
    assert sorted(keys(columns, *rows)) == sorted(keys(columns, *sorted(rows, key=str)))


def test_the_key_of_a_row_without_a_person_is_a_digest_that_no_release_may_change() -> None:
    """Else each later sync would add its rows once more. It is of the content, whatever the order of the columns."""
    one, other = calculated("A"), calculated("B")
    assert keys([one, other], [22, "é"]) == keys([other, one], ["é", 22]) == ["21418e194e655d51"]
    assert keys([one, other], ["22", "é"]) != ["21418e194e655d51"]


# What is no row.


@pytest.mark.parametrize(
    ("columns", "row", "says"),
    [
        (COLUMNS, [5, "bob", 22], "a row has 3 cells for 4 columns"),
        (COLUMNS, [5, "bob", 22, 33, 44], "a row has 5 cells for 4 columns"),
        (COLUMNS, [], "a row has 0 cells for 4 columns"),
        ([KMID, PERSON], [5, "bob", 22], "a row has 3 cells for 2 columns"),
        (COLUMNS, {"identity": "bob", "columns": [22]}, "a row has 1 calculated cells for 2 columns"),
        (COLUMNS, {"identity": "bob", "columns": []}, "a row has 0 calculated cells for 2 columns"),
        (COLUMNS, {"identity": "bob", "cells": [22, 33]}, "a row has the keys cells, identity, and no list of columns"),
        (COLUMNS, {"identity": "bob", "columns": {"a": 1}}, "a row has the keys columns, identity, and no list"),
        (COLUMNS, {}, "a row has the keys (none), and no list of columns"),
        (COLUMNS, "bob", "a row is str, not an array or an object"),
        (COLUMNS, 5, "a row is int, not an array or an object"),
        (COLUMNS, None, "a row is NoneType, not an array or an object"),
        (None, None, "a row is NoneType, not an array or an object"),
        ([KMID, PERSON], {"identity": "bob", "columns": [22]}, "a row has 1 calculated cells for 0 columns"),
        (None, [], "a row has 0 cells, too few for KMID and person"),
        (None, [5], "a row has 1 cells, too few for KMID and person"),
    ],
)
def test_what_is_no_row_of_these_columns_is_an_error_that_says_why(
    columns: list[Json] | None, row: Any, says: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(says)) as raised:
        PeopleRows(columns).record(row)
    assert "bob" not in str(raised.value), "no personal data in messages"
