"""The streams' schemas: a JSON file each, of the stream's name."""

from __future__ import annotations

import json
import pkgutil
from typing import Any


def load(name: str) -> dict[str, Any]:
    """The schema of a stream, as declared."""
    content = pkgutil.get_data(__name__, f"{name}.json")
    assert content is not None
    schema: dict[str, Any] = json.loads(content)
    return schema
