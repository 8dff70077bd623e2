"""Scanned or typed text → what it is. The same for a camera, a photo, a wedge scanner and the keyboard."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.barcodes import gpon, gs1, iso15434, mac
from shared.barcodes.errors import ScanError
from shared.barcodes.gtin import gtin14, is_digits, is_gtin

LENGTH_MAX = 500  # a label's largest code; longer text is a document, not a serial


class FieldKind(StrEnum):
    """What the screen asks for."""

    SERIAL = "serial"
    GPON_SERIAL = "gpon_serial"
    MAC = "mac"
    GTIN = "gtin"


class ScanKind(StrEnum):
    """What the code turned out to be."""

    SERIAL = "serial"
    GPON_SERIAL = "gpon_serial"
    MAC = "mac"
    GS1 = "gs1"
    GTIN = "gtin"
    UNKNOWN = "unknown"


WORDS = {
    "serial": "a serial number",
    "gpon_serial": "a GPON serial",
    "mac": "a MAC address",
    "gs1": "a GS1 code",
    "gtin": "a product number (GTIN)",
    "unknown": "something else",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What one code says.

    `value` is the canonical form to look up and to store: the serial of a GS1 code if it has one, else its
    GTIN, else its printed form. `text` is what was read, untouched. `could_also_be` lists the other things
    the same characters may mean, so that nobody takes a MAC for a serial unseen.
    """

    kind: ScanKind
    value: str
    text: str
    symbology: str | None = None
    gtin: str | None = None
    batch: str | None = None
    produced_on: date | None = None
    serial: str | None = None
    part_number: str | None = None
    quantity: int | None = None
    elements: tuple[tuple[str, str], ...] = ()
    could_also_be: tuple[ScanKind, ...] = ()
    warnings: tuple[str, ...] = ()

    def value_for(self, wanted: FieldKind) -> str | None:
        """The value to put into a field of kind `wanted`, or None when this code has none for it."""
        match wanted:
            case FieldKind.SERIAL:
                return self.serial
            case FieldKind.GTIN:
                return self.gtin
            case FieldKind.MAC:
                return self.value if self.kind is ScanKind.MAC else None
            case FieldKind.GPON_SERIAL:
                is_gpon = self.kind is ScanKind.GPON_SERIAL or gpon.is_gpon_serial(self.serial or "")
                return self.serial if is_gpon else None


def parse_scan(
    text: str,
    *,
    wanted: FieldKind | None = None,
    symbology: str | None = None,
    gs_substitute: str | None = None,
) -> Scan:
    """Say what `text` is; `wanted` settles what its characters alone leave open.

    A code that plainly is another kind is returned as what it is (`value_for(wanted)` is then None and
    `verdict` says so). Text that is merely wrong for `wanted` raises ScanError with what is wrong about it.
    `symbology` is the AIM identifier (`]C1`, `]d2`) if the decoder tells it. `gs_substitute` is what the
    wedge scanner is set to type instead of the GS character, often `|` or `~`.
    """
    body, prefix = clean_wedge(text, gs_substitute=gs_substitute)
    identifier = symbology or prefix
    if not body:
        raise ScanError("empty-scan", "Nothing was read. Scan or type it again.", wanted or "barcode")
    if len(body) > LENGTH_MAX:
        detail = f"This code holds {len(body)} characters: too much for an equipment label."
        raise ScanError("malformed-barcode", detail, wanted or "barcode")
    if body.startswith(iso15434.HEADER):
        return _from_envelope(body, text, identifier)
    if identifier in GS1_IDENTIFIERS or gs1.GS in body:
        return _from_gs1(gs1.parse_element_string(body), text, identifier)
    if gs1.is_bracketed(body):
        return _from_gs1(gs1.parse_bracketed(body), text, identifier)
    if identifier is not None and identifier.startswith("]E"):
        return _gtin(body, text, identifier)
    if element_string := _silent_gs1(body):
        return _from_gs1(element_string, text, identifier)
    return _by_shape(_PRINTED_NAME.sub("", body), text, identifier, wanted)


