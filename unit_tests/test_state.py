"""A stream's state: what is written is read again, and what is not ours is refused with what to do."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector_kit.errors import ConfigError
from connector_kit.state import StreamState

OURS = {"v": 1, "cursor_field": "updated_at", "partitions": {"*": "2026-01-01T00:00:00Z", "p": None}}


def test_a_new_stream_has_no_checkpoint() -> None:
    state = StreamState("events", "updated_at")
    assert state.checkpoint("*") is None
    assert state.as_json() == {"v": 1, "cursor_field": "updated_at", "partitions": {}}


def test_a_saved_checkpoint_is_known_and_written() -> None:
    state = StreamState("events", "updated_at", OURS)
    state.save("q", "2026-02-02T00:00:00Z")
    state.save("*", "2026-03-03T00:00:00Z")
    assert [state.checkpoint(key) for key in ("*", "p", "q", "r")] == [
        "2026-03-03T00:00:00Z",
        None,
        "2026-02-02T00:00:00Z",
        None,
    ]
    assert state.as_json() == {
        "v": 1,
        "cursor_field": "updated_at",
        "partitions": {"*": "2026-03-03T00:00:00Z", "p": None, "q": "2026-02-02T00:00:00Z"},
    }


def test_what_was_written_is_a_snapshot_and_the_given_state_is_left_alone() -> None:
    given_state = json.loads(json.dumps(OURS))
    state = StreamState("events", "updated_at", given_state)
    written = state.as_json()
    state.save("*", "later")
    assert written == OURS == given_state


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))


@given(st.dictionaries(st.text(), JSON), st.none() | st.text(min_size=1))
@settings(deadline=None)
def test_a_state_survives_being_printed_and_given_again(checkpoints: dict[str, Any], cursor: str | None) -> None:
    state = StreamState("events", cursor)
    for partition, checkpoint in checkpoints.items():
        state.save(partition, checkpoint)
    again = StreamState("events", cursor, json.loads(json.dumps(state.as_json())))
    assert {partition: again.checkpoint(partition) for partition in checkpoints} == checkpoints
    assert again.as_json() == {"v": 1, "cursor_field": cursor, "partitions": checkpoints}


@pytest.mark.parametrize(
    "given_state",
    [
        None,
        {},
        {"__ab_no_cursor_state_message": True},
        {"__ab_full_refresh_sync_complete": True},
        {"__ab_no_cursor_state_message": True, "__ab_full_refresh_sync_complete": False},
    ],
)
def test_no_state_and_the_platforms_markers_mean_the_beginning(given_state: dict[str, Any] | None) -> None:
    assert StreamState("events", "updated_at", given_state).as_json()["partitions"] == {}


@pytest.mark.parametrize(
    ("given_state", "says"),
    [
        ({"updated_at": "2026-01-01"}, "was not written by this connector: it has the keys updated_at"),
        ({"partitions": {}}, "was not written by this connector: it has the keys partitions"),
        ({"v": 0, "cursor_field": "updated_at", "partitions": {}}, "was not written by this connector"),
        ({"v": "1", "cursor_field": "updated_at", "partitions": {}}, "was not written by this connector"),
        ({"v": None, "cursor_field": "updated_at", "partitions": {}}, "was not written by this connector"),
        ({"v": 1, "cursor_field": "updated_at"}, "was not written by this connector: it has the keys cursor_field, v"),
        ({"v": 1, "cursor_field": "updated_at", "partitions": []}, "was not written by this connector"),
        ({"v": 1, "cursor_field": "updated_at", "partitions": None}, "was not written by this connector"),
        ({**OURS, "v": 2}, "has version 2; this connector reads version 1"),
        ({"v": 99}, "has version 99; this connector reads version 1"),
        ({**OURS, "cursor_field": "created_at"}, "its cursor is 'created_at', this stream's is 'updated_at'"),
        ({"v": 1, "partitions": {}}, "its cursor is None, this stream's is 'updated_at'"),
        ({"__ab_no_cursor_state_message": True, "x": 1}, "was not written by this connector"),
    ],
)
def test_a_state_that_is_not_ours_is_refused_with_what_to_do(given_state: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError) as raised:
        StreamState("events", "updated_at", given_state)
    message = raised.value.message
    assert "stream events" in message
    assert says in message
    assert "eset th" in message
    assert "clear its state" in message
    assert message.endswith(".")


def test_of_many_foreign_keys_five_are_named() -> None:
    with pytest.raises(ConfigError, match=r"the keys a, b, c, d, e, …\."):
        StreamState("events", None, dict.fromkeys("hgfedcba", 1))
