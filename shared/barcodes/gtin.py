"""GTIN, the trade item number below every EAN, UPC and ITF-14 code, and the check digit of all GS1 keys."""

from __future__ import annotations

from shared.barcodes.errors import ScanError

GTIN_LENGTHS = (8, 12, 13, 14)


def check_digit(digits: str) -> int:
    """The modulo-10 check digit to append to `digits` (weights 3, 1, 3 … from the right)."""
    weighted = (int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -sum(weighted) % 10


def has_right_check_digit(digits: str) -> bool:
    """Whether the last digit is the check digit of those before it."""
    return check_digit(digits[:-1]) == int(digits[-1])


def is_gtin(text: str) -> bool:
    """Whether `text` has the length of a GTIN, adds up and is not all zeros."""
    right = is_digits(text) and len(text) in GTIN_LENGTHS and has_right_check_digit(text)
    return right and bool(text.strip("0"))


def is_digits(text: str) -> bool:
    """Only 0 to 9: `str.isdigit` also takes superscripts and other scripts."""
    return text.isascii() and text.isdigit()


def gtin14(text: str) -> str:
    """The canonical 14 digits of a GTIN-8, -12, -13 or -14. Raises ScanError."""
    digits = text.replace(" ", "").replace("-", "")
    if not is_digits(digits):
        raise ScanError("malformed-barcode", "A product number (GTIN) holds digits only.", "gtin")
    if len(digits) not in GTIN_LENGTHS:
        detail = f"A product number (GTIN) has 8, 12, 13 or 14 digits, this has {len(digits)}."
        raise ScanError("malformed-barcode", detail, "gtin")
    if not has_right_check_digit(digits):
        detail = (
            f"The product number {digits} does not add up: its last digit should be "
            f"{check_digit(digits[:-1])}. Scan it again."
        )
        raise ScanError("bad-check-digit", detail, "gtin")
    if not digits.strip("0"):
        raise ScanError("malformed-barcode", "A product number of only zeros names no product.", "gtin")
    return digits.zfill(14)


def expand_upce(text: str) -> str:
    """The 12-digit UPC-A behind an 8-digit UPC-E. Raises ScanError."""
    if len(text) != 8 or not is_digits(text) or text[0] not in "01":
        raise ScanError("malformed-barcode", "A UPC-E code has 8 digits and starts with 0 or 1.", "gtin")
    system, body, check = text[0], text[1:7], text[7]
    match body[5]:
        case "0" | "1" | "2":
            digits = body[:2] + body[5] + "0000" + body[2:5]
        case "3":
            digits = body[:3] + "00000" + body[3:5]
        case "4":
            digits = body[:4] + "00000" + body[4]
        case last:
            digits = body[:5] + "0000" + last
    return system + digits + check
