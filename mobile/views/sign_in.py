"""What the office's picture or a typist says: a registration code, alone or within the link to this app."""

from __future__ import annotations

import re

_CODE = re.compile(r"(?:.*/sign-in/)?\s*([0-9A-Z]{4}-?[0-9A-Z]{4})\s*", re.IGNORECASE)


def code_in(text: str) -> str | None:
    """The code, in capitals; None where there is none, as on the label of a device.

    Only the code is taken out of a link: it is good at the server that this app belongs to, or nowhere.
    """
    found = _CODE.fullmatch(text)
    return found[1].upper() if found else None
