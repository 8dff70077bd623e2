"""The two decoders behind one function each. zxing-cpp is always there; zbar where the system has libzbar."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from typing import Any

import zxingcpp
from PIL import Image

from shared.barcodes.errors import ScanError
from shared.barcodes.gtin import expand_upce
from shared.barcodes.scan import FieldKind

log = logging.getLogger(__name__)

# Only what equipment labels carry. With ITF and Codabar on, tilted Code 128 gives short false numbers.
EQUIPMENT = ("Code128", "Code39", "DataMatrix", "QRCode")
RETAIL = ("EAN13", "EAN8", "UPCA", "UPCE")
SYMBOLOGIES: dict[FieldKind | None, tuple[str, ...]] = {
    None: EQUIPMENT + RETAIL,
    FieldKind.SERIAL: EQUIPMENT,
    FieldKind.GPON_SERIAL: EQUIPMENT,
    FieldKind.MAC: EQUIPMENT,
    FieldKind.GTIN: ("Code128", "DataMatrix", "QRCode", *RETAIL),
}

# zxing's plain Code 39: its other readings (Code 32, PZN) rewrite a serial that happens to fit them.
_ZXING_NAMES = {"Code39": "Code39Std"}
_ZBAR_NAMES = {"Code128": "CODE128", "Code39": "CODE39", "QRCode": "QRCODE", "EAN13": "EAN13", "EAN8": "EAN8"}
_ZBAR_NAMES |= {"UPCA": "UPCA", "UPCE": "UPCE"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One code that one engine read. A candidate, never a fact: `parse_scan` and the context decide.

    `identifier` is the AIM symbology identifier (`]C1`), None where the engine does not tell it. `step` names
    the variant of the picture it was read in.
    """

    text: str
    symbology: str
    identifier: str | None
    engine: str
    step: str


def read_zxing(image: Image.Image, symbologies: tuple[str, ...], step: str) -> list[Reading]:
    """All codes zxing-cpp finds in a grey picture."""
    formats = zxingcpp.BarcodeFormats([_zxing_format(name) for name in symbologies])
    found = zxingcpp.read_barcodes(image, formats=formats, text_mode=zxingcpp.TextMode.Plain)
    return [
        Reading(
            text=code.text,
            symbology=code.format.name.removesuffix("Std"),
            identifier=code.symbology_identifier or None,
            engine="zxing",
            step=step,
        )
        for code in found
        if code.valid and code.text
    ]


def read_zbar(image: Image.Image, symbologies: tuple[str, ...], step: str) -> list[Reading]:
    """All codes zbar finds in a grey picture; nothing when the machine has no libzbar."""
    zbar = _zbar()
    names = [_ZBAR_NAMES[name] for name in symbologies if name in _ZBAR_NAMES]
    if zbar is None or not names:
        return []
    found = zbar.decode(image, symbols=[zbar.ZBarSymbol[name] for name in names])
    return [reading for code in found if (reading := _from_zbar(code, step))]


def zbar_is_present() -> bool:
    """Whether the second engine can run here."""
    return _zbar() is not None


@cache
def _zbar() -> Any:
    try:
        from pyzbar import pyzbar
    except ImportError:
        log.warning("libzbar is not installed: barcodes are read by zxing-cpp alone")
        return None
    return pyzbar


def _zxing_format(name: str) -> zxingcpp.BarcodeFormat:
    return zxingcpp.BarcodeFormat.__members__[_ZXING_NAMES.get(name, name)]


def _from_zbar(code: Any, step: str) -> Reading | None:
    try:
        text = code.data.decode("utf-8")
    except UnicodeDecodeError:
        return None  # no equipment label holds bytes
    symbology = {zbar: name for name, zbar in _ZBAR_NAMES.items()}.get(code.type, code.type)
    identifier = None  # zbar keeps to itself whether a Code 128 began with FNC1
    if symbology in RETAIL:
        identifier = "]E4" if symbology == "EAN8" else "]E0"
    if symbology == "UPCE":
        try:
            text = expand_upce(text)
        except ScanError:
            return None
    return (
        Reading(text=text, symbology=symbology, identifier=identifier, engine="zbar", step=step)
        if text
        else None
    )
