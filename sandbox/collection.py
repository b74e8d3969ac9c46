"""One list of the service: its rows in order, which can move under a reader, and their rendered bytes."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

import orjson

from sandbox.rows import Row, Rows

MOVES = ("insert_first", "insert_last", "delete_first", "delete_last")
_MOST_HOSTS = 8  # rendered rows are kept per kind of links and per host name that a client uses

Linker = Callable[[Row, str], list[dict[str, object]]]


def as_json(value: object) -> bytes:
    """JSON in the service's own spelling: no blanks, and `&`, `<`, `>` as `\\u0026`, `\\u003c`, `\\u003e`."""
    text = orjson.dumps(value)
    return text.replace(b"&", b"\\u0026").replace(b"<", b"\\u003c").replace(b">", b"\\u003e")


class Collection:
    """Rows of one kind in the order in which they were created.

    A row keeps its number for good; `order` lists the numbers that are in the collection now. A move may come
    from a test's thread while the server's reads: it replaces `order` as a whole, then the version, so that what
    was derived from an order never passes for that of a later one. Read `token` first.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._added: dict[int, Row] = {}
        self._version = 0
        self._by_id: tuple[int, dict[str | None, int]] = (-1, {})
        self._by_owner: dict[str, tuple[int, dict[str | None, tuple[int, ...]]]] = {}
        self._rendered: dict[tuple[Linker, str], dict[int, bytes]] = {}
        self.order = tuple(range(len(rows)))

    @property
    def token(self) -> str:
        """Changes whenever the content does: what an ETag is made from."""
        return f"{self.fingerprint}/{self._version}"

    @property
    def fingerprint(self) -> str:
        """Tells these rows from others, moved or not."""
        return self._rows.fingerprint

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[Row]:
        return map(self.row, self.order)

    def row(self, number: int) -> Row:
        """The row with this number, without its links."""
        return self._rows.row(number) if number < len(self._rows) else self._added[number]

    def find(self, id_: str) -> int | None:
        """The number of the row with this id, if it is in the list now."""
        version, index = self._by_id
        if version != self._version:
            version, index = self._version, {self._id(number): number for number in self.order}
            self._by_id = version, index
        return index.get(id_)

    def owned_by(self, field: str, owner: str) -> tuple[int, ...]:
        """The numbers of the rows whose `field` is `owner`, in the list's order."""
        version, index = self._by_owner.get(field, (-1, {}))
        if version != self._version:
            version, owned = self._version, defaultdict[str | None, list[int]](list)
            for number in self.order:
                owned[self._owner(number, field)].append(number)
            index = {owner: tuple(numbers) for owner, numbers in owned.items()}
            self._by_owner[field] = version, index
        return index.get(owner, ())

    def rendered(self, numbers: Iterable[int], links: Linker, base: str) -> list[bytes]:
        """These rows as JSON with the links of one host. Each is rendered once per host and kind of links."""
        cache = self._rendered.get((links, base))
        if cache is None:
            if len(self._rendered) >= _MOST_HOSTS:
                self._rendered.clear()
            cache = self._rendered[links, base] = {}
        page = []
        for number in numbers:
            text = cache.get(number)
            if text is None:
                row = self.row(number)
                text = cache[number] = as_json({**row, "links": links(row, base)})
            page.append(text)
        return page

    def move(self, op: str, count: int = 1) -> None:
        """Do one of MOVES with `count` rows. New rows are copies of the first, under new ids."""
        if op not in MOVES:
            raise ValueError(f"op: {op!r} is not one of {', '.join(MOVES)}")
        if count < 1:
            raise ValueError(f"count: {count} is not a number of rows")
        if op == "delete_first":
            order = self.order[count:]
        elif op == "delete_last":
            order = self.order[:-count]
        else:
            fresh = tuple(self._copy_of_first() for _ in range(count))
            order = fresh + self.order if op == "insert_first" else self.order + fresh
        self.order = order
        self._version += 1

    def restore(self) -> None:
        """Undo every move. The same inserts will then make the same rows again, so what was rendered stays right."""
        if not self._version:
            return
        self.order = tuple(range(len(self._rows)))
        self._added = {}
        self._version += 1

    def _copy_of_first(self) -> int:
        if not len(self._rows):
            raise ValueError("an empty list has no row to copy: give it rows first")
        number = len(self._rows) + len(self._added)
        fingerprint = f"{self._rows.fingerprint}/{number}"
        row = {**self._rows.row(0), "id": str(uuid.uuid5(uuid.NAMESPACE_URL, fingerprint))}
        if "index" in row:
            row["index"] = number
        self._added[number] = row
        return number

    def _id(self, number: int) -> str | None:
        return self._rows.id(number) if number < len(self._rows) else self._added[number]["id"]

    def _owner(self, number: int, field: str) -> str | None:
        return self._rows.owner(number, field) if number < len(self._rows) else self._added[number].get(field)
