"""Makes a row fit the schema that its stream declares; what cannot be made to fit is set to null, and said so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import orjson

from connector_kit.instants import is_rfc3339, to_rfc3339

Row = dict[str, Any]
"""A record's data: the service's own field names and values."""

_UNFIT = object()


class Shaper:
    """Checks a row's declared fields and repairs the wrong ones in place.

    Lossless repairs are silent (`"8"` for an integer, `true` for text, another spelling of a date). A value without a
    lossless form becomes null, and its field is named in the result, for `record.meta.changes`.
    """

    def __init__(self, schema: Mapping[str, Any], *, drop: Collection[str] = ()) -> None:
        self._drop = tuple(drop)
        self._checks: list[tuple[str, type, Callable[[Any], bool] | None, Callable[[Any], Any]]] = []
        for name, declared in schema["properties"].items():
            kind, is_valid, repair = _rules(declared)
            self._checks.append((name, kind, is_valid, repair))

    def shape(self, row: Row) -> list[str]:
        """Repairs the row and returns the names of the fields that had to be set to null."""
        nulled = []
        for name in self._drop:
            row.pop(name, None)
        for name, kind, is_valid, repair in self._checks:
            value = row.get(name)
            if value is None or (type(value) is kind and (is_valid is None or is_valid(value))):
                continue
            repaired = repair(value)
            if repaired is _UNFIT:
                row[name] = None
                nulled.append(name)
            else:
                row[name] = repaired
        return nulled


def _rules(declared: Mapping[str, Any]) -> tuple[type, Callable[[Any], bool] | None, Callable[[Any], Any]]:
    """The Python type of a declared JSON type, a further check of its values, and the repair."""
    types = [kind for kind in declared["type"] if kind != "null"]
    if types == ["string"] and declared.get("format") == "date-time":
        return str, is_rfc3339, lambda value: to_rfc3339(value) or _UNFIT
    return {
        "string": (str, None, _to_text),
        "integer": (int, None, _to_integer),
        "number": (float, None, _to_number),
        "boolean": (bool, None, _to_boolean),
        "object": (dict, None, lambda _: _UNFIT),
        "array": (list, None, lambda _: _UNFIT),
    }[types[0]]


def _to_text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _to_integer(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return _UNFIT
    return _UNFIT


def _to_number(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return _UNFIT
        return number if number - number == 0 else _UNFIT
    return _UNFIT


def _to_boolean(value: Any) -> Any:
    return (
        {"true": True, "false": False, 1: True, 0: False}.get(value, _UNFIT)
        if isinstance(value, (str, int))
        else _UNFIT
    )
