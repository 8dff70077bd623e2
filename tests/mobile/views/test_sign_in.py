"""A registration code out of whatever was read."""

from __future__ import annotations

import pytest

from mobile.views.sign_in import code_in


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("https://field.example.org/app/#/sign-in/K7QD-3M9X", "K7QD-3M9X"),
        ("http://127.0.0.1:8800/app/#/sign-in/k7qd3m9x", "K7QD3M9X"),
        (" k7qd-3m9x\n", "K7QD-3M9X"),
        ("ALCLB1A2C000", None),
        ("https://field.example.org/app/", None),
        ("https://field.example.org/visit/K7QD-3M9X", None),
        ("", None),
    ],
)
def test_is_found_alone_or_in_the_offices_link(text: str, code: str | None):
    assert code_in(text) == code
