"""Timestamps as the services write them: RFC 3339 with `Z` or an offset."""

from __future__ import annotations

import re
from calendar import isleap

import pendulum

_DAY = r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31|02-29)"
_DATE_TIME = rf"\d{{4}}-{_DAY}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
_matches = re.compile(_DATE_TIME, re.ASCII).fullmatch
_lines_match = re.compile(rf"(?:{_DATE_TIME}(?:\n|\Z))*", re.ASCII).fullmatch


def is_rfc3339(text: str) -> bool:
    """Whether the text is an RFC 3339 date-time, of a day that the calendar has."""
    return _matches(text) is not None and (text[5:10] != "02-29" or isleap(int(text[:4])))


def are_rfc3339(lines: str) -> bool:
    """Whether each line is a date-time. A 29th of February counts as none: look at the lines one by one then."""
    return _lines_match(lines) is not None and "-02-29T" not in lines


def to_rfc3339(value: object) -> str | None:
    """The same instant as RFC 3339 in UTC, for a date or date-time in another spelling; None if it is neither."""
    moment = _parse(value) if isinstance(value, str) else None
    return moment.in_timezone("UTC").to_iso8601_string() if moment else None


def sort_key(text: str) -> str | None:
    """UTC without offset: such keys sort as text the way the instants do. None if the text is no date-time.

    The two spellings that the services use are only cut, everything else is parsed.
    """
    if is_rfc3339(text):
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
