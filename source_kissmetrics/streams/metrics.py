"""Stream `metrics`."""

from source_kissmetrics.core_api import CoreList
from source_kissmetrics.streams.products import Products


class Metrics(CoreList):
    """Saved metrics: their definitions, not their values. docs/wire-kissmetrics.md, Metric [D]."""

    name = "metrics"
    primary_key = ("id",)
    cursor_field = "config_last_changed_at"
    path = "/core/metrics"
    parent = Products
    path_in_parent = "/core/products/{parent_id}/metrics"
