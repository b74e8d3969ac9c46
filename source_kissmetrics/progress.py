"""How far a windowed stream has come with one report or metric: what its checkpoint holds.

    {"size": "day", "read": [["2026-01-01", "2026-02-28"]], "unsettled": {"2026-02-28": "2026-02-28"},
     "runs": {"2026-03-01": {"last": "2026-03-01", "status": "https://…/status", "started": 1772409600}}}

`read` are ranges of days that are read, first and last. `unsettled` are windows, by first day, that were read so early
that late data may still come, each with the last closed day of that time. `runs` are the queries that were started, by
their window's first day, with its last day, the status address and the unix second of the start, so that a restart
asks them for their results instead of running them again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from connector_kit.errors import ConfigError
from connector_kit.state import RESET
from source_kissmetrics.windows import DAY, Window

Range = tuple[date, date]

RUN_SECONDS = 24 * 3600
"""Age at which a query is not asked any more: one that has not ended in a day will not, and is run again."""


@dataclass(frozen=True)
class QueryRun:
    """A query that was started for a window."""

    last: date
    """Last day of the window: a query of the same first day may be of a shorter one."""
    status: str
    started: int


@dataclass(frozen=True)
class Progress:
    """An immutable checkpoint; each change gives a new one."""

    size: str
    read: Sequence[Range] = ()
    unsettled: Mapping[date, date] = field(default_factory=dict)
    runs: Mapping[date, QueryRun] = field(default_factory=dict)

    @classmethod
    def of(cls, checkpoint: Any | None, size: str, stream: str) -> Progress:
        """Reads a checkpoint. One of another window size says nothing about these windows: all are read again."""
        if checkpoint is None or (isinstance(checkpoint, dict) and checkpoint.get("size") != size):
            return cls(size)
        try:
            return cls(
                size,
                [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in checkpoint["read"]],
                {date.fromisoformat(first): date.fromisoformat(day) for first, day in checkpoint["unsettled"].items()},
                {
                    date.fromisoformat(first): QueryRun(
                        date.fromisoformat(run["last"]), str(run["status"]), int(run["started"])
                    )
                    for first, run in checkpoint["runs"].items()
                },
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ConfigError(f"The state of stream {stream} holds a checkpoint that cannot be read. {RESET}") from None

    def as_json(self) -> dict[str, Any]:
        """What the state holds."""
        return {
            "size": self.size,
            "read": [[first.isoformat(), last.isoformat()] for first, last in self.read],
            "unsettled": {first.isoformat(): day.isoformat() for first, day in sorted(self.unsettled.items())},
            "runs": {
                first.isoformat(): {"last": run.last.isoformat(), "status": run.status, "started": run.started}
                for first, run in sorted(self.runs.items())
            },
        }

    def open_windows(self, windows: Sequence[Window], closed: date) -> list[Window]:
        """The windows to read: those not read yet, and the unsettled ones once another day has closed."""
        return [
            window
            for window in windows
            if not self._is_read(window) or self.unsettled.get(window.first, closed) < closed
        ]

    def run_of(self, window: Window, now: float) -> str | None:
        """The status address of a query that was started for just this window, not too long before `now`."""
        run = self.runs.get(window.first)
        return run.status if run and run.last == window.last and now - run.started < RUN_SECONDS else None

    def with_run(self, window: Window, address: str, now: float) -> Progress:
        """A query was started for the window."""
        return replace(self, runs={**self.runs, window.first: QueryRun(window.last, address, int(now))})

    def without_run(self, window: Window) -> Progress:
        """The window's query is of no use any more."""
        return replace(self, runs={first: run for first, run in self.runs.items() if first != window.first})

    def with_window(self, window: Window, closed: date, lookback_days: int) -> Progress:
        """The window was read when `closed` was the last closed day."""
        unsettled = {first: day for first, day in self.unsettled.items() if first != window.first}
        if closed < window.last + timedelta(days=lookback_days):
            unsettled[window.first] = closed
        read = _joined([*self.read, (window.first, window.last)])
        return replace(self.without_run(window), read=read, unsettled=unsettled)

    def _is_read(self, window: Window) -> bool:
        return any(first <= window.first and window.last <= last for first, last in self.read)


def _joined(ranges: Sequence[Range]) -> list[Range]:
    """The ranges in order, those that touch or overlap made one."""
    joined: list[Range] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + DAY:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined
