"""One run of a query, from its start to the day its results are thrown away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sandbox.finder import Table
from sandbox.modes import Modes
from sandbox.window import Window

State = Literal["running", "completed", "failed", "expired"]
_STEPS = 60
_FAILS_AT = 29 / _STEPS  # how far the documentation's own example of a running query had come


@dataclass(frozen=True)
class Question:
    """What is asked: `kind` is `people_search`, `metric_over_time` or `metric_by_segment`."""

    kind: str
    subject_id: str
    product_id: str
    dialect: str
    window: Window
    detail: str = ""


@dataclass(frozen=True)
class Run:
    """One run as tests see it: what was asked, and how often its status and its results were served."""

    id: str
    kind: str
    subject_id: str
    product_id: str
    dialect: str
    start: int
    end: int
    state: State
    polls: int
    pages: int


@dataclass
class Job:
    """A question under way. The modes that held when it began stay its own."""

    id: str
    question: Question
    modes: Modes
    begun: float
    answer: Callable[[], Table]
    polls: int = 0
    pages: int = 0

    def state(self, now: float) -> State:
        """How it stands at a virtual second."""
        elapsed = now - self.begun
        if self.modes.fail_queries != "never":
            return "failed" if elapsed >= self.modes.job_seconds * _FAILS_AT else "running"
        if elapsed < self.modes.job_seconds:
            return "running"
        lasts = self.modes.result_ttl
        return "completed" if lasts is None or elapsed < self.modes.job_seconds + lasts else "expired"

    def progress(self, now: float) -> float:
        """How much of it is done: sixtieths."""
        state = self.state(now)
        if state != "running":
            return _FAILS_AT if state == "failed" else 1.0
        return int((now - self.begun) / self.modes.job_seconds * _STEPS) / _STEPS

    def remaining(self, now: float) -> float:
        """Virtual seconds until it is done."""
        return max(0.0, self.begun + self.modes.job_seconds - now)
