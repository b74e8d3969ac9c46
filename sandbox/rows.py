"""Where a collection's rows come from: given by hand, or made from a seed when they are asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Protocol

import orjson

Row = dict[str, Any]


class Rows(Protocol):
    """A source of rows by number. A row has every field of the wire but `links`, which vary with the host."""

    fingerprint: str

    def __len__(self) -> int: ...

    def row(self, number: int) -> Row:
        """The whole row."""
        ...

    def id(self, number: int) -> str | None:
        """Its id, without making the rest of the row."""
        ...

    def owner(self, number: int, field: str) -> str | None:
        """The id of the row's parent (`field` is `product_id` or `account_id`), as cheaply as `id`."""
        ...


class GivenRows:
    """Rows written by hand or taken from a recording."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = [{key: value for key, value in row.items() if key != "links"} for row in rows]
        self.fingerprint = hashlib.md5(orjson.dumps(self._rows), usedforsecurity=False).hexdigest()

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, number: int) -> Row:
        return self._rows[number]

    def id(self, number: int) -> str | None:
        return self._rows[number].get("id")

    def owner(self, number: int, field: str) -> str | None:
        return self._rows[number].get(field)
