"""Standing switches: how the service behaves on every request until told otherwise.

A query keeps the `job_seconds`, `result_ttl` and `fail_queries` of the moment at which it was started.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints


@dataclass(frozen=True)
class Modes:
    """The defaults are the service as it was recorded. Each switch is a doubt that a client must survive."""

    docs_literal: bool = False
    """Serve what the documentation prints: bare arrays, and bare objects with `"links": []`, no envelope."""
    limit_cap: int | None = None
    """The most rows a page may hold, whatever `limit` asks."""
    limit_cap_silent: bool = False
    """With `limit_cap`: `pagination.limit` and the links tell the asked limit. Their offsets lose no row."""
    ignore_offset: bool = False
    """Every page is the first one."""
    hrefs: str = "normal"
    """Spelling of the page links: `normal`; `amp` (`&amp;` for `&`); `foreign` (first, last, next and prev on
    `foreign_origin`); `templated` (next is a template with `{offset}`)."""
    foreign_origin: str = "https://apikissmetrics.com"
    """Where `foreign` hrefs point. The default is the documentation's misspelt host."""
    total_error: int = 0
    """Added to `pagination.total`."""
    total_missing: bool = False
    """Leave `pagination.total` out."""
    latency_ms: float = 0
    """Wait before every answer."""
    redirect_to: str | None = None
    """Answer every request with a 301 to the same path on this origin."""
    shuffle: bool = False
    """Sort each answer's list differently: the service promises no order."""
    rows_cap: int | None = None
    """Rows past this many are never served, though `total` and the links count them."""
    sort: str = "creation"
    """Order of lists: `creation` or `newest_first`."""
    gzip: bool = True
    """Compress for clients that accept it. Off, a benchmark's server costs less."""

    location: str = "same"
    """Where a query's Location headers, and the links to its status and results, point: to the `same` origin as
    the request's, `cross` to the other of the two hosts, or to the `foreign` one of `foreign_origin`. The page
    links of results follow `hrefs`."""
    job_seconds: float = 0
    """How many virtual seconds a query runs. With 0 it is done at the first look."""
    clock_rate: float = 1
    """Virtual seconds in a real one; with 0 only `advance` moves the clock."""
    result_ttl: float | None = None
    """Virtual seconds after its end when a query and its results are thrown away: 404 from then on."""
    max_running: int | None = None
    """With so many queries running, a further run is answered 429 with Retry-After."""
    fail_queries: str = "never"
    """`error`: halfway through, a status has an `error` and never gets on; `error_completed`: and says that it is
    completed. Both with a status of 200."""
    kmid_position: int | None = 0
    """Column of the KMID in the results of v1; null leaves it out. Those of v2 always begin with it."""
    rows_as: str = "arrays"
    """Rows of the results of v2: `arrays`, or `objects` of an `identity` and `columns`, which are strings."""
    results_limit_cap: int | None = None
    """The most rows a page of results may hold, whatever `limit` asks; it says so."""
    results_rows_cap: int | None = None
    """Results past this many rows are never served, though the total and the links count them."""

    def changed(self, **changes: Any) -> Modes:
        """These modes with some of them set; an unknown name or a value of the wrong kind is refused."""
        for name, value in changes.items():
            _check(name, value)
        return dataclasses.replace(self, **changes)


_KINDS = get_type_hints(Modes)
_CHOICES = {
    "hrefs": ("normal", "amp", "foreign", "templated"),
    "sort": ("creation", "newest_first"),
    "location": ("same", "cross", "foreign"),
    "fail_queries": ("never", "error", "error_completed"),
    "rows_as": ("arrays", "objects"),
}
_LEAST = {
    "limit_cap": 1,
    "latency_ms": 0,
    "rows_cap": 0,
    "job_seconds": 0,
    "clock_rate": 0,
    "result_ttl": 0,
    "max_running": 0,
    "kmid_position": 0,
    "results_limit_cap": 1,
    "results_rows_cap": 0,
}


def _check(name: str, value: Any) -> None:
    if name not in _KINDS:
        raise ValueError(f"{name}: is not a mode. The modes are {', '.join(_KINDS)}")
    kinds = get_args(_KINDS[name]) or (_KINDS[name],)
    if float in kinds:
        kinds = (*kinds, int)
    if type(value) not in kinds:
        raise ValueError(f"{name}: {value!r} is not {' or '.join(kind.__name__ for kind in kinds)}")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise ValueError(f"{name}: {value!r} is not one of {', '.join(_CHOICES[name])}")
    if name in _LEAST and value is not None and value < _LEAST[name]:
        raise ValueError(f"{name}: {value!r} is less than {_LEAST[name]}")
