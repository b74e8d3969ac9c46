"""Imports the CDK in three fifths of the time.

While it is imported, serpyco-rs builds a serializer for every protocol class, and for each parses the Python source of
the class, to find descriptions for a JSON Schema that nobody asks for. And requests-cache, which is not used here,
loads boto3 if it is there, for a cache in DynamoDB.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any


def import_cdk() -> None:
    """Imports `airbyte_cdk`, without the descriptions and boto3 if that can be had."""
    with _without_attribute_docs(), _without_boto3():
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


@contextmanager
def _without_boto3() -> Iterator[None]:
    if "boto3" in sys.modules:
        yield
        return
    sys.modules["boto3"] = None  # type: ignore[assignment]  # an import of it fails, as if it were not installed
    try:
        yield
    finally:
        del sys.modules["boto3"]
