"""The clock that jobs run by."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.virtual_clock import VirtualClock


class _Real:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_runs_at_its_rate_from_the_moment_that_is_set() -> None:
    real = _Real()
    clock = VirtualClock(real)
    assert (clock.now, clock.rate) == (0, 1)
    real.now += 5
    assert clock.now == 5
    clock.rate = 600
    real.now += 0.5
    assert clock.now == 305
    clock.rate = 0
    real.now += 1000
    assert clock.now == 305


def test_it_is_advanced_and_restarted() -> None:
    real = _Real()
    clock = VirtualClock(real)
    real.now += 1
    clock.advance(10)
    assert clock.now == 11
    clock.restart()
    assert clock.now == 0
    real.now += 2
    assert clock.now == 2


@pytest.mark.parametrize("seconds", [-1, "5", None, True, float("nan"), float("inf")])
def test_it_goes_forward_by_numbers_only(seconds: Any) -> None:
    clock = VirtualClock(_Real())
    with pytest.raises(ValueError, match="is not a number of seconds"):
        clock.advance(seconds)
    assert clock.now == 0
