"""Waiting for a job, on a clock that only sleeping and asking move."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector_kit.polling import Polling, TimedOut


@dataclass
class Job:
    """Is done at a moment; each question takes so long."""

    done_at: float = float("inf")
    takes: float = 0.0
    now: float = 0.0
    naps: list[float] = field(default_factory=list)
    asked_at: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begun = self.now

    def ask(self) -> str | None:
        self.asked_at.append(self.now - self.begun)
        assert len(self.asked_at) < 5000, "it does not end"
        self.now += self.takes
        return "done" if self.asked_at[-1] >= self.done_at else None

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds

    def polling(self, deadline: float, jitter: Callable[[], float] = lambda: 1.0, **options: float) -> Polling:
        return Polling(deadline, clock=lambda: self.now, sleep=self.sleep, jitter=jitter, **options)


def test_a_job_that_is_done_costs_one_question_and_no_wait() -> None:
    job = Job(done_at=0)
    assert job.polling(60).until(job.ask) == "done"
    assert (job.asked_at, job.naps) == ([0], [])


@pytest.mark.parametrize("answer", [0, "", False, [], {}])
def test_any_answer_but_none_is_one(answer: object) -> None:
    job = Job()
    assert job.polling(60).until(lambda: answer) == answer
    assert job.naps == []


@pytest.mark.parametrize(
    ("jitter", "expected"),
    [(1.0, [1, 2, 4, 5, 5, 5]), (0.0, [0.5, 1, 2, 2.5, 2.5, 2.5]), (0.5, [0.75, 1.5, 3, 3.75, 3.75, 3.75])],
)
def test_pauses_grow_by_the_factor_to_the_longest_and_half_of_each_is_random(
    jitter: float, expected: list[float]
) -> None:
    job = Job(done_at=sum(expected))
    polling = job.polling(1000, jitter=lambda: jitter, first=1, factor=2, longest=5)
    assert polling.until(job.ask) == "done"
    assert job.naps == expected


@given(
    st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=20),
    st.floats(0, 20_000),
    st.floats(1, 10_000),
    st.floats(0, 5),
)
@settings(deadline=None)
def test_each_pause_is_between_half_and_all_of_what_is_due_and_none_ends_after_the_deadline(
    chances: list[float], done_at: float, deadline: float, takes: float
) -> None:
    job = Job(done_at, takes)
    drawn = cycle(chances)
    polling = job.polling(deadline, jitter=lambda: next(drawn))
    try:
        assert polling.until(job.ask) == "done"
        assert job.asked_at[-1] >= done_at
    except TimedOut:
        assert job.now - job.begun >= deadline - 1e-6, "given up too early"
        assert job.asked_at[-1] < done_at
    due = polling.first
    for number, nap in enumerate(job.naps):
        end = job.asked_at[number] + takes + nap
        assert end <= deadline + 1e-6
        assert nap <= due + 1e-9
        assert nap >= due / 2 - 1e-9 or end == pytest.approx(deadline), "shorter only where the deadline cuts it"
        due = min(polling.longest, due * polling.factor)


def test_the_last_pause_is_cut_and_the_job_asked_once_more_at_the_deadline() -> None:
    job = Job()
    with pytest.raises(TimedOut):
        job.polling(10, first=4, factor=1, longest=4).until(job.ask)
    assert job.naps == [4, 4, 2]
    assert job.asked_at == [0, 4, 8, 10]


def test_a_job_that_is_done_at_the_deadline_is_in_time() -> None:
    job = Job(done_at=10)
    assert job.polling(10, first=4, factor=1, longest=4).until(job.ask) == "done"


def test_time_that_the_questions_take_counts() -> None:
    job = Job(takes=3)
    with pytest.raises(TimedOut):
        job.polling(10, first=4, factor=1, longest=4).until(job.ask)
    assert job.asked_at == [0, 7]


def test_an_answer_that_comes_after_the_deadline_is_still_taken() -> None:
    """It is there: to throw it away would only cost another query."""
    job = Job(done_at=0, takes=99)
    assert job.polling(10).until(job.ask) == "done"


def test_an_error_of_the_question_ends_the_waiting() -> None:
    job = Job()

    def ask() -> str | None:
        job.ask()
        raise KeyError("job")

    with pytest.raises(KeyError):
        job.polling(10).until(ask)
    assert (len(job.asked_at), job.naps) == (1, [])


def test_one_polling_serves_many_jobs_each_from_its_own_begin() -> None:
    """The pauses begin anew, and so does the time to the deadline."""
    job = Job()
    polling = job.polling(10, first=4, factor=2, longest=8)
    for _ in range(3):
        job.naps.clear()
        with pytest.raises(TimedOut):
            polling.until(job.ask)
        assert job.naps == [4, 6]


def test_by_default_it_starts_fast_and_asks_at_least_twice_a_minute() -> None:
    job = Job()
    with pytest.raises(TimedOut):
        job.polling(3600).until(job.ask)
    assert job.naps[0] <= 0.5
    assert max(job.naps) == 30
    assert len(job.naps) < 150
