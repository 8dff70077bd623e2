"""The ISO/IEC 15434 envelope on makers' cartons: `[)>` RS `06` GS field GS field … RS EOT."""

from __future__ import annotations

from dataclasses import dataclass

from shared.barcodes.errors import ScanError

GS, RS, EOT = "\x1d", "\x1e", "\x04"
HEADER = "[)>"

# Data identifiers of ANSI MH10.8.2 that we use, longest first so that 1P is not taken for P.
PART_NUMBER, SUPPLIER_PART, SERIAL, QUANTITY, BATCH = "P", "1P", "S", "Q", "1T"


@dataclass(frozen=True, slots=True)
class Envelope:
    """`format` is `05` (GS1 fields, in `body`) or `06` (data identifiers, in `fields`)."""

    format: str
    body: str
    fields: tuple[tuple[str, str], ...] = ()

    def get(self, identifier: str) -> str | None:
        """The value of a data identifier, or None when the label does not carry it."""
        return dict(self.fields).get(identifier)


def parse_envelope(text: str) -> Envelope:
    """Open the envelope. RS and EOT may lack at the end: wedge scanners drop them. Raises ScanError."""
    content = text.removeprefix(HEADER).lstrip(RS).rstrip(RS + EOT)
    format_, separator, body = content.partition(GS)
    if format_ not in ("05", "06") or not separator or not body:
        raise ScanError("malformed-barcode", "This carton label breaks off after its header. Scan it again.")
    if RS in body:
        detail = "This carton label holds several records; scan the unit's own label."
        raise ScanError("malformed-barcode", detail)
    if format_ == "05":
        return Envelope(format_, body)
    return Envelope(format_, body, tuple(_field(part) for part in body.split(GS) if part))


def _field(part: str) -> tuple[str, str]:
    """Split `1PHG8145V5` after its identifier: digits, then one letter."""
    digits = len(part) - len(part.lstrip("0123456789"))
    identifier, value = part[: digits + 1], part[digits + 1 :]
    if digits > 3 or not identifier[-1].isalpha() or not value:
        raise ScanError("malformed-barcode", f"The field “{part[:20]}” of this carton label cannot be read.")
    return identifier, value
