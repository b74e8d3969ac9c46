"""What people do and when, drawn from hashes: the seconds of one person's events on one day, made alone.

Every eighth moment is the first second of the local day and every eighth the last, so that a window that is
wrong by one second gives other rows. On a quiet day nobody does anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.days import Days
from sandbox.making import mix

_QUIET_DAY, _QUIET_EVERY = 17, 30  # the 18th of January of a year that begins the range


@dataclass(frozen=True, slots=True)
class Life:
    """One person's `salt`, and the days of the place where the product is."""

    salt: int
    days: Days

    def draw(self, what: int, day: int = 0) -> int:
        """64 bits for one question about this person on this day."""
        return mix(self.salt + (day << 4) + what)

    def moment(self, bits: int, day: int) -> int:
        """A second of the day; often its very first or last."""
        starts = self.days.starts
        start, end = starts[day], starts[day + 1]
        edge = bits & 7
        if edge == 0:
            return start
        return end - 1 if edge == 1 else start + (bits >> 8) % (end - start)

    def later(self, bits: int, day: int, second: int) -> int:
        """A second of the day that is not before `second`."""
        return second + (bits >> 8) % (self.days.starts[day + 1] - second)

    def some(self, what: int, day: int, percent: int, most: int) -> list[int]:
        """Up to `most` moments on so many of a hundred days."""
        bits = self.draw(what, day)
        if bits % 100 >= percent:
            return []
        count = bits // 100 % most + 1
        return sorted(self.moment(bits >> (16 + turn), day) for turn in range(count))

    @property
    def first_day(self) -> int:
        """The day on which this person signs up."""
        day = self.draw(0) % len(self.days)
        return day - 1 if quiet(day) else day


def quiet(day: int) -> bool:
    """Whether nobody does anything on this day."""
    return day % _QUIET_EVERY == _QUIET_DAY


def _sign_ups(life: Life, day: int) -> list[int]:
    return [life.moment(life.draw(1), day)] if day == life.first_day else []


def _activations(life: Life, day: int) -> list[int]:
    return _after_sign_up(life, day, 2)


def _onboardings(life: Life, day: int) -> list[int]:
    return _after_sign_up(life, day, 3)


def _after_sign_up(life: Life, day: int, what: int) -> list[int]:
    """Four of ten do it on the day they sign up, two on the next day, the others never."""
    bits = life.draw(what)
    if day == life.first_day and bits % 10 < 4:
        return [life.later(bits, day, _sign_ups(life, day)[0])]
    return [life.moment(bits >> 4, day)] if day == life.first_day + 1 and bits % 10 in (4, 5) else []


def _cart_additions(life: Life, day: int) -> list[int]:
    return life.some(4, day, 20, 2)


def _check_outs(life: Life, day: int) -> list[int]:
    """Nine of twenty check out on the day they fill a cart, three on the next day."""
    bits = life.draw(5, day)
    found = []
    if bits % 20 < 9 and (added := _cart_additions(life, day)):
        found.append(life.later(bits, day, added[-1]))
    if day and not quiet(day - 1):
        bits = life.draw(5, day - 1)
        if bits % 20 in (9, 10, 11) and _cart_additions(life, day - 1):
            found.append(life.moment(bits >> 5, day))
    return sorted(found)


def _visits(life: Life, day: int) -> list[int]:
    return life.some(6, day, 35, 3)


def _tweets(life: Life, day: int) -> list[int]:
    return life.some(7, day, 10, 2)


def _app_openings(life: Life, day: int) -> list[int]:
    return life.some(8, day, 100, 2)


_RULES: dict[str, Callable[[Life, int], list[int]]] = {
    "Signed Up": _sign_ups,
    "Activated": _activations,
    "Completed Onboarding": _onboardings,
    "Added to Cart": _cart_additions,
    "Finished Check Out": _check_outs,
    "Visited Site": _visits,
    "Tweet": _tweets,
    "Opened App": _app_openings,
}
EVENTS = tuple(_RULES)
"""Every event that somebody sends. All people send `Opened App` on every day that is not quiet."""


def seconds(life: Life, event: str, day: int) -> list[int]:
    """The unix seconds, in order, at which the person sent the event on the day."""
    rule = _RULES.get(event)
    return [] if rule is None or quiet(day) else rule(life, day)
