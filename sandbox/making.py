"""What the generated rows are made of: numbers, ids, instants and names that depend on a seed alone.

Nothing here draws from a random stream: row 999,999 costs the same as row 0 and can be made alone.
"""

from __future__ import annotations

from datetime import date
from functools import cache

_MASK = (1 << 64) - 1
_START = 1_388_534_400  # 2014-01-01T00:00:00Z
_SIX_YEARS = 6 * 365 * 86_400


def mix(number: int) -> int:
    """64 well-stirred bits of `number` (the finaliser of splitmix64)."""
    number = (number + 0x9E3779B97F4A7C15) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)


class Ids:
    """UUID strings in the version-1 manner of the service, one to one with the row's number.

    `kind` (0 to 15) lands in the clock sequence, so that no two kinds ever share an id.
    """

    def __init__(self, seed: int, kind: int) -> None:
        bits = mix(seed * 16 + kind)
        self._step = (bits & 0xFFFFFFFF) | 1
        self._start = bits >> 32
        sequence = kind << 12 | (bits >> 20 & 0xFFF)
        self._tail = f"-{bits >> 8 & 0xFFFF:04x}-0132-{sequence:04x}-22000a{mix(seed) & 0xFFFFFF:06x}"

    def __call__(self, number: int) -> str:
        return f"{(self._start + number * self._step) & 0xFFFFFFFF:08x}{self._tail}"


def instant(bits: int, *, since: int = _START, within: int = _SIX_YEARS) -> int:
    """A unix second of the `within` seconds after `since`, chosen by `bits`."""
    return since + bits % within


def in_order(number: int, count: int) -> int:
    """The unix second at which the `number`-th of `count` rows was created: later rows are younger."""
    return _START + number * (2 * _SIX_YEARS) // max(count, 1)


# Four instants an event: remembering the few thousand days and 86,400 times makes a row twice as cheap.
@cache
def _day(number: int) -> str:
    return date.fromordinal(date(1970, 1, 1).toordinal() + number).isoformat()


@cache
def _time(second: int) -> str:
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def stamp(second: int) -> str:
    """`2014-08-29T15:41:08+00:00`, the spelling of everything but accounts."""
    day, rest = divmod(second, 86_400)
    return f"{_day(day)}T{_time(rest)}+00:00"


def zulu(second: int) -> str:
    """`2015-02-27T01:40:37Z`, the spelling of accounts."""
    return stamp(second).removesuffix("+00:00") + "Z"


EVENT_NAMES = (
    "visited site",
    "signed up",
    "search engine hit",
    "activated",
    "café réservé",
    "added to cart",
    'said "hello"',
    "finished check out",
    "購入完了 日本",
    "ad campaign hit",
    "path\\to\\thing",
    "shipped 🚀",
    "a<b & c>d",
    "completed onboarding",
    "two\nlines\tand a tab",
    "subscription billed",
)

PROPERTY_NAMES = (
    "Customer ID",
    "referrer",
    "plan name",
    "prénom",
    "campaign content",
    "campaign medium",
    "campaign name",
    "campaign source",
    "campaign terms",
    "地域",
    'quote "inches"',
    "back\\slash",
    "mood 🙂",
    "R&D budget",
    "billing amount",
    "url",
)


def named(names: tuple[str, ...], index: int) -> str:
    """The `index`-th name: the listed ones first, then numbered rounds of them, so that all differ."""
    turn, place = divmod(index, len(names))
    return f"{names[place]} {turn + 1}" if turn else names[place]


def display(name: str) -> str:
    """The name as the service's screens show it: first letter upper case."""
    return name[:1].upper() + name[1:]
