"""Exchanges with the real service that were recorded as VCR cassettes, in a form that tests can replay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml


@dataclass(frozen=True)
class Exchange:
    """One request and its answer. Header names are lower case; the body is as it was before compression."""

    name: str
    origin: str
    path: str
    query: str
    status: int
    headers: dict[str, str]
    body: bytes


def exchanges(folder: Path) -> list[Exchange]:
    """Every exchange of every cassette in a folder, by file name."""
    return [
        _exchange(file.stem, interaction)
        for file in sorted(folder.glob("*.yml"))
        for interaction in yaml.safe_load(file.read_text("utf-8"))["http_interactions"]
    ]


def _exchange(name: str, interaction: dict[str, Any]) -> Exchange:
    request, response = interaction["request"], interaction["response"]
    uri = urlsplit(request["uri"])
    status, headers, body = response["status"], response["headers"], response["body"]
    return Exchange(
        name,
        f"{uri.scheme}://{uri.netloc}",
        uri.path,
        uri.query,
        status["code"],
        {key.lower(): ", ".join(values) for key, values in headers.items()},
        body["string"].encode(body["encoding"]),
    )
