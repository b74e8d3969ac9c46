"""Stream `properties`."""

from source_kissmetrics.core_api import CoreList
from source_kissmetrics.streams.products import Products


class Properties(CoreList):
    """The property library: a row per name of a property, not per value. docs/wire-kissmetrics.md, Property [D]."""

    name = "properties"
    primary_key = ("id",)
    cursor_field = "last_sent_at"
    path = "/core/properties"
    parent = Products
    path_in_parent = "/core/products/{parent_id}/properties"
