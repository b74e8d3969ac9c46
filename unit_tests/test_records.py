"""The shaper: whatever a service sends, a row leaves as its schema says, and what was lost is named."""

import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, FormatChecker

from connector_kit.records import Row, Shaper

TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": ["null", "string"]},
    "integer": {"type": ["null", "integer"]},
    "number": {"type": ["null", "number"]},
    "boolean": {"type": ["null", "boolean"]},
    "object": {"type": ["null", "object"]},
    "array": {"type": ["null", "array"]},
    "date": {"type": ["null", "string"], "format": "date-time"},
    "other_date": {"type": ["string", "null"], "format": "date-time"},
    "required": {"type": ["string"]},
}
SCHEMA = {"type": "object", "additionalProperties": True, "properties": TYPES}

checker = FormatChecker(())


@checker.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    """RFC 3339 by a second route: its shape by a loose pattern, the rest by Python's own calendar."""
    if not isinstance(value, str):
        return True
    parts = re.fullmatch(r"([0-9-]{10})T([0-9:]{8})(?:\.[0-9]+)?(?:Z|[+-]([0-9:]{5}))", value)
    if not parts:
        return False
    datetime.strptime(f"{parts[1]} {parts[2]}", "%Y-%m-%d %H:%M:%S")
    datetime.strptime(parts[3] or "00:00", "%H:%M")
    return True


def wrong_fields(row: Mapping[str, Any]) -> set[str]:
    """The fields that do not fit the schema."""
    errors = Draft7Validator(SCHEMA, format_checker=checker).iter_errors(dict(row))
    return {str(error.path[0]) for error in errors}


DATES = ["2026-01-01T00:00:00Z", "2020-06-30T23:59:59.123+05:30", "2024-02-29T00:00:00Z"]
NO_DATES = [
    "",
    "soon",
    "8.5",
    "2026-02-29T00:00:00Z",
    "2026-01-01T00:00:00Z\n",
    "\n".join(DATES[:2]),
    "2026-01-01 10:00",
]
JSON_VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 2**53 + 1, 2**63 - 1, 2**64 - 1, -(2**63),
    0.0, 1.0, -0.5, 1e16, 1e20, 1e300, 5e-324,
    "", " ", "text", "é\u2028\0\"\\\n", "true", "false", "TRUE", "[]", "{}", "null",
    "0", "1", "8", "-8", "+8", "08", "8.0", "8.5", "1e3", "1e999", "nan", "inf", "-Infinity", "1_000", " 8 ", "٣",
    "9" * 19, "9" * 25, "9" * 5000,
    [], [1], [[]], {}, {"a": None}, {"a": {"b": [1.5, "x"]}}, *DATES, *NO_DATES,
]  # fmt: skip


@pytest.mark.parametrize("field", TYPES)
def test_any_value_leaves_as_declared_or_as_null_that_is_named(field: str) -> None:
    for value in JSON_VALUES:
        row: Row = {field: deepcopy(value)}
        nulled = Shaper(SCHEMA).shape(row)
        assert list(nulled) == ([field] if row[field] is None and value is not None else []), value
        assert wrong_fields(row) <= ({field} if row[field] is None else set()), value
        assert orjson.loads(orjson.dumps(row)) == row, "what leaves can be printed"


@pytest.mark.parametrize("field", TYPES)
def test_a_value_that_fits_is_not_touched(field: str) -> None:
    for value in JSON_VALUES:
        if value is not None and not wrong_fields({field: value}) and not isinstance(value, float):
            row: Row = {field: deepcopy(value)}
            assert list(Shaper(SCHEMA).shape(row)) == []
            assert row == {field: value}
            assert type(row[field]) is type(value)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("string", True, "true"),
        ("string", 8, "8"),
        ("string", 8.5, "8.5"),
        ("string", {"b": [1, "x"]}, '{"b":[1,"x"]}'),
        ("string", [], "[]"),
        ("required", 8, "8"),
        ("integer", "8", 8),
        ("integer", "-8", -8),
        ("integer", "+8", 8),
        ("integer", 8.0, 8),
        ("integer", "9007199254740993", 9007199254740993),
        ("integer", "9223372036854775807", 9223372036854775807),
        ("number", "8", 8.0),
        ("number", "8.5", 8.5),
        ("number", "1e3", 1000.0),
        ("number", 8, 8),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("boolean", 1, True),
        ("boolean", 0, False),
        ("date", "2026-03-04", "2026-03-04T00:00:00Z"),
        ("date", "2026-03-04 05:06:07 UTC", "2026-03-04T05:06:07Z"),
        ("date", "2026-03-04T05:06:07+0200", "2026-03-04T03:06:07Z"),
    ],
)
def test_a_repair_without_loss_is_made_in_silence(field: str, value: object, expected: object) -> None:
    row: Row = {field: value}
    assert list(Shaper(SCHEMA).shape(row)) == []
    assert row == {field: expected}
    assert type(row[field]) is type(expected)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            ("integer", value)
            for value in (8.5, "8.0", "eight", "", " 8", True, [8], {}, 1e20, 1e300, "9" * 25, "9" * 5000)
        ),
        *(("number", value) for value in ("eight", "", True, [], {}, "nan", "inf", "1e999", "9" * 5000)),
        *(("boolean", value) for value in ("TRUE", "yes", "1", "", 2, -1, 1.0, [], {})),
        *(("object", value) for value in ("{}", [], [["a", 1]], 1, True)),
        *(("array", value) for value in ("[]", {}, 1, True)),
        *(("date", value) for value in ("May", "now", "2026-02-29", 1700000000, True, [], {}, *NO_DATES[:6])),
    ],
)
def test_a_value_without_a_lossless_form_becomes_null_and_is_named(field: str, value: object) -> None:
    row: Row = {"string": "kept", field: value, "unknown": 1}
    assert list(Shaper(SCHEMA).shape(row)) == [field]
    assert row == {"string": "kept", field: None, "unknown": 1}


