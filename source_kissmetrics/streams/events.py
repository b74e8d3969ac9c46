"""Stream `events`."""

from source_kissmetrics.core_api import CoreList
from source_kissmetrics.streams.products import Products


class Events(CoreList):
    """The event library: a row per name of an event, not per occurrence. docs/wire-kissmetrics.md, Event [D]."""

    name = "events"
    primary_key = ("id",)
    cursor_field = "last_sent_at"
    path = "/core/events"
    parent = Products
    path_in_parent = "/core/products/{parent_id}/events"