def clean_wedge(text: str, *, gs_substitute: str | None = None) -> tuple[str, str | None]:
    """Take off what a keyboard-wedge scanner adds: (content, AIM identifier if it typed one)."""
    body = text.strip(" \t\r\n\0")  # not all whitespace: to Python, GS is blank too
    if gs_substitute:
        body = body.replace(gs_substitute, gs1.GS)
    if match := _AIM_PREFIX.match(body):
        return body[match.end() :].strip(" \t\r\n\0"), match[0]
    return body, None


GS1_IDENTIFIERS = frozenset({"]C1", "]d2", "]Q3", "]e0", "]J1"})
_AIM_PREFIX = re.compile(r"\](?:[A-Za-z][0-9A-Za-z])(?=.)")
# What people type, and some makers encode, before the value itself.
_PRINTED_NAME = re.compile(
    r"(?:(?:X?GS?-?)?PON[ -]?S/?N|ONT[ -]?S/?N|S/?N|SERIAL(?: ?(?:NO|NUMBER))?\.?"
    r"|MAC(?: ?(?:ID|ADDR(?:ESS)?))?)\s*[:#=]\s*",
    re.IGNORECASE,
)
_SERIAL = re.compile(r"[A-Z0-9][A-Z0-9\-./_+#]{3,39}\Z")


def _by_shape(body: str, text: str, identifier: str | None, wanted: FieldKind | None) -> Scan:
    """Read text that no symbology and no header explains."""
    if wanted is FieldKind.GTIN and is_digits(body.replace(" ", "")):
        return _gtin(body, text, identifier)
    if mac.is_separated_mac(body):
        return _mac(body, text, identifier)
    if gpon.is_gpon_serial(body):
        return _gpon(body, text, identifier)
    match wanted:
        case FieldKind.MAC:
            if is_gtin(body) and len(body) != 12:
                return _gtin(body, text, identifier)
            return _mac(body, text, identifier)
        case FieldKind.GPON_SERIAL:
            if is_gtin(body):
                return _gtin(body, text, identifier)
            return _gpon(body, text, identifier)
        case FieldKind.GTIN:
            return _gtin(body, text, identifier)  # raises: not digits
        case FieldKind.SERIAL:
            return _serial(body, text, identifier)
        case None:
            return _best_guess(body, text, identifier)


def _best_guess(body: str, text: str, identifier: str | None) -> Scan:
    if is_gtin(body) and len(body) != 8:  # eight digits are too often a serial that adds up by chance
        return _gtin(body, text, identifier)
    if mac.is_bare_mac(body):
        return _mac(body, text, identifier)
    try:
        return _serial(body, text, identifier)
    except ScanError as error:
        return Scan(
            kind=ScanKind.UNKNOWN, value=body, text=text, symbology=identifier, warnings=(error.detail,)
        )


def _serial(body: str, text: str, identifier: str | None) -> Scan:
    value = _plain_serial(body)
    others: list[ScanKind] = []
    warnings: list[str] = []
    if mac.is_bare_mac(value):
        others.append(ScanKind.MAC)
        warnings.append("This could also be a MAC address: check that it is the serial.")
    if is_gtin(value) and len(value) != 8:
        others.append(ScanKind.GTIN)
        warnings.append("This could also be a product number (GTIN): check that it is the serial.")
    return Scan(
        kind=ScanKind.SERIAL, value=value, text=text, symbology=identifier, serial=value,
        could_also_be=tuple(others), warnings=tuple(warnings),
    )  # fmt: skip


def _plain_serial(body: str) -> str:
    """A maker's own serial: upper case, no blanks. Raises ScanError."""
    value = body.replace(" ", "").upper()
    if "://" in body or value.startswith(("WWW.", "WIFI:")):
        detail = "This code holds a web or Wi-Fi link, not a serial number."
        raise ScanError("malformed-serial", detail, "serial")
    if not _SERIAL.match(value) or not any(character.isdigit() for character in value):
        detail = "A serial number has 4 to 40 letters, digits or - . / _ + #, with a digit among them."
        raise ScanError("malformed-serial", detail, "serial")
    if not value.strip("0-./_+#"):
        raise ScanError("malformed-serial", "A serial number of only zeros names no device.", "serial")
    return value


