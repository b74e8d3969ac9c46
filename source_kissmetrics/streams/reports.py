"""Stream `reports`."""

from source_kissmetrics.core_api import CoreList
from source_kissmetrics.streams.products import Products


class Reports(CoreList):
    """Saved reports of all types; only those of type `people_search_v2` can be run. docs/wire-kissmetrics.md, Report
    [D]."""

    name = "reports"
    primary_key = ("id",)
    cursor_field = "created_at"
    path = "/core/reports"
    parent = Products
    path_in_parent = "/core/products/{parent_id}/reports"
