"""Imports the CDK in two thirds of the time.

While it is imported, serpyco-rs builds a serializer for every protocol class, and for each parses the Python source of
the class, to find descriptions for a JSON Schema that nobody asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any


def import_cdk() -> None:
    """Imports `airbyte_cdk`, without the descriptions if that can be had."""
    with _without_attribute_docs():
        import_module("airbyte_cdk")


@contextmanager
def _without_attribute_docs() -> Iterator[None]:
    try:
        reader: Any = import_module("attributes_doc")
        original = reader.get_attributes_doc
    except (ImportError, AttributeError):
        yield
        return
    reader.get_attributes_doc = lambda cls: {}
    try:
        yield
    finally:
        reader.get_attributes_doc = original