def _mac(body: str, text: str, identifier: str | None) -> Scan:
    value = mac.parse_mac(body)
    others: tuple[ScanKind, ...] = ()
    warnings: list[str] = []
    if is_digits(body):  # one MAC in three hundred has no letter; many serials have none
        others = (ScanKind.SERIAL,)
        warnings.append("This could also be a serial number: check that it is the MAC address.")
    if mac.is_locally_administered(value):
        warnings.append(f"{value} was not given by a maker: check that it is the address on the label.")
    return Scan(
        kind=ScanKind.MAC,
        value=value,
        text=text,
        symbology=identifier,
        could_also_be=others,
        warnings=tuple(warnings),
    )


def _gpon(body: str, text: str, identifier: str | None) -> Scan:
    value = gpon.parse_gpon_serial(body)
    others: tuple[ScanKind, ...] = ()
    warnings: list[str] = []
    if not gpon.is_gpon_serial(body) and mac.is_bare_mac(value):
        others = (ScanKind.MAC,)
        warnings.append("This could also be a MAC address: check that it is the GPON serial.")
    if value.endswith("00000000"):
        warnings.append("The number after the maker's letters is all zeros: this unit was never programmed.")
    return Scan(
        kind=ScanKind.GPON_SERIAL, value=value, text=text, symbology=identifier, serial=value,
        could_also_be=others, warnings=tuple(warnings),
    )  # fmt: skip


def _gtin(body: str, text: str, identifier: str | None) -> Scan:
    value = gtin14(body)
    return Scan(kind=ScanKind.GTIN, value=value, text=text, symbology=identifier, gtin=value)


def _silent_gs1(body: str) -> gs1.ElementString | None:
    """A GS1 code from a reader that reports neither FNC1 nor symbology (zbar, many wedges).

    Taken as GS1 only if it is a GTIN that adds up, followed by fields that are all known.
    """
    if len(body) < 19 or body[:2] != "01" or not is_gtin(body[2:16]):
        return None
    try:
        parsed = gs1.parse_element_string(body)
    except ScanError:
        return None
    return None if parsed.unknown else parsed


def _from_gs1(parsed: gs1.ElementString, text: str, identifier: str | None) -> Scan:
    serial, gtin, made_on = parsed.get("21") or parsed.get("8004"), parsed.get("01"), parsed.get("11")
    warnings = [f"Field ({ai}) of this GS1 code is unknown to us and left out." for ai in parsed.unknown]
    if serial is not None:
        serial = _canonical_serial(serial)
        if gtin is None and parsed.get("21"):
            warnings.append("This code has a serial but no product number, so it does not tell the model.")
    count = parsed.get("30") or parsed.get("37")
    return Scan(
        kind=ScanKind.GS1,
        value=serial or gtin or gs1.bracketed(parsed.elements),
        text=text,
        symbology=identifier,
        gtin=gtin,
        batch=parsed.get("10"),
        produced_on=gs1.read_date(made_on) if made_on else None,
        serial=serial,
        part_number=parsed.get("240") or parsed.get("241"),
        quantity=int(count) if count else None,
        elements=parsed.elements,
        warnings=tuple(warnings),
    )


def _from_envelope(body: str, text: str, identifier: str | None) -> Scan:
    envelope = iso15434.parse_envelope(body)
    if envelope.format == "05":
        return _from_gs1(gs1.parse_element_string(envelope.body), text, identifier)
    serial = envelope.get(iso15434.SERIAL)
    serial = _canonical_serial(serial) if serial else None
    part = envelope.get(iso15434.SUPPLIER_PART) or envelope.get(iso15434.PART_NUMBER)
    quantity = envelope.get(iso15434.QUANTITY)
    warnings: tuple[str, ...] = ()
    if quantity is not None and not is_digits(quantity):
        warnings = (f"The quantity “{quantity[:10]}” on this carton label is no whole number.",)
        quantity = None
    return Scan(
        kind=ScanKind.SERIAL if serial else ScanKind.UNKNOWN,
        value=serial or part or body,
        text=text,
        symbology=identifier,
        batch=envelope.get(iso15434.BATCH),
        serial=serial,
        part_number=part,
        quantity=int(quantity) if quantity else None,
        elements=envelope.fields,
        warnings=warnings,
    )


def _canonical_serial(serial: str) -> str:
    """One form for one unit: a GPON serial in letters, any other in upper case."""
    return gpon.parse_gpon_serial(serial) if gpon.is_gpon_serial(serial) else serial.strip(" ").upper()
