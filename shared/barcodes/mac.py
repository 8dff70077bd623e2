"""MAC addresses as labels print them: twelve hex digits with any separators, or none."""

from __future__ import annotations

import re

from shared.barcodes.errors import ScanError

_SEPARATORS = re.compile(r"[:\-. ]")
# Colons may hold a misread letter; dashes and dots also stand in serials, so there the shape must be exact.
_SEPARATED = re.compile(
    r"[0-9A-Za-z]{1,2}(?::[0-9A-Za-z]{1,2}){4,7}\Z"
    r"|[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}\Z"
    r"|[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}\Z"
)


def parse_mac(text: str) -> str:
    """The canonical form, `AC:12:2F:00:1B:9E`. Raises ScanError."""
    digits = _SEPARATORS.sub("", text).upper()
    if wrong := next((c for c in digits if c not in "0123456789ABCDEF"), None):
        meant = " (did you mean 0?)" if wrong == "O" else " (did you mean 1?)" if wrong in "IL" else ""
        raise ScanError("malformed-mac", f"A MAC is made of 0-9 and A-F; “{wrong}” is neither{meant}.", "mac")
    if len(digits) != 12:
        raise ScanError("malformed-mac", f"A MAC has 12 hex digits, this has {len(digits)}.", "mac")
    if not digits.strip("0"):
        raise ScanError("malformed-mac", "A MAC of only zeros belongs to no device.", "mac")
    if not digits.strip("F"):
        raise ScanError("malformed-mac", "A MAC of only F is the broadcast address, no device's own.", "mac")
    if int(digits[:2], 16) & 1:
        detail = f"{_joined(digits)} is a multicast address, no device's own."
        raise ScanError("malformed-mac", detail, "mac")
    return _joined(digits)


def is_separated_mac(text: str) -> bool:
    """Whether `text` is written the way only a MAC is, right or wrong: `AC:12:2F:00:1B:9`."""
    return _SEPARATED.match(text) is not None


def is_bare_mac(text: str) -> bool:
    """Whether `text` is twelve hex digits with a letter among them, and an address a device may have."""
    if len(text) != 12 or text.isdigit():
        return False
    try:
        parse_mac(text)
    except ScanError:
        return False
    return True


def is_locally_administered(mac: str) -> bool:
    """Whether the maker did not give this address: phones and virtual ports make up their own."""
    return bool(int(mac[:2], 16) & 2)


def _joined(digits: str) -> str:
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))
