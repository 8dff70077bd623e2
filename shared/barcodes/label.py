"""All codes of one picture → what the label says: serial, GPON serial, MACs, product, model and lot.

Each field says how far it can be believed, and why. Nothing here is accepted unseen unless it is `SURE`: a
person confirms the list once, and looks at each guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from shared.barcodes import gpon, mac
from shared.barcodes.errors import ScanError
from shared.barcodes.gtin import is_gtin
from shared.barcodes.scan import Scan, ScanKind, parse_scan

ERROR_CORRECTED = frozenset({"DataMatrix", "QRCode", "Aztec", "PDF417"})
CHECKED = frozenset({"Code128", "Code93"})
NEIGHBOURS_MAX = 16  # LAN, WAN and radio of one device are numbered in a row


class LabelPart(StrEnum):
    """What a label tells."""

    SERIAL = "serial"
    GPON_SERIAL = "gpon_serial"
    MAC = "mac"
    GTIN = "gtin"
    MODEL = "model"
    LOT = "lot"


class Confidence(StrEnum):
    """`SURE` may be taken as it is; `LIKELY` is confirmed with the whole list, `GUESS` each by itself."""

    SURE = "sure"
    LIKELY = "likely"
    GUESS = "guess"


class Reason(StrEnum):
    """Why a field is believed as far as it is."""

    ERROR_CORRECTED = "error_corrected"  # the code mends itself, or is not read at all
    FRAMES_AGREE = "frames_agree"
    CODES_AGREE = "codes_agree"  # two codes of the label say the same
    NUMBERS_AGREE = "numbers_agree"  # GPON serial and MAC end alike, as some makers number them
    CHECK_CHARACTER = "check_character"
    NO_CHECK = "no_check"  # this kind of code is often a wrong number that adds up
    SMEARED = "smeared"  # worked out from bars that run together
    BY_SHAPE = "by_shape"  # nothing but its characters tells what it is
    ONLY_SERIAL = "only_serial"  # the label bears no other
    CONTRADICTED = "contradicted"  # another code says otherwise
    IN_CATALOGUE = "in_catalogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelReading:
    """One code of the picture. `at` is its middle, in any unit that is the same for all of them.

    `frames` is in how many pictures it was read alike. `smeared` readings were worked out, not measured.
    """

    text: str
    symbology: str = ""
    identifier: str | None = None
    at: tuple[float, float] = (0.0, 0.0)
    frames: int = 1
    smeared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelField:
    """One thing the label tells."""

    part: LabelPart
    value: str
    confidence: Confidence
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The fields in the order of `LabelPart`; MACs from top to bottom, several serials if codes disagree."""

    fields: tuple[LabelField, ...] = ()

    def values(self, part: LabelPart) -> tuple[str, ...]:
        """Every value read for `part`."""
        return tuple(field.value for field in self.fields if field.part is part)

    def value(self, part: LabelPart) -> str | None:
        """The one value of `part`; None when there is none, or codes disagree. Of several MACs the first."""
        found = self.values(part)
        return found[0] if len(found) == 1 or (found and part is LabelPart.MAC) else None


NO_LABEL = Label()


@dataclass(slots=True)
class _Evidence:
    """What speaks for one value. `plain` says that the code itself, not its shape, told what it is."""

    readings: list[LabelReading] = field(default_factory=list)
    plain: bool = False


_Told = dict[LabelPart, dict[str, _Evidence]]


def read_label(readings: Iterable[LabelReading], *, models: Mapping[str, str] | None = None) -> Label:
    """What the codes of one label say together. `models` is the catalogue: GTIN to model."""
    told: _Told = {part: {} for part in LabelPart}
    bare: list[tuple[Scan, LabelReading]] = []
    for reading in sorted(readings, key=lambda reading: (reading.at[1], reading.at[0])):
        try:
            scan = parse_scan(reading.text, symbology=reading.identifier)
        except ScanError:
            continue  # a code of something else, or half a code
        if scan.kind in (ScanKind.GS1, ScanKind.GTIN) or scan.elements:
            _tell(told, LabelPart.SERIAL, scan.serial, reading)
            _tell(told, LabelPart.GTIN, scan.gtin, reading)
            _tell(told, LabelPart.LOT, scan.batch, reading)
            _tell(told, LabelPart.MODEL, scan.part_number, reading)
        elif scan.kind is ScanKind.GPON_SERIAL:
            _tell(told, LabelPart.GPON_SERIAL, scan.value, reading)
        elif scan.kind is ScanKind.MAC and (
            mac.is_separated_mac(reading.text) or _MAC_NAMED.match(reading.text)
        ):
            _tell(told, LabelPart.MAC, scan.value, reading)
        elif scan.kind is not ScanKind.UNKNOWN:
            bare.append((scan, reading))
    for scan, reading in bare:
        _tell_by_shape(told, scan, reading)
    _repeat_gpon_serials(told)
    models = models or {}
    fields = [_listed(field, models) for part in LabelPart for field in _weighed(part, told)]
    return Label(fields=(*fields, *_model(told, fields, models)))


_MAC_NAMED = re.compile(r"\s*MAC", re.IGNORECASE)
_SERIAL_NAMED = re.compile(r"\s*(?:S/?N|SERIAL)", re.IGNORECASE)


def _tell(
    told: _Told,
    part: LabelPart,
    value: str | None,
    reading: LabelReading,
    *,
    plain: bool = True,
) -> None:
    if value is not None:
        evidence = told[part].setdefault(value, _Evidence())
        evidence.readings.append(reading)
        evidence.plain = evidence.plain or plain


