"""Barcodes from a picture, by escalation: stop at the first value that fits, under a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from PIL import Image

from server.scanning.bars import Bars, cut_out, find_bars, shows_texture
from server.scanning.engines import MATRIX, SYMBOLOGIES, Reading, read_bars, read_zbar, read_zxing
from server.scanning.pictures import (
    ENLARGE_BELOW_PX,
    SMEARS,
    Limits,
    blurred,
    enlarged,
    evened,
    hint,
    open_picture,
    sharpened,
)
from shared.barcodes.errors import ScanError
from shared.barcodes.scan import WORDS, FieldKind, Scan, ScanKind, parse_scan

DEFAULT_LIMITS = Limits()
EACH_CODE = ("raw", "upright", "smeared")  # the steps that go on to the codes not read yet

Engine = Callable[[Image.Image, tuple[str, ...], str], list[Reading]]
ENGINES: tuple[Engine, ...] = (read_zxing, read_zbar)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldReading:
    """The value read for one field. `others` are further values of the same standing: let a person choose."""

    value: str
    scan: Scan
    reading: Reading
    others: tuple[Scan, ...] = ()

    @property
    def ambiguous(self) -> bool:
        """Whether the picture holds more than one value that fits equally well."""
        return bool(self.others)


def decode(
    image_bytes: bytes,
    *,
    symbologies: tuple[str, ...] = SYMBOLOGIES[None],
    deadline_seconds: float = 2.0,
    limits: Limits = DEFAULT_LIMITS,
) -> list[Reading]:
    """Every code of the label, each text once: what is read at once, and each further field of bars.

    Where that is nothing, the first variant of the picture that shows any. An empty list when nothing was
    read in time. Raises ScanError for bytes that are no picture.
    """
    found: dict[str, Reading] = {}
    for step, batch in _escalate(open_picture(image_bytes, limits), symbologies, deadline_seconds):
        if found and step not in EACH_CODE:
            break
        for reading in batch:
            found.setdefault(_sameness(reading), reading)
    return list(found.values())


def read_field(
    image_bytes: bytes,
    *,
    wanted: FieldKind,
    deadline_seconds: float = 2.0,
    limits: Limits = DEFAULT_LIMITS,
) -> FieldReading:
    """The first value in the picture that validates as `wanted`. Raises ScanError.

    A value that could also be something else (a MAC taken for a serial) is used only if the deadline brings
    nothing better. With no value, the error says what was read instead, or what to change about the picture.
    """
    image = open_picture(image_bytes, limits)
    doubtful: FieldReading | None = None
    refusal: ScanError | None = None
    for _, batch in _escalate(image, SYMBOLOGIES[wanted], deadline_seconds):
        fitting: list[tuple[Scan, Reading]] = []
        for reading in batch:
            try:
                scan = parse_scan(reading.text, wanted=wanted, symbology=reading.identifier)
            except ScanError as error:
                refusal = refusal or error
                continue
            if scan.value_for(wanted) is None:
                detail = f"This is {WORDS[scan.kind]}, but {WORDS[wanted]} is wanted."
                refusal = refusal or ScanError("wrong-kind-of-code", detail, wanted)
            else:
                fitting.append((scan, reading))
        if sure := [pair for pair in fitting if not pair[0].could_also_be]:
            return _choose(sure, wanted)
        if fitting and doubtful is None:
            doubtful = _choose(fitting, wanted)
    if doubtful is not None:
        return doubtful
    if refusal is not None:
        raise refusal
    raise ScanError("no-barcode-found", f"No code could be read. {hint(image)}", "picture")


def _escalate(
    image: Image.Image, symbologies: tuple[str, ...], deadline_seconds: float
) -> Iterator[tuple[str, list[Reading]]]:
    """(step, readings) of one look after the other, cheapest first, until the deadline.

    The first look is always taken: a deadline too short for it would make every picture unreadable.
    """
    ends = time.monotonic() + deadline_seconds
    read: list[Reading] = []
    for step, look in _looks(image, symbologies, read):
        found = look()
        read += found
        yield step, found
        if time.monotonic() > ends:
            return


def _looks(
    image: Image.Image, symbologies: tuple[str, ...], read: list[Reading]
) -> Iterator[tuple[str, Callable[[], list[Reading]]]]:
    """The steps of the escalation. `read` is what those before have read, as it grows."""
    for engine in ENGINES:
        yield "raw", partial(engine, image, symbologies, "raw")
    if not shows_texture(image):
        return  # nothing there to try harder at
    linear = tuple(name for name in symbologies if name not in MATRIX)
    fields = [(field, cut_out(image, field)) for field in find_bars(image)]
    for step, engine in (*(("upright", engine) for engine in ENGINES), ("smeared", read_bars)):
        for field, upright in fields:
            if not any(field.holds(*reading.at) for reading in read):
                yield step, partial(_in_field, field, engine, upright, linear, step)
    even = evened(image)
    for step, variant in (("evened", even), ("blurred", blurred(image))):
        for engine in ENGINES:
            yield step, partial(engine, variant, symbologies, step)
    if max(image.size) <= ENLARGE_BELOW_PX:
        yield "enlarged", lambda: read_zxing(enlarged(even), symbologies, "enlarged")
    matrix = tuple(name for name in symbologies if name in MATRIX)
    for step, smear in SMEARS.items():
        yield step, lambda step=step, smear=smear: read_zxing(sharpened(image, smear), matrix, step)  # type: ignore[misc]


def _in_field(
    field: Bars, engine: Engine, upright: Image.Image, symbologies: tuple[str, ...], step: str
) -> list[Reading]:
    return [replace(reading, at=(field.x, field.y)) for reading in engine(upright, symbologies, step)]


def _choose(fitting: list[tuple[Scan, Reading]], wanted: FieldKind) -> FieldReading:
    """The best of several values: a GS1 code before bare text, for it carries its own meaning."""
    order = {ScanKind.GS1: 0, ScanKind(wanted.value): 1}
    ranked = sorted(fitting, key=lambda pair: order.get(pair[0].kind, 2))
    scan, reading = ranked[0]
    value = scan.value_for(wanted)
    assert value is not None
    others: dict[str, Scan] = {}
    for other, _ in ranked[1:]:
        other_value = other.value_for(wanted)
        same_standing = other.kind in (scan.kind, ScanKind(wanted.value))
        if other_value is not None and other_value != value and same_standing:
            others.setdefault(other_value, other)
    return FieldReading(value=value, scan=scan, reading=reading, others=tuple(others.values()))


def _sameness(reading: Reading) -> str:
    """Both engines on one code: same text, but for an EAN-13 that one of them takes for a UPC-A."""
    return reading.text.lstrip("0") if reading.identifier == "]E0" else reading.text
