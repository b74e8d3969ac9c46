"""Makes a row fit the schema that its stream declares; what cannot be made to fit is set to null, and said so."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, cast

import orjson

from connector_kit.instants import are_rfc3339, is_rfc3339, to_rfc3339

Row = dict[str, Any]
"""A record's data: the service's own field names and values."""

_MAX_LAYOUTS = 1000
"""Layouts of rows that a shaper remembers; a stream has a few dozen."""


class Shaper:
    """Checks a row's declared fields and repairs the wrong ones in place.

    Lossless repairs are silent (`"8"` for an integer, `true` for text, another spelling of a date). A value without a
    lossless form becomes null, and its field is named in the result, for `record.meta.changes`.

    A row is first looked up by its layout, the names and types of its fields: rows of a layout that was found right
    once need only a check of their dates, which takes half the time of looking at each field.
    """

    def __init__(self, schema: Mapping[str, Any], *, drop: Collection[str] = ()) -> None:
        self._drop = tuple(drop)
        self._rules = {name: _rule(declared) for name, declared in schema["properties"].items()}
        self._dates = [name for name, rule in self._rules.items() if rule.is_date]
        self._right_layouts: dict[tuple[Any, ...], Callable[[Row], Sequence[str]]] = {}

    def shape(self, row: Row) -> Sequence[str]:
        """Repairs the row and returns the names of the fields that had to be set to null."""
        for name in self._drop:
            row.pop(name, None)
        layout = (*row, *map(type, row.values()))
        dates = self._right_layouts.get(layout)
        if dates is not None and are_rfc3339(dates(row)):
            return ()
        nulled, is_right = self._repair(row)
        if is_right and len(self._right_layouts) < _MAX_LAYOUTS:
            self._right_layouts[layout] = _reader([name for name in self._dates if row.get(name) is not None])
        return nulled

    def _repair(self, row: Row) -> tuple[list[str], bool]:
        """Looks at each field. Returns what had to be nulled, and whether nothing had to be touched."""
        nulled = []
        is_right = True
        for name, rule in self._rules.items():
            value = row.get(name)
            if value is None or (type(value) is rule.kind and not (rule.is_date and not is_rfc3339(cast(str, value)))):
                continue
            is_right = False
            row[name] = rule.repair(value)
            if row[name] is None:
                nulled.append(name)
        return nulled, is_right


def _reader(names: list[str]) -> Callable[[Row], Sequence[str]]:
    """Reads these fields of a row."""
    if len(names) < 2:
        return lambda row: [row[name] for name in names]
    return itemgetter(*names)


@dataclass(frozen=True)
class _Rule:
    """The Python type of a declared JSON type, and how another value is made to fit: None where it cannot be."""

    kind: type
    repair: Callable[[Any], Any]
    is_date: bool = False


def _rule(declared: Mapping[str, Any]) -> _Rule:
    kind = next(kind for kind in declared["type"] if kind != "null")
    if kind == "string" and declared.get("format") == "date-time":
        return _Rule(str, to_rfc3339, is_date=True)
    return _RULES[kind]


def _to_text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _to_integer(value: Any) -> int | None:
    """Of 64 bits at most, which is what can be printed and what destinations take."""
    is_whole = isinstance(value, float) and value.is_integer()
    if not is_whole and not (isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,20}", value)):
        return None
    number = int(value)
    return number if -(2**63) <= number < 2**64 else None


def _to_number(value: Any) -> int | float | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        number = float(value) if isinstance(value, str) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _to_boolean(value: Any) -> bool | None:
    return {"true": True, "false": False, 1: True, 0: False}.get(value) if isinstance(value, (str, int)) else None


def _to_nothing(value: Any) -> None:
    return None


_RULES = {
    "string": _Rule(str, _to_text),
    "integer": _Rule(int, _to_integer),
    "number": _Rule(float, _to_number),
    "boolean": _Rule(bool, _to_boolean),
    "object": _Rule(dict, _to_nothing),
    "array": _Rule(list, _to_nothing),
}
