"""Halves of characters in JSON: found, and nothing else taken for one."""

import json

import pytest

from shared import halves

WHOLE = (
    rb'"\ud83d\ude00"',
    rb'"\\ud800"',
    rb'"\\\\udc00 \" \n \u00e9 \ue000"',
    '"ä€😀"'.encode(),
    b"[1, {}]",
)


@pytest.mark.parametrize("text", WHOLE)
def test_whole_text_stays_as_it_is(text: bytes):
    assert halves.raw(text) == text
    assert halves.spelt(text) == text
    assert halves.loads(text.decode()) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "as_bytes", "shown"),
    [
        (rb'"a\ud800b"', b'"a\xed\xa0\x80b"', r"a\ud800b"),
        (rb'"\udc00"', b'"\xed\xb0\x80"', r"\udc00"),
        (rb'"\ud800\ud83d\ude00"', b'"\xed\xa0\x80\\ud83d\\ude00"', "\\ud800😀"),
        (rb'"\ud800\n\\"', b'"\xed\xa0\x80\\n\\\\"', "\\ud800\n\\"),
        (rb'"\\\udfff"', b'"\\\\\xed\xbf\xbf"', "\\\\udfff"),
    ],
)
def test_a_half_is_carried_spelt_again_and_shown(text: bytes, as_bytes: bytes, shown: str):
    assert halves.raw(text) == as_bytes
    assert halves.spelt(as_bytes) == text
    assert halves.loads(text.decode()) == shown
    shown.encode()


def test_what_is_no_json_is_refused():
    with pytest.raises(ValueError, match="Expecting"):
        halves.loads("{")
