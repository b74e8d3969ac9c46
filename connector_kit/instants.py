"""Timestamps as the services write them: RFC 3339 with `Z` or an offset."""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Sequence

import pendulum

_DAY = r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31|02-29)"
_DATE_TIME = rf"\d{{4}}-{_DAY}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
_matches = re.compile(_DATE_TIME, re.ASCII).fullmatch
_lines_match = re.compile(rf"{_DATE_TIME}(?:\n{_DATE_TIME})*", re.ASCII).fullmatch
_reads_as_date = re.compile(
    r"\d{4}([-/]?)\d\d\1\d\d(?:[Tt ]\d\d:?\d\d(?::?\d\d(?:[.,]\d+)?)? ?(?:[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
).fullmatch
"""Spellings that leave nothing to guess. The parser knows more: it completes `May` or `8.5` with the present day."""


def is_rfc3339(text: str) -> bool:
    """Whether the text is an RFC 3339 date-time, of a day that the calendar has."""
    return _matches(text) is not None and (text[5:10] != "02-29" or isleap(int(text[:4])))


def are_rfc3339(texts: Sequence[str]) -> bool:
    """Whether each text is a date-time. A 29th of February counts as none: look at the texts one by one then."""
    if not texts:
        return True
    lines = "\n".join(texts)
    return _lines_match(lines) is not None and lines.count("\n") < len(texts) and "-02-29T" not in lines


def to_rfc3339(value: object) -> str | None:
    """The same instant as RFC 3339 in UTC, for a date or date-time in another spelling; None if it is neither."""
    moment = _parse(value) if isinstance(value, str) and _reads_as_date(value) else None
    return moment.to_iso8601_string() if moment else None


def sort_key(text: str) -> str | None:
    """UTC without offset: such keys sort as text the way the instants do. None if the text is no date-time.

    The two spellings that the services use are only cut, everything else is parsed.
    """
    key = unchecked_sort_key(text)
    if key is not None and is_rfc3339(text):
        return _without_zeros(key)
    utc = to_rfc3339(text)
    return _without_zeros(utc[:-1]) if utc else None


def unchecked_sort_key(text: str) -> str | None:
    """What `sort_key` gives for a date-time in the services' two spellings, but for zeros at its end; None for others.

    A text that is no date-time may get a key too, so check whatever follows from one.
    """
    if text.endswith("+00:00"):
        return text[:-6]
    return text[:-1] if text.endswith("Z") else None


def _without_zeros(key: str) -> str:
    """One spelling for each instant: 0.50 and 0.5 seconds are the same, and so are 0.0 and none."""
    return key.rstrip("0").rstrip(".") if "." in key else key


def _parse(text: str) -> pendulum.DateTime | None:
    """In UTC. None where the calendar does not have the day, or the years 1 to 9999 not the instant."""
    try:
        moment = pendulum.parse(text, strict=False)
        return moment.in_timezone("UTC") if isinstance(moment, pendulum.DateTime) else None
    except (ValueError, OverflowError):
        return None
