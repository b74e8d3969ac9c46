"""Everything that the service holds: the data that all surfaces serve, made from a seed or given by hand."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.collection import Collection
from sandbox.rows import GivenRows, Row
from sandbox.seed import MadeAccounts, MadeEvents, MadeMetrics, MadeProducts, MadeProperties, MadeReports

STREAMS = ("accounts", "products", "reports", "events", "properties", "metrics")


class Universe:
    """The collections by name. The same arguments make the same bytes, on every machine.

    Rows are made when they are first asked for, so a universe of a million events is ready at once.
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
    ) -> None:
        if products and not accounts:
            raise ValueError("products: cannot be without accounts")
        if (events or properties or reports or metrics) and not products:
            raise ValueError("events, properties, reports, metrics: cannot be without products")
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

    @classmethod
    def of(cls, **rows: Sequence[Row]) -> Universe:
        """A universe of rows written by hand or recorded, e.g. `Universe.of(accounts=[...], products=[...])`.

        `links` in a row are dropped: the server builds them for the host that a client asked.
        """
        universe = cls(accounts=0, products=0, events=0, properties=0, reports=0, metrics=0)
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
