"""Standing switches: how the service behaves on every request until told otherwise."""

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

    def changed(self, **changes: Any) -> Modes:
        """These modes with some of them set; an unknown name or a value of the wrong kind is refused."""
        for name, value in changes.items():
            _check(name, value)
        return dataclasses.replace(self, **changes)


_KINDS = get_type_hints(Modes)
_CHOICES = {"hrefs": ("normal", "amp", "foreign", "templated"), "sort": ("creation", "newest_first")}
_LEAST = {"limit_cap": 1, "latency_ms": 0, "rows_cap": 0}


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