def test_each_lost_field_is_named_and_the_others_stay() -> None:
    row: Row = {"integer": "many", "date": "soon", "boolean": "true", "array": {}, "string": "kept", "object": {"a": 1}}
    assert sorted(Shaper(SCHEMA).shape(row)) == ["array", "date", "integer"]
    assert row == {
        "integer": None, "date": None, "boolean": True, "array": None, "string": "kept", "object": {"a": 1},
    }  # fmt: skip


def test_a_field_that_is_not_declared_leaves_as_it_came() -> None:
    row: Row = {"of_tomorrow": {"x": [1, None, "2026"]}, "string": "a"}
    assert list(Shaper(SCHEMA).shape(row)) == []
    assert row == {"of_tomorrow": {"x": [1, None, "2026"]}, "string": "a"}


def test_a_declared_field_that_is_missing_is_not_added() -> None:
    row: Row = {}
    assert list(Shaper(SCHEMA).shape(row)) == []
    assert row == {}


def test_a_dropped_field_leaves_no_row_whatever_its_layout() -> None:
    shaper = Shaper(SCHEMA, drop=["key", "string"])
    rows: list[Row] = [{"key": "s3cret", "integer": 1}, {"integer": 2}, {"key": None, "string": "x", "integer": "3"}]
    assert [list(shaper.shape(row)) for row in [*rows, *deepcopy(rows)]] == [[]] * 6
    assert rows == [{"integer": 1}, {"integer": 2}, {"integer": 3}]


def test_a_row_is_judged_by_its_own_dates_and_not_by_those_of_its_layout() -> None:
    shaper = Shaper(SCHEMA)
    for _ in range(2):
        assert list(shaper.shape({"date": DATES[0], "other_date": DATES[1]})) == []
        for wrong in NO_DATES[:6]:
            for right in DATES:
                assert list(shaper.shape({"date": wrong, "other_date": right})) == ["date"]
                assert list(shaper.shape({"date": right, "other_date": wrong})) == ["other_date"]


def test_more_layouts_than_are_remembered_change_nothing() -> None:
    shaper = Shaper(SCHEMA)
    for number in range(1500):
        row: Row = {f"field {number}": 1, "integer": 2, "date": DATES[0]}
        assert list(shaper.shape(row)) == []
        row = {f"field {number}": 1, "integer": "2", "date": "soon"}
        assert list(shaper.shape(row)) == ["date"]
        assert row == {f"field {number}": 1, "integer": 2, "date": None}


VALUES = (
    st.sampled_from(JSON_VALUES) | st.sampled_from([*DATES, *NO_DATES]) | st.none() | st.integers(-(2**63), 2**64 - 1)
)
FIELDS = [*TYPES, "unknown", "dropped"]
ROWS = st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, VALUES)), min_size=1, max_size=6)


@given(ROWS, st.integers(2, 3))
@example([{"date": DATES[0]}, {"date": ""}], 2)
@example([{"date": DATES[0], "other_date": DATES[0]}, {"date": DATES[0], "other_date": ""}], 2)
@example([{"date": DATES[0]}, {"date": "\n".join(DATES[:2])}], 2)
@example([{"integer": 1}, {"integer": True}, {"integer": 1.0}], 2)
@settings(deadline=None)
def test_what_a_shaper_has_seen_before_never_changes_what_it_does(rows: list[Row], times: int) -> None:
    """A layout that was found right once is looked up; each row must leave as if it were the first."""
    long_lived = Shaper(SCHEMA, drop=["dropped"])
    for original in rows * times:
        fresh, seen = deepcopy(original), deepcopy(original)
        assert list(Shaper(SCHEMA, drop=["dropped"]).shape(fresh)) == list(long_lived.shape(seen))
        assert orjson.dumps(seen) == orjson.dumps(fresh)
        assert "dropped" not in seen


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*TYPES, "unknown"]), JSON))
@settings(deadline=None)
def test_any_row_leaves_valid_but_for_what_is_named(row: Row) -> None:
    before = deepcopy(row)
    nulled = Shaper(SCHEMA).shape(row)
    assert {field for field in row if row[field] is None and before[field] is not None} == set(nulled)
    assert wrong_fields(row) <= {field for field in row if row[field] is None}
    assert orjson.loads(orjson.dumps(row)) == row
