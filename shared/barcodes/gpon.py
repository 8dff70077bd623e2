"""GPON serial numbers: four letters of the vendor and eight hex digits (ITU-T G.984.3)."""

from __future__ import annotations

import re

from shared.barcodes.errors import ScanError

_PRINTED = re.compile(r"[A-Z]{4}[0-9A-F]{8}\Z")
_HEX = re.compile(r"[0-9A-F]{16}\Z")
_HEX_VENDOR = re.compile(r"(?:4[1-9A-F]|5[0-9A])+\Z")  # hex of A to Z


def parse_gpon_serial(text: str) -> str:
    """The canonical form, `HWTC1A2B3C4D`, of either printed form. Raises ScanError.

    `485754431A2B3C4D` is the same serial with the vendor's letters in hex. Blanks and dashes are dropped.
    """
    compact = _compact(text)
    if canonical := _canonical(compact):
        return canonical
    raise ScanError("malformed-gpon-serial", _what_is_wrong(compact), "gpon_serial")


def is_gpon_serial(text: str) -> bool:
    """Whether `text` is a GPON serial that nothing else looks like: its letters are not all hex digits."""
    canonical = _canonical(_compact(text))
    return canonical is not None and (len(_compact(text)) == 16 or not is_ambiguous(canonical))


def is_ambiguous(canonical: str) -> bool:
    """Whether the twelve characters could also be a MAC: `FACE12345678`."""
    return all(letter in "ABCDEF" for letter in canonical[:4])


def hex_form(canonical: str) -> str:
    """The sixteen hex digits that an OLT may show for a canonical serial."""
    return canonical[:4].encode("ascii").hex().upper() + canonical[4:]


def _compact(text: str) -> str:
    return text.upper().replace(" ", "").replace("-", "")


def _canonical(compact: str) -> str | None:
    if _PRINTED.match(compact):
        return compact
    if _HEX.match(compact) and _HEX_VENDOR.match(compact[:8]):
        return bytes.fromhex(compact[:8]).decode("ascii") + compact[8:]
    return None


def _what_is_wrong(compact: str) -> str:
    rule = "A GPON serial has 4 letters and 8 hex digits, or 16 hex digits"
    if _HEX.match(compact):
        return f"{rule} that start with the maker's letters; {compact[:8]} are no letters."
    if len(compact) not in (12, 16):
        return f"{rule}; this has {len(compact)} characters."
    number = compact[4:] if len(compact) == 12 else compact
    if wrong := next((c for c in number if c not in "0123456789ABCDEF"), None):
        meant = " (did you mean 0?)" if wrong == "O" else " (did you mean 1?)" if wrong in "IL" else ""
        return f"{rule}; “{wrong}” is not a hex digit{meant}."
    return f"{rule}; “{compact[:4]}” is not 4 letters."
