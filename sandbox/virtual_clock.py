"""The clock that jobs run by: faster than the real one if asked to, and moved by hand in tests."""

from __future__ import annotations

import threading
from collections.abc import Callable


class VirtualClock:
    """Virtual seconds since the start, at `rate` times the speed of a real clock."""

    def __init__(self, real: Callable[[], float]) -> None:
        self._real = real
        self._lock = threading.Lock()
        self._rate = 1.0
        self._since, self._then = real(), 0.0

    @property
    def now(self) -> float:
        """Virtual seconds that have passed."""
        with self._lock:
            return self._now()

    @property
    def rate(self) -> float:
        """Virtual seconds in a real one."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        with self._lock:
            self._then, self._since = self._now(), self._real()
            self._rate = rate

    def advance(self, seconds: float) -> None:
        """Let so many virtual seconds pass at once."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
            raise ValueError(f"advance: {seconds!r} is not a number of seconds")
        with self._lock:
            self._then += seconds

    def restart(self) -> None:
        """Back to 0."""
        with self._lock:
            self._since, self._then = self._real(), 0.0

    def _now(self) -> float:
        return self._then + (self._real() - self._since) * self._rate
