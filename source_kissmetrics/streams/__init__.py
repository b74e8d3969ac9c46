"""The streams, one file each. To add one: a class, a schema file of the same name, and a line here."""

from source_kissmetrics.core_api import CoreList
from source_kissmetrics.streams.accounts import Accounts
from source_kissmetrics.streams.events import Events
from source_kissmetrics.streams.metrics import Metrics
from source_kissmetrics.streams.products import Products
from source_kissmetrics.streams.properties import Properties
from source_kissmetrics.streams.reports import Reports

CORE_STREAMS: tuple[type[CoreList], ...] = (Accounts, Products, Reports, Events, Properties, Metrics)
"""The Core API's streams, in the order in which they are offered and begun."""