def _tell_by_shape(told: _Told, scan: Scan, reading: LabelReading) -> None:
    """Bare characters: what the other codes of the label say they are, else what they look like."""
    text = reading.text.strip().upper()
    if text in told[LabelPart.SERIAL]:
        _tell(told, LabelPart.SERIAL, text, reading)
    elif scan.kind is ScanKind.MAC:
        _tell(told, LabelPart.MAC, scan.value, reading, plain=_is_neighbour(scan.value, told))
    elif not is_gtin(text) or _SERIAL_NAMED.match(reading.text):
        named = _SERIAL_NAMED.match(reading.text) is not None
        _tell(told, LabelPart.SERIAL, scan.serial, reading, plain=named)


def _is_neighbour(value: str, told: _Told) -> bool:
    """Whether the label bears a MAC that is numbered next to this one, or a serial beside it."""
    number = _number(value)
    near = (abs(_number(other) - number) for other in told[LabelPart.MAC] if other != value)
    return bool(told[LabelPart.SERIAL]) or any(step <= NEIGHBOURS_MAX for step in near)


def _number(address: str) -> int:
    return int(address.replace(":", ""), 16)


def _repeat_gpon_serials(told: _Told) -> None:
    """A carton's serial that has the form of a GPON serial is that too."""
    for value, evidence in told[LabelPart.SERIAL].items():
        if gpon.is_gpon_serial(value):
            told[LabelPart.GPON_SERIAL].setdefault(value, _Evidence(plain=True)).readings += evidence.readings


def _weighed(part: LabelPart, told: _Told) -> list[LabelField]:
    """The fields of one part."""
    values = told[part]
    if part is LabelPart.SERIAL and not values and len(told[LabelPart.GPON_SERIAL]) == 1:
        ((value, evidence),) = told[LabelPart.GPON_SERIAL].items()
        confidence, reasons = _weight(evidence, alike=False)
        reasons = (*reasons, Reason.ONLY_SERIAL)
        return [LabelField(part=part, value=value, confidence=_unsure(confidence), reasons=reasons)]
    fields = []
    for value, evidence in values.items():
        alike = part in (LabelPart.MAC, LabelPart.GPON_SERIAL) and _ends_alike(value, part, told)
        confidence, reasons = _weight(evidence, alike=alike)
        if len(values) > 1 and part is not LabelPart.MAC:
            confidence, reasons = Confidence.GUESS, (*reasons, Reason.CONTRADICTED)
        fields.append(LabelField(part=part, value=value, confidence=confidence, reasons=reasons))
    return fields


def _unsure(confidence: Confidence) -> Confidence:
    """`LIKELY` at the most."""
    return Confidence.LIKELY if confidence is Confidence.SURE else confidence


def _weight(evidence: _Evidence, *, alike: bool) -> tuple[Confidence, tuple[Reason, ...]]:
    """How far the readings of one value are to be believed."""
    readings = evidence.readings
    measured = [reading for reading in readings if not reading.smeared]
    confidence, reason = Confidence.GUESS, Reason.NO_CHECK
    if len({_code(reading) for reading in measured}) > 1:
        confidence, reason = Confidence.SURE, Reason.CODES_AGREE
    elif any(reading.symbology in ERROR_CORRECTED for reading in measured):
        confidence, reason = Confidence.SURE, Reason.ERROR_CORRECTED
    elif any(reading.symbology in CHECKED for reading in measured):
        confidence, reason = Confidence.LIKELY, Reason.CHECK_CHARACTER
        if any(reading.frames > 1 for reading in measured):
            confidence, reason = Confidence.SURE, Reason.FRAMES_AGREE
    elif not measured:
        reason = Reason.SMEARED
    if alike and confidence is not Confidence.GUESS:
        confidence, reason = Confidence.SURE, Reason.NUMBERS_AGREE
    if not evidence.plain:
        return _unsure(confidence), (reason, Reason.BY_SHAPE)
    return confidence, (reason,)


def _code(reading: LabelReading) -> tuple[str, str]:
    """What tells two codes apart; one EAN-13 may be read twice, once as a UPC-A."""
    retail = reading.symbology.startswith(("EAN", "UPC"))
    return ("retail", "") if retail else (reading.symbology, reading.text)


def _ends_alike(value: str, part: LabelPart, told: _Told) -> bool:
    other = LabelPart.GPON_SERIAL if part is LabelPart.MAC else LabelPart.MAC
    ends = {number.replace(":", "")[-6:] for number in told[other]}
    return value.replace(":", "")[-6:] in ends


def _listed(found: LabelField, models: Mapping[str, str]) -> LabelField:
    """A product number that the catalogue has is hardly ever a misread one."""
    if found.part is LabelPart.GTIN and found.value in models and found.reasons == (Reason.NO_CHECK,):
        return replace(found, confidence=Confidence.LIKELY, reasons=(Reason.IN_CATALOGUE,))
    return found


def _model(told: _Told, fields: list[LabelField], models: Mapping[str, str]) -> list[LabelField]:
    """The model that the catalogue has for the product number, where no code names it."""
    if told[LabelPart.MODEL]:
        return []
    return [
        LabelField(
            part=LabelPart.MODEL,
            value=models[found.value],
            confidence=found.confidence,
            reasons=(Reason.IN_CATALOGUE,),
        )
        for found in fields
        if found.part is LabelPart.GTIN and found.value in models
    ]
