"""A stream's state: which of its partitions are read, and how far. Compact, versioned, and refused when it is not ours.

Version 1: `{"v": 1, "cursor_field": "updated_at", "partitions": {"*": "2026-01-01T00:00:00Z"}}`. What a partition's
checkpoint is, the stream decides; it must be JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector_kit.errors import ConfigError

VERSION = 1

_STATELESS_MARKERS = {"__ab_no_cursor_state_message", "__ab_full_refresh_sync_complete"}
"""What platform and CDK write for streams that have no state of their own; read as no state."""

RESET = "Reset this stream (clear its state) and sync again; nothing is lost by that."
"""What to do about a state that cannot be used."""


class StreamState:
    """The checkpoints of one stream's partitions. Not thread-safe: its owner takes a lock."""

    def __init__(self, stream: str, cursor_field: str | None, given: Mapping[str, Any] | None = None) -> None:
        """Takes the state of an earlier sync. Raises ConfigError if it is of another stream or a newer version."""
        self._cursor_field = cursor_field
        self._partitions: dict[str, Any] = {}
        if given and not _STATELESS_MARKERS.issuperset(given):
            self._partitions = _partitions(stream, cursor_field, given)

    def checkpoint(self, partition: str) -> Any | None:
        """How far the partition was read; None if it was not."""
        return self._partitions.get(partition)

    def save(self, partition: str, checkpoint: Any) -> None:
        """Takes down how far a partition was read, over what was known of it."""
        self._partitions[partition] = checkpoint

    def as_json(self) -> dict[str, Any]:
        """What a STATE message carries: a snapshot."""
        return {"v": VERSION, "cursor_field": self._cursor_field, "partitions": dict(self._partitions)}


def _partitions(stream: str, cursor_field: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    version = given.get("v")
    if isinstance(version, int) and version > VERSION:
        raise ConfigError(
            f"The state of stream {stream} has version {version}; this connector reads version {VERSION}. Use the "
            f"newer connector that wrote it, or reset the stream (clear its state)."
        )
    partitions = given.get("partitions")
    if version != VERSION or not isinstance(partitions, dict):
        raise ConfigError(
            f"The state of stream {stream} was not written by this connector: it has the keys {_keys(given)}. {RESET}"
        )
    if given.get("cursor_field") != cursor_field:
        raise ConfigError(
            f"The state given for stream {stream} belongs to another stream: its cursor is "
            f"{given.get('cursor_field')!r}, this stream's is {cursor_field!r}. {RESET}"
        )
    return dict(partitions)


def _keys(given: Mapping[str, Any]) -> str:
    shown = sorted(map(str, given))[:5]
    return ", ".join(shown) + (", …" if len(given) > len(shown) else "")
