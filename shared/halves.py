r"""Halves of characters: JSON can spell them (`"\ud800"`, an emoji that was cut), no text can hold them.

A broken app sends them inside a command. What they stand in must be read around them, kept as it came, and
shown without harm.
"""

from __future__ import annotations

import json
import re
from typing import Any

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a whole character in two halves
    rb"|u([dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|.)",
    re.DOTALL,
)
_RAW = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")


def raw(text: bytes) -> bytes:
    """JSON `text` with its halves as bytes that are no UTF-8: who skips over a string does not mind those."""
    return _ESCAPE.sub(
        lambda found: chr(int(found[1], 16)).encode("utf-8", "surrogatepass") if found[1] else found[0], text
    )


def spelt(text: bytes) -> bytes:
    """What `raw` has done, undone."""
    return _RAW.sub(lambda found: b"\\u%04x" % ord(found[0].decode("utf-8", "surrogatepass")), text)


def loads(text: str) -> Any:
    """JSON as json.loads reads it, with halves as the letters by which they are spelt. Raises ValueError."""
    shown = _ESCAPE.sub(lambda found: b"\\" + found[0] if found[1] else found[0], text.encode())
    return json.loads(shown)
