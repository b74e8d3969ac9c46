"""Stream `products`."""

from collections.abc import Sequence

from connector_kit.http import HttpClient
from connector_kit.pagination import Page, ReadAhead
from connector_kit.stream import Checkpoint, Slice
from source_kissmetrics.config import Config
from source_kissmetrics.core_api import CoreList, parse_item, served_at


class Products(CoreList):
    """Products of all accounts. `tracking_key` lets anyone write data: dropped unless asked for.

    docs/wire-kissmetrics.md, Product [R].
    """

    name = "products"
    primary_key = ("id",)
    cursor_field = "created_at"
    path = "/core/products"
    path_in_parent = "/core/products/{parent_id}"

    def __init__(self, config: Config, http: HttpClient, ahead: ReadAhead) -> None:
        super().__init__(config, http, ahead)
        self.drop = () if config.include_tracking_keys else ("tracking_key",)

    def slices(self, checkpoint: Checkpoint) -> Sequence[Slice]:
        """With a product filter, each product is looked up by its id, so that an unknown one is an error."""
        return self.slices_of(self.config.product_ids)

    def fetch(self, path: str, offset: int, limit: int) -> Page:
        if path == self.path:
            return super().fetch(path, offset, limit)
        answer = self.http.get(path)
        return Page([parse_item(answer)], total=1, served_at=served_at(answer))
