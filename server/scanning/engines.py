"""The two decoders behind one function each. zxing-cpp is always there; zbar where the system has libzbar."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from typing import Any

import zxingcpp
from PIL import Image

from server.scanning.bars import ENLARGED
from server.scanning.smeared import read_smeared
from shared.barcodes.errors import ScanError
from shared.barcodes.gtin import expand_upce
from shared.barcodes.scan import FieldKind

MODULE_PX_MIN = 1.2 * ENLARGED

log = logging.getLogger(__name__)

# Only what equipment labels carry. With ITF and Codabar on, tilted Code 128 gives short false numbers.
EQUIPMENT = ("Code128", "Code39", "DataMatrix", "QRCode")
RETAIL = ("EAN13", "EAN8", "UPCA", "UPCE")
OTHERS = ("Code93", "Codabar", "ITF", "PDF417", "Aztec")  # read where somebody asks for them by name
MATRIX = ("DataMatrix", "QRCode", "PDF417", "Aztec")
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
_ZBAR_NAMES |= {"UPCA": "UPCA", "UPCE": "UPCE", "Code93": "CODE93", "Codabar": "CODABAR", "ITF": "I25"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One code that one engine read. A candidate, never a fact: `parse_scan` and the context decide.

    `identifier` is the AIM symbology identifier (`]C1`), None where the engine does not tell it. `step` names
    the variant of the picture it was read in, `at` is the middle of the code in that variant (pixels).
    """

    text: str
    symbology: str
    identifier: str | None
    engine: str
    step: str
    at: tuple[float, float] = (0.0, 0.0)


def read_zxing(image: Image.Image, symbologies: tuple[str, ...], step: str) -> list[Reading]:
    """All codes zxing-cpp finds in a grey picture."""
    if not symbologies:
        return []  # to zxing, an empty list means every one
    formats = zxingcpp.BarcodeFormats([_zxing_format(name) for name in symbologies])
    found = zxingcpp.read_barcodes(image, formats=formats, text_mode=zxingcpp.TextMode.Plain)
    return [
        Reading(
            text=code.text,
            symbology=code.format.name.removesuffix("Std"),
            identifier=code.symbology_identifier or None,
            engine="zxing",
            step=step,
            at=_middle(code.position),
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


def _middle(position: Any) -> tuple[float, float]:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    return sum(corner.x for corner in corners) / 4, sum(corner.y for corner in corners) / 4


def read_bars(upright: Image.Image, symbologies: tuple[str, ...], step: str) -> list[Reading]:
    """The Code 128 that fills the picture, where it is too smeared for a decoder."""
    text = read_smeared(upright, module_px_min=MODULE_PX_MIN) if "Code128" in symbologies else None
    if text is None:
        return []
    gs1 = text.startswith("]C1")
    return [
        Reading(
            text=text.removeprefix("]C1"),
            symbology="Code128",
            identifier="]C1" if gs1 else "]C0",
            engine="smeared",
            step=step,
            at=(upright.width / 2, upright.height / 2),
        )
    ]


def _from_zbar(code: Any, step: str) -> Reading | None:
    try:
        text = code.data.decode("utf-8")
    except UnicodeDecodeError:
        return None  # no equipment label holds bytes
    symbology = {zbar: name for name, zbar in _ZBAR_NAMES.items()}.get(code.type, code.type)
    if symbology == "QRCode" and not text.isascii():
        return None  # zbar guesses how other letters are written, and often wrongly
    identifier = None  # zbar keeps to itself whether a Code 128 began with FNC1
    if symbology in RETAIL:
        identifier = "]E4" if symbology == "EAN8" else "]E0"
    if symbology == "UPCE":
        try:
            text = expand_upce(text)
        except ScanError:
            return None
    if not text:
        return None
    at = (code.rect.left + code.rect.width / 2, code.rect.top + code.rect.height / 2)
    return Reading(text=text, symbology=symbology, identifier=identifier, engine="zbar", step=step, at=at)
