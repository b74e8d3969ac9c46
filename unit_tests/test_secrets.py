"""The shapes of a secret: each that a text can show it in is masked, the longest first."""

import base64
import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.auth import _basic_auth_str

from connector_kit.secrets import derived_forms, longest_first

SECRET = "pa ss/w\"ö'rd+\\&="


def masked(text: str, forms: list[str]) -> str:
    """What the CDK does with them, one after the other."""
    for form in forms:
        text = text.replace(form, "****")
    return text


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        "pa%20ss/w%22%C3%B6%27rd%2B%5C%26%3D",
        "pa%20ss%2Fw%22%C3%B6%27rd%2B%5C%26%3D",
        "pa+ss%2Fw%22%C3%B6%27rd%2B%5C%26%3D",
        'pa ss/w\\"\\u00f6\'rd+\\\\&=',
        'pa ss/w\\"ö\'rd+\\\\&=',
        "pa ss/w\"ö\\'rd+\\\\&=",
        "cGEgc3MvdyLDtidyZCtcJj0=",
        "cGEgc3MvdyLDtidyZCtcJj06",
        "OnBhIHNzL3ciw7YncmQrXCY9",
    ],
    ids=["plain", "quoted", "quoted with slashes", "quoted as in a form", "JSON", "JSON in UTF-8", "repr", "base64",
         "Basic user name", "Basic password"],
)  # fmt: skip
def test_each_form_is_masked_whole(text: str) -> None:
    forms = derived_forms(SECRET)
    assert text in forms
    assert masked(f"<{text}>", forms) == "<****>"


def test_the_password_of_a_basic_pair_is_masked_with_its_user_name() -> None:
    header = base64.b64encode(f"me@example.com:{SECRET}".encode()).decode()
    assert header in derived_forms(SECRET, username="me@example.com")
    assert header not in derived_forms(SECRET)


@given(st.text(st.characters(codec="utf-8"), min_size=4))
@settings(deadline=None)
def test_nothing_of_a_secret_is_left_in_what_libraries_make_of_it(secret: str) -> None:
    forms = derived_forms(secret)
    for text in [secret, quote(secret), urlencode({"": secret})[1:], json.dumps(secret)[1:-1], repr(secret)[1:-1]]:
        assert masked(text, forms).strip("*") == ""


@given(st.text(st.characters(codec="latin-1"), min_size=4), st.text(st.characters(codec="latin-1")))
@settings(deadline=None)
def test_a_basic_header_in_ascii_is_masked(secret: str, username: str) -> None:
    if (secret + username).isascii():
        scheme, credentials = _basic_auth_str(username, secret).split(" ")
        assert scheme == "Basic"
        # Without the scheme: a secret such as `Basi` is masked there too.
        assert masked(credentials, derived_forms(secret, username=username)) == "****"


@given(st.lists(st.text(max_size=8)))
@settings(deadline=None)
def test_a_longer_form_stands_before_each_shorter_one_and_each_stands_once(forms: list[str]) -> None:
    ordered = longest_first(forms)
    assert [len(form) for form in ordered] == sorted((len(form) for form in ordered), reverse=True)
    assert set(ordered) == {form for form in forms if len(form) >= 4}
    assert len(ordered) == len(set(ordered))


def test_a_form_that_holds_another_is_masked_first() -> None:
    assert masked("abcdef", longest_first(["abcd", "abcdef", "abcde"])) == "****"


def test_a_secret_too_short_to_hide_is_not_masked() -> None:
    assert "abc" not in derived_forms("abc")
    assert "abcd" in derived_forms("abcd")


def test_forms_come_longest_first() -> None:
    lengths = [len(form) for form in derived_forms(SECRET, username="me")]
    assert lengths == sorted(lengths, reverse=True)
