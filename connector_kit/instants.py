"""Timestamps as the services write them: RFC 3339 with `Z` or an offset."""

from __future__ import annotations

import re

import pendulum

RFC3339 = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"
    r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
).fullmatch


def is_rfc3339(text: str) -> bool:
    """Whether the text is an RFC 3339 date-time; the 29th to 31st are looked up in the calendar."""
    return RFC3339(text) is not None and (text[8:10] <= "28" or _parse(text) is not None)


def to_rfc3339(value: object) -> str | None:
    """The same instant as RFC 3339 in UTC, for a date or date-time in another spelling; None if it is neither."""
    moment = _parse(value) if isinstance(value, str) else None
    return moment.in_timezone("UTC").to_iso8601_string() if moment else None


def sort_key(text: str) -> str | None:
    """UTC without offset: such keys sort as text the way the instants do. None if the text is no date-time.

    The two spellings that the services use are only cut, everything else is parsed.
    """
    if RFC3339(text):
        if text[-1] == "Z":
            return text[:-1]
        if text.endswith("+00:00"):
            return text[:-6]
    utc = to_rfc3339(text)
    return utc[:-1] if utc else None


def _parse(text: str) -> pendulum.DateTime | None:
    try:
        moment = pendulum.parse(text, strict=False)
    except (ValueError, OverflowError):
        return None
    return moment if isinstance(moment, pendulum.DateTime) else None
