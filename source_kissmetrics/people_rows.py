"""Rows of a people search as records: the person, and the calculated columns under their headings."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

INTERNAL = {"KMID": "kmid", "Person": "person"}
"""Headings of the columns that name the person, and the fields they become."""


class PeopleRows:
    """Turns the rows of one run into `row_key`, `kmid`, `person` and `columns`.

    A row is an array in the order of the columns, or (v2) an object with `identity` and `columns`. Where the service
    describes no columns (v2), an array begins with KMID and person, as the public clients of that generation read it,
    and the calculations are named `column_1`, `column_2`, …
    """

    def __init__(self, described: Sequence[Mapping[str, Any]] | None) -> None:
        names = [str(column.get("display_name")) for column in described or ()]
        kinds = [column.get("type") for column in described or ()]
        is_internal = [name in INTERNAL and kind == "internal" for name, kind in zip(names, kinds, strict=True)]
        self._fields = [
            INTERNAL[name] if internal else None for name, internal in zip(names, is_internal, strict=True)
        ] or ["kmid", "person"]
        calculated = [column for column, internal in zip(described or (), is_internal, strict=True) if not internal]
        self.headings = headings(calculated) if described is not None else None
        self._digests: dict[str, str] = {}
        self._anonymous: Counter[str] = Counter()
        self.repeats = 0
        """Rows of a person that came again, to the letter: a sign that pages overlapped."""

    def record(self, row: Any) -> dict[str, Any] | None:
        """The row's part of a record; None for a person's row that came before, to the letter.

        Raises ValueError for what is no row of these columns.
        """
        if isinstance(row, Mapping):
            person, cells = self._from_object(row)
        elif isinstance(row, list):
            person, cells = self._from_array(row)
        else:
            raise ValueError(f"a row is {type(row).__name__}, not an array or an object")
        columns = self._named(cells)
        digest = hashlib.sha256(orjson.dumps([person, columns], option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
        key = self._key(person, digest)
        if key is None:
            self.repeats += 1
            return None
        return {"row_key": key, **person, "columns": columns}

    def _from_array(self, row: list[Any]) -> tuple[dict[str, Any], list[Any]]:
        fields = self._fields + [None] * (len(row) - len(self._fields))
        if self.headings is not None and len(row) != len(self._fields):
            raise ValueError(f"a row has {len(row)} cells for {len(self._fields)} columns")
        if len(row) < len(self._fields):
            raise ValueError(f"a row has {len(row)} cells, too few for KMID and person")
        person: dict[str, Any] = {"kmid": None, "person": None}
        cells = []
        for field, cell in zip(fields, row, strict=False):
            if field is None:
                cells.append(cell)
            else:
                person[field] = cell
        return person, cells

    def _from_object(self, row: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        cells = row.get("columns")
        if not isinstance(cells, list):
            raise ValueError(f"a row has the keys {', '.join(sorted(row)) or '(none)'}, and no list of columns")
        return {"kmid": row.get("kmid"), "person": row.get("identity")}, cells

    def _named(self, cells: list[Any]) -> dict[str, Any]:
        names = self.headings
        if names is None:
            names = [f"column_{number}" for number in range(1, len(cells) + 1)]
        if len(names) != len(cells):
            raise ValueError(f"a row has {len(cells)} calculated cells for {len(names)} columns")
        return dict(zip(names, cells, strict=True))

    def _key(self, person: Mapping[str, Any], digest: str) -> str | None:
        """KMID, else person, else the digest of the row.

        A second row of the same person that differs adds its digest; rows without a person are numbered.
        """
        known = next((value for value in (person["kmid"], person["person"]) if value is not None), None)
        if known is None:
            self._anonymous[digest] += 1
            number = self._anonymous[digest]
            return digest if number == 1 else f"{digest}#{number}"
        for key in (str(known), f"{known}#{digest}"):
            if key not in self._digests:
                self._digests[key] = digest
                return key
            if self._digests[key] == digest:
                return None
        return None


def headings(columns: Sequence[Mapping[str, Any]]) -> list[str]:
    """`<display_name> (<display_return_option>)`, as Kissmetrics' own CSV script writes them, told apart by a number.

    The display name alone would not do: a report may hold the same event twice, with another calculation.
    """
    seen: Counter[str] = Counter()
    names = []
    for column in columns:
        name = f"{column.get('display_name')} ({column.get('display_return_option')})"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return names
