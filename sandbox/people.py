"""The people behind the numbers: who they are, what they did when, and the values of their properties."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache

from sandbox.behaviour import Life, seconds
from sandbox.days import Days
from sandbox.making import mix
from sandbox.rows import Rows

_KIND = 15  # in the manner of `Ids`: no row draws the same bits
_MOST_KMIDS = 2**31 - 1  # a prime, so that distinct people have distinct KMIDs
_MOST_KEPT = 65_536  # what does not depend on the day is asked for with every window
_NAMES = ("bob", "zoë.müller", "田中", "alice")
_PLANS = ("Basic", "Pro", "Équipe")

Value = str | int


@dataclass(frozen=True)
class Person:
    """One person as the service knows them: by a KMID, and by what the site identified them with."""

    kmid: int
    identity: str


class People:
    """So many people, dealt to the products in turn and made when asked for. They are known by their number.

    `range` is the first and the last day on which they do things. `person(number)` tells who it is, and
    `values(number, name)` the values that the person's property took.
    """

    def __init__(self, seed: int, count: int, products: Rows, first_day: date, last_day: date) -> None:
        self._count = count
        self._salt = mix(seed * 16 + _KIND)
        self._products = products
        self.range = first_day, last_day
        self.person = lru_cache(_MOST_KEPT)(self._person)
        self.values = lru_cache(_MOST_KEPT)(self._values)
        self._life = lru_cache(_MOST_KEPT)(self._made_life)

    def __len__(self) -> int:
        return self._count

    def of_product(self, product_id: str) -> range:
        """The numbers of a product's people."""
        place = self._places.get(product_id)
        return range(0) if place is None else range(place, self._count, len(self._products))

    def days(self, timezone: str) -> Days:
        """The days, in one zone, on which people do things."""
        if timezone not in self._days:
            self._days[timezone] = Days(timezone, *self.range)
        return self._days[timezone]

    def _person(self, number: int) -> Person:
        """Who it is. One in four was never identified, and one has a name that is not ASCII."""
        if number % 4 == 3:
            bits = mix(self._salt + number).to_bytes(8, "big") + mix(self._salt - number - 1).to_bytes(8, "big")
            identity = base64.b64encode(bits).decode()
        else:
            identity = f"{_NAMES[number // 4 % 4]}+{number}@example.com"
        return Person(1 + (self._salt + number * 48_271) % _MOST_KMIDS, identity)

    def seconds(self, number: int, event: str, day: int) -> list[int]:
        """The unix seconds, in order, at which this person sent this event on this day."""
        return seconds(self._life(number), event, day)

    def _values(self, number: int, name: str) -> Sequence[tuple[int, Value]]:
        """The values that this person's property took, each with the unix second from which on it holds."""
        life = self._life(number)
        bits = life.draw(15)
        start = life.days.starts[0]
        if name == "Plan Name" and bits % 5:
            later = life.moment(bits >> 8, bits % len(life.days))
            return (start, _PLANS[bits // 5 % 3]), (later, _PLANS[bits // 15 % 3])
        if name == "Billing Plan" and bits % 3:
            return ((start, ("monthly", "yearly")[bits // 3 % 2]),)
        if name == "Zip Code":
            return ((start, f"{bits % 1000:05}" if bits % 7 else "00123"),)
        if name == "Customer ID" and bits % 2:
            return ((start, 2**53 + 1 + number),)
        return ()

    def _made_life(self, number: int) -> Life:
        return Life(mix(self._salt ^ number << 1), self._homes[number % len(self._products)])

    @cached_property
    def _places(self) -> dict[str | None, int]:
        return {self._products.id(number): number for number in range(len(self._products))}

    @cached_property
    def _homes(self) -> list[Days]:
        return [self.days(self._products.row(number)["timezone"]) for number in range(len(self._products))]

    @cached_property
    def _days(self) -> dict[str, Days]:
        return {}
