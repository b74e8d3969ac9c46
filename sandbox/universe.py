"""Everything that the service holds: the data that all surfaces serve, made from a seed or given by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sandbox.collection import Collection
from sandbox.people import People
from sandbox.rows import GivenRows, Row
from sandbox.seed import MadeAccounts, MadeEvents, MadeMetrics, MadeProducts, MadeProperties, MadeReports

STREAMS = ("accounts", "products", "reports", "events", "properties", "metrics")


class Universe:
    """The collections by name. The same arguments make the same bytes, on every machine.

    Rows are made when they are first asked for, so a universe of a million events is ready at once. `people` are
    dealt to the products in turn and do things from `first_day` to `last_day`. On every one of these days but a
    few quiet ones, each of a product's people is found by its searches "Opened the app...".
    """

    def __init__(
        self,
        seed: int = 1,
        accounts: int = 2,
        products: int = 3,
        events: int = 130,
        properties: int = 90,
        reports: int = 25,
        metrics: int = 45,
        people: int = 400,
        first_day: str = "2026-01-01",
        last_day: str = "2026-03-31",
    ) -> None:
        if products and not accounts:
            raise ValueError("products: cannot be without accounts")
        if (events or properties or reports or metrics) and not products:
            raise ValueError("events, properties, reports, metrics: cannot be without products")
        if people and not products:
            raise ValueError("people: cannot be without products")
        days = date.fromisoformat(first_day), date.fromisoformat(last_day)
        if people and days[0] > days[1]:
            raise ValueError("first_day: is after last_day")
        made_accounts = MadeAccounts(seed, accounts)
        made_products = MadeProducts(seed, products, made_accounts.ids, accounts)
        owner = made_products.ids, products
        self.collections = {
            "accounts": Collection(made_accounts),
            "products": Collection(made_products),
            "reports": Collection(MadeReports(seed, reports, made_products)),
            "events": Collection(MadeEvents(seed, events, *owner)),
            "properties": Collection(MadeProperties(seed, properties, *owner)),
            "metrics": Collection(MadeMetrics(seed, metrics, *owner)),
        }
        self.people = People(seed, people, made_products, *days)

    @classmethod
    def of(cls, **rows: Sequence[Row]) -> Universe:
        """A universe of rows written by hand or recorded, e.g. `Universe.of(accounts=[...], products=[...])`.

        `links` in a row are dropped: the server builds them for the host that a client asked. There are no people.
        """
        universe = cls(accounts=0, products=0, events=0, properties=0, reports=0, metrics=0, people=0)
        for stream, given in rows.items():
            if stream not in STREAMS:
                raise ValueError(f"{stream}: is not one of {', '.join(STREAMS)}")
            universe.collections[stream] = Collection(GivenRows(given))
        return universe

    def __getitem__(self, stream: str) -> Collection:
        return self.collections[stream]

    def rows(self, stream: str) -> list[Row]:
        """The rows of one collection as they are now, in order, without links."""
        return list(self.collections[stream])

    def move(self, collection: str, op: str, count: int = 1) -> None:
        """Insert or delete rows at an end of one collection; see `Collection.move`."""
        self.collections[collection].move(op, count)

    def restore(self) -> None:
        """Undo every move."""
        for collection in self.collections.values():
            collection.restore()
