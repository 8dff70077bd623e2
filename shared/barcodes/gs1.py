"""GS1 element strings: what a GS1-128 or GS1 DataMatrix holds, with FNC1 as GS (0x1D), and its printed form.

Source: GS1 General Specifications, for the application identifiers (AIs) that telecom equipment carries.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from shared.barcodes.errors import ScanError
from shared.barcodes.gtin import has_right_check_digit, is_digits

GS = "\x1d"


@dataclass(frozen=True, slots=True)
class Ai:
    """One application identifier: its length in characters and what it may hold.

    `check_digit_at` is the length of the leading digits that end in a check digit, 0 for none.
    """

    name: str
    shortest: int
    longest: int
    digits_only: bool = False
    check_digit_at: int = 0
    is_date: bool = False


AIS: dict[str, Ai] = {
    "00": Ai("SSCC", 18, 18, digits_only=True, check_digit_at=18),
    "01": Ai("GTIN", 14, 14, digits_only=True, check_digit_at=14),
    "02": Ai("GTIN of contents", 14, 14, digits_only=True, check_digit_at=14),
    "10": Ai("batch", 1, 20),
    "11": Ai("production date", 6, 6, digits_only=True, is_date=True),
    "13": Ai("packaging date", 6, 6, digits_only=True, is_date=True),
    "17": Ai("expiry date", 6, 6, digits_only=True, is_date=True),
    "20": Ai("product variant", 2, 2, digits_only=True),
    "21": Ai("serial", 1, 20),
    "30": Ai("count", 1, 8, digits_only=True),
    "37": Ai("count of contents", 1, 8, digits_only=True),
    "240": Ai("additional product number", 1, 30),
    "241": Ai("customer part number", 1, 30),
    "250": Ai("secondary serial", 1, 30),
    "400": Ai("purchase order", 1, 30),
    "410": Ai("ship to", 13, 13, digits_only=True, check_digit_at=13),
    "411": Ai("bill to", 13, 13, digits_only=True, check_digit_at=13),
    "412": Ai("bought from", 13, 13, digits_only=True, check_digit_at=13),
    "413": Ai("ship for", 13, 13, digits_only=True, check_digit_at=13),
    "414": Ai("location", 13, 13, digits_only=True, check_digit_at=13),
    "8003": Ai("returnable asset", 14, 30, check_digit_at=14),
    "8004": Ai("individual asset", 1, 30),
}

# By the first two digits of an AI: the length of its data, for those that need no separator, known to us
# or not. All others run to the next GS or to the end.
FIXED_DATA_LENGTH = {
    "00": 18, "01": 14, "02": 14, "03": 14, "04": 16, "11": 6, "12": 6, "13": 6, "14": 6, "15": 6, "16": 6,
    "17": 6, "18": 6, "19": 6, "20": 2, "31": 6, "32": 6, "33": 6, "34": 6, "35": 6, "36": 6, "41": 13,
}  # fmt: skip

_CHARACTERS = re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]*\Z")
_BRACKETED_AI = re.compile(r"\((\d{2,4})\)")


@dataclass(frozen=True, slots=True)
class ElementString:
    """The elements of one code in printed order: (AI, value). `unknown` lists AIs we do not understand."""

    elements: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...] = ()

    def get(self, ai: str) -> str | None:
        """The value of `ai`, or None when the code does not carry it."""
        return dict(self.elements).get(ai)


def parse_element_string(text: str) -> ElementString:
    """Split what a scanner sends, GS at the end of each variable field. Raises ScanError."""
    found: list[tuple[str, str]] = []
    unknown: list[str] = []
    rest = text.lstrip(GS)
    while rest:
        ai = _leading_ai(rest)
        if ai is None:
            name = rest[: min(4, len(rest) - len(rest.lstrip("0123456789")))]
            if len(name) < 2:
                detail = f"This GS1 code breaks off at “{_shown(rest)}”. Scan it again."
                raise ScanError("malformed-barcode", detail)
            unknown.append(name)
            fixed = FIXED_DATA_LENGTH.get(name[:2])
            # Only weights and measures (31 to 36) have four-digit AIs of fixed length.
            width = 4 if name[0] == "3" else 3 if name[:2] == "41" else 2
            rest = rest[width + fixed :] if fixed else rest.partition(GS)[2]
        else:
            rest = rest[len(ai) :]
            fixed = FIXED_DATA_LENGTH.get(ai[:2])
            if fixed:
                value, rest = rest[:fixed], rest[fixed:]
            else:
                value, _, rest = rest.partition(GS)
            found.append((ai, _checked(ai, value)))
        rest = rest.lstrip(GS)
    return _whole(found, unknown)


def parse_bracketed(text: str) -> ElementString:
    """Split the printed form, `(01)09506000134352(21)XYZ`. Raises ScanError.

    A value may itself hold brackets: only brackets around an AI that we know start a new element.
    """
    starts = [match for match in _BRACKETED_AI.finditer(text) if match[1] in AIS]
    if not starts or starts[0].start() != 0:
        detail = f"“{_shown(text)}” starts with no GS1 field that we know."
        raise ScanError("malformed-barcode", detail)
    ends = [match.start() for match in starts[1:]] + [len(text)]
    found = [
        (match[1], _checked(match[1], text[match.end() : end].strip(" ")))
        for match, end in zip(starts, ends, strict=True)
    ]
    return _whole(found, [])


def is_bracketed(text: str) -> bool:
    """Whether `text` starts like the printed form of a GS1 code."""
    match = _BRACKETED_AI.match(text)
    return match is not None and match[1] in AIS


def encode(elements: Iterable[tuple[str, str]]) -> str:
    """The element string to put into a code: GS after each variable field but the last. Raises ScanError."""
    parts: list[str] = []
    open_field = False
    for ai, value in elements:
        if ai not in AIS:
            raise ScanError("malformed-barcode", f"GS1 field ({ai}) is not one that we write.")
        parts.append((GS if open_field else "") + ai + _checked(ai, value))
        open_field = ai[:2] not in FIXED_DATA_LENGTH
    return "".join(parts)


def bracketed(elements: Iterable[tuple[str, str]]) -> str:
    """The printed form of the same data."""
    return "".join(f"({ai}){value}" for ai, value in elements)


def read_date(yymmdd: str) -> date:
    """A GS1 date; day 00 means the last of the month. Years 70 to 99 are 19xx. Raises ScanError."""
    year, month, day = int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:])
    # GS1 slides the century with today's date. Rules have no clock, and no labelled unit is older than 1970.
    year += 1900 if year >= 70 else 2000
    try:
        return date(year, month, day or monthrange(year, month)[1])
    except ValueError as error:
        detail = f"{yymmdd} is not a date (year, month, day, two digits each)."
        raise ScanError("malformed-barcode", detail) from error


def _leading_ai(text: str) -> str | None:
    """The AI at the start of `text`; no AI is the beginning of another, so the first hit is the only one."""
    return next((text[:length] for length in (2, 3, 4) if text[:length] in AIS), None)


def _checked(ai: str, value: str) -> str:
    rule = AIS[ai]
    if not rule.shortest <= len(value) <= rule.longest:
        length = str(rule.longest) if rule.shortest == rule.longest else f"{rule.shortest} to {rule.longest}"
        detail = f"The {rule.name} ({ai}) has {length} characters, this has {len(value)}. Scan it again."
        raise ScanError("malformed-barcode", detail)
    if rule.digits_only and not is_digits(value):
        detail = f"The {rule.name} ({ai}) holds digits only, this is “{_shown(value)}”."
        raise ScanError("malformed-barcode", detail)
    if not _CHARACTERS.match(value):
        detail = f"The {rule.name} ({ai}) holds a character that GS1 does not allow."
        raise ScanError("malformed-barcode", detail)
    if rule.check_digit_at:
        number = value[: rule.check_digit_at]
        if not is_digits(number) or not has_right_check_digit(number):
            detail = f"The {rule.name} ({ai}) {number} has a wrong check digit. Scan it again."
            raise ScanError("bad-check-digit", detail)
    if rule.is_date:
        read_date(value)
    return value


def _whole(found: list[tuple[str, str]], unknown: list[str]) -> ElementString:
    values: dict[str, str] = {}
    for ai, value in found:
        if values.setdefault(ai, value) != value:
            detail = f"This code gives two different values for its {AIS[ai].name} ({ai})."
            raise ScanError("malformed-barcode", detail)
    if not values:
        raise ScanError("malformed-barcode", "This GS1 code holds no field that we know.")
    return ElementString(tuple(values.items()), tuple(unknown))


def _shown(text: str) -> str:
    return text.replace(GS, "␝")[:30]
