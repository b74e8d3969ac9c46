"""The shapes in which a secret can turn up in a text, so that all of them are masked."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MIN_LENGTH = 4
"""Shorter values are not masked: they would punch holes into every log line and hide nothing worth hiding."""


_protected: list[str] = []


def protect(forms: Iterable[str]) -> None:
    """Has `mask` hide these texts from here on."""
    _protected[:] = longest_first([*_protected, *forms])


def mask(text: str) -> str:
    """The text without any protected one."""
    for form in _protected:
        text = text.replace(form, "****")
    return text


def excerpt(text: object, length: int = 200) -> str:
    """The beginning of a foreign text, in one line. Masked before it is cut: half a secret would not be found."""
    return " ".join(mask(str(text)).split())[:length]


def derived_forms(secret: str, *, username: str | None = None) -> list[str]:
    """All forms to mask: as it is, URL-quoted, JSON- and repr-escaped, base64, and as HTTP Basic credentials.

    `username` is the other half of a Basic pair; None where the secret is used alone.
    """
    pairs = [secret, f"{secret}:", f":{secret}"]
    if username is not None:
        pairs.append(f"{username}:{secret}")
    encoded = [base64.b64encode(pair.encode()).decode() for pair in pairs]
    escaped = [
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
    ]
    return longest_first([secret, *escaped, *encoded])


def longest_first(forms: Iterable[str]) -> list[str]:
    """Distinct forms, longest first: masking `abc` before `abcdef` would leave `def` standing."""
    return sorted({form for form in forms if len(form) >= MIN_LENGTH}, key=lambda form: (-len(form), form))
