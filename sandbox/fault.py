"""One scheduled fault: which requests it hits, how often, and what it does to them.

A fault is an object `{"match": {"path": regex, "query": regex}, "skip": n, "times": m, "do": {...}}`. A
regular expression is searched for anywhere in the path or in the raw query; one left out matches all. The
first `skip` (default 0) matching requests pass, the next `times` (default 1; null: all) are hit. `do` has
exactly one of:

- `{"status": 503, "headers": {...}, "body": "..." or null, "content_type": "..."}`: this answer. Without a
  body, the surface's own error body. `{authorization}` in the body becomes the request's Authorization
  header;
- `{"html": true}`: 200 and a web page; `{"raw": "..."}`: 200 and this text, called JSON; `{"json": ...}`:
  200 and this;
- `{"truncate": n}`: only the first n bytes of the answer, then the connection closes;
- `{"reset": true}`: no answer, the connection is reset;
- `{"delay_ms": n}`: the answer comes later;
- `{"replace_row": {"index": i, "with": ...}}`, `{"patch_row": {"index": i, "set": {...}}}`: one row of the
  page differs;
- `{"move": {"collection": "events", "op": "insert_first", "count": k, "when": "after"}}`: rows come or go at
  an end of the list (`insert_first`, `insert_last`, `delete_first`, `delete_last`), before or (default)
  after this answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any

from sandbox.collection import MOVES


class Fault:
    """One fault, checked, with counts of the requests it `met` and of those it was `done` to."""

    def __init__(self, spec: dict[str, Any]) -> None:
        _keys("fault", spec, {"do"}, {"match", "skip", "times"})
        match, times = spec.get("match", {}), spec.get("times", 1)
        _keys("match", match, set(), {"path", "query"})
        self.spec = spec
        self.do = _one_deed(spec["do"])
        self.met = 0
        self.done = 0
        self._path = _regex("path", match.get("path", ""))
        self._query = _regex("query", match.get("query", ""))
        self._skip: int = _count("skip", spec.get("skip", 0))
        self._times: int | None = None if times is None else _count("times", times)

    def due(self, path: str, query: str) -> bool:
        """Whether it hits this request; counts the request if it matches."""
        if not (self._path.search(path) and self._query.search(query)):
            return False
        self.met += 1
        if self.met <= self._skip or (self._times is not None and self.done >= self._times):
            return False
        self.done += 1
        return True


def _one_deed(do: Any) -> dict[str, Any]:
    if not isinstance(do, dict):
        raise ValueError(f"do: {do!r} is not an object")
    kinds = [key for key in do if key in _CHECKS]
    if len(kinds) != 1:
        raise ValueError(f"do: has {', '.join(do) or 'nothing'}; it takes exactly one of {', '.join(_CHECKS)}")
    kind = kinds[0]
    _keys("do", do, {kind}, {"headers", "body", "content_type"} if kind == "status" else set())
    _CHECKS[kind](kind, do[kind])
    if not all(isinstance(value, str) for value in do.get("headers", {}).values()):
        raise ValueError("headers: takes strings only")
    if not isinstance(do.get("body"), str | None) or not isinstance(do.get("content_type"), str | None):
        raise ValueError("body, content_type: take a string or null")
    return do


def _status(what: str, value: Any) -> None:
    if type(value) is not int or not 200 <= value <= 599:
        raise ValueError(f"{what}: {value!r} is not an HTTP status from 200 to 599")


def _true(what: str, value: Any) -> None:
    if value is not True:
        raise ValueError(f"{what}: takes true, not {value!r}")


def _text(what: str, value: Any) -> None:
    if not isinstance(value, str):
        raise ValueError(f"{what}: {value!r} is not a string")


def _count(what: str, value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{what}: {value!r} is not a count")
    return value


def _replacement(what: str, value: Any) -> None:
    _keys(what, value, {"index", "with"})
    _index(value["index"])


def _patch(what: str, value: Any) -> None:
    _keys(what, value, {"index", "set"})
    _index(value["index"])
    if not isinstance(value["set"], dict):
        raise ValueError(f"set: {value['set']!r} is not an object")


def _index(value: Any) -> None:
    if type(value) is not int:
        raise ValueError(f"index: {value!r} is not an integer")


def _move(what: str, value: Any) -> None:
    _keys(what, value, {"collection", "op"}, {"count", "when"})
    _count("count", value.get("count", 1))
    if value["op"] not in MOVES:
        raise ValueError(f"op: {value['op']!r} is not one of {', '.join(MOVES)}")
    if value.get("when", "after") not in ("before", "after"):
        raise ValueError(f"when: {value['when']!r} is neither before nor after")


_CHECKS: dict[str, Callable[[str, Any], object]] = {
    "status": _status,
    "html": _true,
    "raw": _text,
    "json": lambda what, value: None,
    "truncate": _count,
    "reset": _true,
    "delay_ms": _count,
    "replace_row": _replacement,
    "patch_row": _patch,
    "move": _move,
}


def _keys(what: str, value: Any, required: set[str], optional: AbstractSet[str] = frozenset()) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{what}: {value!r} is not an object")
    if unknown := sorted(set(value) - required - optional):
        known = ", ".join(sorted(required | optional))
        raise ValueError(f"{what}: unknown {', '.join(unknown)}; known are {known}")
    if missing := sorted(required - set(value)):
        raise ValueError(f"{what}: {', '.join(missing)} is missing")


def _regex(what: str, pattern: Any) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ValueError(f"{what}: {pattern!r} is not a regular expression") from error
