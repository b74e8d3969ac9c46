"""An answer before it is sent, and the last steps on its way: revalidation, compression, retouched rows."""

from __future__ import annotations

import gzip
import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import orjson

from sandbox.collection import as_json

JSON = "application/json; charset=utf-8"
_MOST_PACKED_BYTES = 256 * 1024 * 1024


@dataclass
class Answer:
    """Status, body and headers as a surface gives them. `etag` is unquoted; None means that none is sent."""

    status: int
    body: bytes
    content_type: str | None = JSON
    headers: dict[str, str] = field(default_factory=dict)
    etag: str | None = None


def digest(content: bytes) -> str:
    """The 32 hex digits that the service's ETags look like."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def enveloped_error(status: int, message: str) -> Answer:
    """An error as the Core API and the later queries spell it."""
    message = message.lower()
    meta = {"status": status, "message": message, "errors": [message.replace(" ", "_")]}
    return Answer(status, as_json({"meta": meta}))


def retouch(answer: Answer, edit: dict[str, Any]) -> None:
    """Replace or patch one row of a page: `edit` is a `replace_row` or `patch_row` fault."""
    body = orjson.loads(answer.body)
    rows = body.get("data", body.get("rows")) if isinstance(body, dict) else body
    kind, change = next(iter(edit.items()))
    if not isinstance(rows, list) or not -len(rows) <= change["index"] < len(rows):
        raise ValueError(f"{kind}: this answer has no row {change['index']}")
    if kind == "replace_row":
        rows[change["index"]] = change["with"]
    elif isinstance(rows[change["index"]], dict):
        rows[change["index"]].update(change["set"])
    else:
        raise ValueError(f"{kind}: row {change['index']} is not an object")
    answer.body = as_json(body)
    answer.etag = answer.etag and digest(answer.body)


def wants_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header takes gzip."""
    for coding in accept_encoding.lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


class Packer:
    """Compresses bodies, and remembers those with an ETag: a page that is asked twice is packed once."""

    def __init__(self) -> None:
        self._packed: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0

    def pack(self, answer: Answer) -> bytes:
        """The gzipped body, the same bytes every time."""
        known = self._packed.get(answer.etag or "")
        if known is not None:
            return known
        packed = gzip.compress(answer.body, compresslevel=1, mtime=0)
        if answer.etag:
            self._packed[answer.etag] = packed
            self._size += len(packed)
            while self._size > _MOST_PACKED_BYTES:
                self._size -= len(self._packed.popitem(last=False)[1])
        return packed
