"""The generated objects, one class a kind: what the service holds for a small customer, or a huge one.

Every oddity that a client must survive is placed by the row's number, so it is there at any seed.
"""

from __future__ import annotations

from sandbox.making import (
    EVENT_NAMES,
    PROPERTY_NAMES,
    Ids,
    display,
    in_order,
    instant,
    mix,
    named,
    stamp,
    zulu,
)
from sandbox.rows import Row
from sandbox.searches import name_of

_REPORT_TYPES = ("people_search_v2", "funnel", "cohort", "revenue", "people_search_v2", "path")
_KINDS = ("accounts", "products", "reports", "metrics", "events", "properties")
_TWO_YEARS = 2 * 365 * 86_400


class _Made:
    """Rows that are computed from their number. Subclasses say the fields; owners are dealt out in turn."""

    kind: str

    def __init__(self, seed: int, count: int, owners: Ids | None = None, owner_count: int = 1) -> None:
        code = _KINDS.index(self.kind)
        self.ids = Ids(seed, code)
        self.fingerprint = f"{self.kind}:{seed}:{count}:{owner_count}"
        self._count = count
        self._salt = mix(seed * 16 + code) << 32
        self._owners = owners
        self._owner_count = owner_count

    def __len__(self) -> int:
        return self._count

    def id(self, number: int) -> str:
        return self.ids(number)

    def owner(self, number: int, field: str) -> str | None:
        if self._owners is None:
            return None
        return self._owners(number % self._owner_count)

    def _bits(self, number: int) -> int:
        return mix(self._salt + number)


class MadeAccounts(_Made):
    """Customers. Every second one is canceled and has nothing in its contact."""

    kind = "accounts"

    def row(self, number: int) -> Row:
        canceled = number % 2 == 1
        created = in_order(number, self._count)
        return {
            "id": self.ids(number),
            "name": f"Crème & Sons {number + 1}" if canceled else f"Example Company {number + 1}",
            "status": "canceled" if canceled else "active",
            "created_at": zulu(created),
            "updated_at": zulu(created + self._bits(number) % _TWO_YEARS),
            "contact": {"name": None, "country": None, "phone": None}
            if canceled
            else {"name": "Zoë Müller", "country": "DE", "phone": "+49 30 0000000"},
        }


class MadeProducts(_Made):
    """Sites and apps, with write keys. The second is in US/Pacific, the third has no url or hosts."""

    kind = "products"

    def row(self, number: int) -> Row:
        site = f"shop{number + 1}.example.com"
        bare = number % 3 == 2
        bits = self._bits(number)
        return {
            "id": self.ids(number),
            "account_id": self.owner(number, "account_id"),
            "name": named(("My First Product", "Shop 日本", 'The "quiet" one'), number),
            "tracking_key": f"{mix(bits):016x}{mix(bits + 1):016x}{bits & 0xFFFFFFFF:08x}",
            "url": None if bare else f"https://{site}",
            "status": "canceled" if number % 5 == 4 else "active",
            "environment": "production" if number % 3 == 1 else "",
            "timezone": "US/Pacific" if number % 3 == 1 else "UTC",
            "created_at": stamp(in_order(number, self._count)),
            "hosts": [] if bare else [site, f"www.{site}"],
        }


class MadeReports(_Made):
    """Saved reports of five types; only `people_search_v2` can be run."""

    kind = "reports"

    def __init__(self, seed: int, count: int, products: MadeProducts) -> None:
        super().__init__(seed, count, products.ids, len(products))
        self._products = products

    def row(self, number: int) -> Row:
        kind = _REPORT_TYPES[number % len(_REPORT_TYPES)]
        return {
            "created_at": stamp(in_order(number, self._count)),
            "name": self._name(number, kind),
            "report_type": kind,
            "account_id": self._products.owner(number % self._owner_count, "account_id"),
            "product_id": self.owner(number, "product_id"),
            "id": self.ids(number),
        }

    def _name(self, number: int, kind: str) -> str:
        if kind != "people_search_v2":
            return f"{display(kind)} № {number + 1}"
        turn, place = divmod(number, len(_REPORT_TYPES))
        return name_of(turn * _REPORT_TYPES.count(kind) + _REPORT_TYPES[:place].count(kind))


class MadeEvents(_Made):
    """The event library. Some are hidden, some were never sent, and some totals are strings."""

    kind = "events"

    def row(self, number: int) -> Row:
        bits = self._bits(number)
        index = number // self._owner_count
        name = named(EVENT_NAMES, index)
        first, last, total = instant(bits), bits % _TWO_YEARS + 86_400, bits >> 40
        silent = number % 11 == 5
        return {
            "last_sent_at": None if silent else stamp(first + 2 * last),
            "first_sent_at": None if silent else stamp(first + 1443),
            "last_used_at": None if number % 17 == 9 else stamp(first + last),
            "id": self.ids(number),
            "product_id": self.owner(number, "product_id"),
            "index": index,
            "name": name,
            "display_name": display(name),
            "description": f"Sent when a person has {name}" if number % 3 == 1 else None,
            "is_visible": number % 7 != 3,
            "total": str(total) if number % 29 == 17 else total,
            "first_used_at": stamp(first),
        }


class MadeProperties(_Made):
    """The property library. Its types are the three documented ones and null."""

    kind = "properties"

    def row(self, number: int) -> Row:
        bits = self._bits(number)
        index = number // self._owner_count
        name = named(PROPERTY_NAMES, index)
        first, last = instant(bits), bits % _TWO_YEARS + 86_400
        silent = number % 13 == 8
        return {
            "last_sent_at": None if silent else stamp(first + 2 * last),
            "first_sent_at": None if silent else stamp(first + 1443),
            "last_used_at": stamp(first + last),
            "id": self.ids(number),
            "product_id": self.owner(number, "product_id"),
            "index": index,
            "name": name,
            "display_name": display(name),
            "description": f"Holds the {name}" if number % 4 == 1 else None,
            "is_visible": number % 9 != 4,
            "type": ("automatic", None, "text", "number")[index % 4],
            "first_used_at": None if silent else stamp(first),
        }


class MadeMetrics(_Made):
    """Saved metrics. `status` is a string although the documentation says boolean."""

    kind = "metrics"

    def row(self, number: int) -> Row:
        bits = self._bits(number)
        return {
            "config_last_changed_at": stamp(instant(bits)),
            "color": None if number % 3 == 0 else f"#{bits & 0xFFFFFF:06x}",
            "id": self.ids(number),
            "product_id": self.owner(number, "product_id"),
            "title": f"Average Revenue Per Person {number + 1} €",
            "description": None if number % 4 == 2 else "Revenue divided by the number of people",
            "unit_type": ("numeric", "time", "percent")[number // self._owner_count % 3],
            "status": "pending" if number % 5 == 0 else "ready",
            "sort_index": number // self._owner_count,
            "is_visible": number % 6 != 4,
        }
