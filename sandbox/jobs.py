"""Every run of a query: what the service remembers of them, and what tests ask it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from functools import cache
from uuid import NAMESPACE_URL, uuid5

from sandbox.finder import Table
from sandbox.job import Job, Question, Run
from sandbox.modes import Modes
from sandbox.virtual_clock import VirtualClock


class Jobs:
    """Every run so far. The server's thread starts and finds, any thread reads."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._asked: Counter[Question] = Counter()
        self._answers: dict[Question, Callable[[], Table]] = {}
        self._lock = threading.Lock()

    def start(self, question: Question, modes: Modes, answer: Callable[[], Table]) -> Job:
        """Begin a run. Its id depends on the question, and on how often that was asked before.

        The people never change, so a question is worked out once, when its results are first asked for.
        """
        with self._lock:
            turn = self._asked[question]
            self._asked[question] += 1
            answer = self._answers.setdefault(question, cache(answer))
            job = Job(str(uuid5(NAMESPACE_URL, f"{question}/{turn}")), question, modes, self._clock.now, answer)
            self._jobs[job.id] = job
        return job

    def find(self, id_: str) -> Job | None:
        """The run with this id, if its results were not thrown away yet."""
        job = self._jobs.get(id_)
        if job is None or job.state(self._clock.now) == "expired":
            return None
        return job

    def running(self) -> list[Job]:
        """The runs that are not done yet."""
        now = self._clock.now
        return [job for job in self._all() if job.state(now) == "running"]

    def runs(self) -> list[Run]:
        """All of them as they stand, in the order in which they began."""
        now = self._clock.now
        return [
            Run(
                job.id,
                job.question.kind,
                job.question.subject_id,
                job.question.product_id,
                job.question.dialect,
                job.question.window.start,
                job.question.window.end,
                job.state(now),
                job.polls,
                job.pages,
            )
            for job in self._all()
        ]

    def clear(self) -> None:
        """Forget them all. The same questions will then get the same ids again."""
        with self._lock:
            self._jobs = {}
            self._asked = Counter()

    def _all(self) -> list[Job]:
        with self._lock:
            return list(self._jobs.values())
