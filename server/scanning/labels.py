"""Equipment labels as pictures: for the stock room's printer, and for trying the scanner on.

`render_label` draws a clean label, `damage` does to it what a dark cabinet and a shaking hand do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from random import Random

import numpy as np
import zxingcpp
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from shared.barcodes import gs1
from shared.barcodes.gpon import parse_gpon_serial
from shared.barcodes.gtin import gtin14
from shared.barcodes.mac import parse_mac

MARGIN_MODULES = 12  # the quiet zone of a Code 128 is ten modules
BAR_MODULES = 28  # height of the bars


@dataclass(frozen=True, slots=True)
class _Block:
    """One code with the line printed above it."""

    caption: str
    code: Image.Image


def render_label(
    *,
    serial: str,
    gpon: str | None = None,
    mac: str | None = None,
    model: str = "",
    gtin: str | None = None,
    batch: str | None = None,
    produced_on: date | None = None,
    module_px: int = 3,
) -> Image.Image:
    """A grey picture of one unit's label: Code 128 for serial, GPON serial and MAC, and a GS1 DataMatrix.

    The DataMatrix holds (01) GTIN, (11) date, (10) batch and (21) serial, and needs the GTIN. `module_px` is
    the width of the narrowest bar: 3 prints well at 300 dpi. Raises ScanError for a number that is none.
    """
    blocks = [_Block(f"S/N: {serial}", _code128(serial, module_px))]
    if gpon is not None:
        canonical = parse_gpon_serial(gpon)
        blocks.append(_Block(f"GPON SN: {canonical}", _code128(canonical, module_px)))
    if mac is not None:
        canonical = parse_mac(mac)
        blocks.append(_Block(f"MAC: {canonical}", _code128(canonical.replace(":", ""), module_px)))
    matrix = None
    if gtin is not None:
        elements = _elements(serial, gtin14(gtin), batch, produced_on)
        matrix = _Block(gs1.bracketed(elements), _data_matrix(elements, module_px * 2))
    return _lay_out(model, blocks, matrix, module_px)


def render_code(text: str, *, matrix: bool = False, module_px: int = 3) -> Image.Image:
    """A grey picture of one code on white paper: a Code 128, or a DataMatrix. A GS in `text` makes it GS1."""
    if gs1.GS in text:
        elements = gs1.parse_element_string(text).elements
        code = _data_matrix(elements, module_px * 2) if matrix else _gs1_128(elements, module_px)
    else:
        code = _code128(text, module_px)
    margin = MARGIN_MODULES * module_px
    paper = Image.new("L", (code.width + 2 * margin, code.height + 2 * margin), 255)
    paper.paste(code, (margin, margin))
    return paper


def label_png(label: Image.Image) -> bytes:
    """The label as a PNG file."""
    return _file(label, "PNG")


def label_jpeg(label: Image.Image, *, quality: int = 85) -> bytes:
    """The label as a JPEG file, as a phone would send it."""
    return _file(label, "JPEG", quality=quality)


def damage(label: Image.Image, kind: str, *, level: float = 1.0, seed: int = 0) -> Image.Image:
    """The label after one of `DAMAGES`, at `level` (1 is common, 2 is bad). Same seed, same picture."""
    return DAMAGES[kind](label, level, Random(seed))


def _lay_out(model: str, blocks: list[_Block], matrix: _Block | None, module_px: int) -> Image.Image:
    font = ImageFont.load_default(size=7 * module_px)
    small = ImageFont.load_default(size=4.5 * module_px)
    margin, gap, line = MARGIN_MODULES * module_px, 4 * module_px, 10 * module_px
    column = max(block.code.width for block in blocks)
    column = max(column, *(int(font.getlength(block.caption)) for block in blocks))
    side = matrix.code.width + 2 * margin if matrix else 0
    rows = [line + block.code.height + gap for block in blocks]
    head = 2 * line if model else gap
    foot = line if matrix else 0
    width = max(
        margin + column + margin + side, int(small.getlength(matrix.caption)) + 2 * margin if matrix else 0
    )
    height = margin + head + max(sum(rows), side) + foot + margin
    label = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(label)
    if model:
        draw.text((margin, margin), f"Model: {model}", font=font, fill=0)
    top = margin + head
    for block, row in zip(blocks, rows, strict=True):
        draw.text((margin, top), block.caption, font=font, fill=0)
        label.paste(block.code, (margin, top + line))
        top += row
    if matrix:
        label.paste(matrix.code, (width - margin - matrix.code.width, margin + head))
        draw.text((margin, height - margin - line // 2), matrix.caption, font=small, fill=0)
    return label


def _elements(serial: str, gtin: str, batch: str | None, produced_on: date | None) -> list[tuple[str, str]]:
    elements = [("01", gtin)]
    if produced_on is not None:
        elements.append(("11", f"{produced_on:%y%m%d}"))
    if batch is not None:
        elements.append(("10", batch))
    return [*elements, ("21", serial)]


def _code128(text: str, module_px: int) -> Image.Image:
    return _low(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128), module_px)


def _gs1_128(elements: Sequence[tuple[str, str]], module_px: int) -> Image.Image:
    text = gs1.bracketed(elements)
    return _low(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128, gs1=True), module_px)


def _data_matrix(elements: Sequence[tuple[str, str]], module_px: int) -> Image.Image:
    gs1.encode(elements)  # checks every field before a wrong one is printed
    content = gs1.bracketed(elements)
    return _grey(zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.DataMatrix, gs1=True), module_px)


def _low(barcode: zxingcpp.Barcode, module_px: int) -> Image.Image:
    """As high as we want it: the writer's own height is fixed at fifty modules."""
    bars = _grey(barcode, module_px)
    return bars.crop((0, 0, bars.width, min(bars.height, BAR_MODULES * module_px)))


def _grey(barcode: zxingcpp.Barcode, module_px: int) -> Image.Image:
    return Image.fromarray(np.asarray(barcode.to_image(scale=module_px, add_quiet_zones=False)))


def _file(label: Image.Image, format_: str, **options: int) -> bytes:
    file = BytesIO()
    label.save(file, format_, **options)
    return file.getvalue()


def _rotate(label: Image.Image, level: float, random: Random) -> Image.Image:
    degrees = random.choice((-1, 1)) * random.uniform(8, 14) * level
    return label.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=200)


def _blur(label: Image.Image, level: float, random: Random) -> Image.Image:
    return label.filter(ImageFilter.GaussianBlur(random.uniform(0.9, 1.3) * level))


def _shake(label: Image.Image, level: float, random: Random) -> Image.Image:
    """Motion blur along the bars' direction of reading: the mean of shifted copies."""
    steps = max(2, round(3 * level))
    total = label
    for step in range(1, steps):
        total = Image.blend(total, ImageChops.offset(label, step, 0), 1 / (step + 1))
    return total


def _noise(label: Image.Image, level: float, random: Random) -> Image.Image:
    """Low light: little contrast, much noise."""
    dark = label.point(lambda value: int(20 + value * 0.35 / level))
    grain = Image.frombytes("L", label.size, random.randbytes(label.width * label.height))
    return ImageChops.add(dark, grain.point(lambda value: int(value * 0.1 * level)))


def _glare(label: Image.Image, level: float, random: Random) -> Image.Image:
    """A bright, soft spot somewhere on the label."""
    radius = int(min(label.size) * 0.12 * level)
    x = random.randrange(radius, max(label.width - radius, radius + 1))
    y = random.randrange(radius, max(label.height - radius, radius + 1))
    spot = Image.new("L", label.size, 0)
    ImageDraw.Draw(spot).ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return ImageChops.add(label, spot.filter(ImageFilter.GaussianBlur(radius / 3)))


def _shadow(label: Image.Image, level: float, random: Random) -> Image.Image:
    """Light from one side: the other side keeps a small part of it."""
    darkest = 0.35 / level
    ramp = Image.linear_gradient("L").rotate(random.choice((90, 270))).resize(label.size)
    light = ramp.point(lambda value: int(255 * (darkest + (1 - darkest) * value / 255)))
    return ImageChops.multiply(label, light)


def _perspective(label: Image.Image, level: float, random: Random) -> Image.Image:
    """Seen from one side: each corner has moved inwards by its own part of the label."""
    width, height = label.size
    reach = 0.1 * level
    moved = [(random.uniform(0, reach) * width, random.uniform(0, reach) * height) for _ in range(4)]
    signs = ((1, 1), (-1, 1), (-1, -1), (1, -1))
    corners = ((0, 0), (width, 0), (width, height), (0, height))
    seen = [(x + a * dx, y + b * dy) for (x, y), (a, b), (dx, dy) in zip(corners, signs, moved, strict=True)]
    equations, known = [], []
    for (x, y), (u, v) in zip(corners, seen, strict=True):
        equations += [[u, v, 1, 0, 0, 0, -x * u, -x * v], [0, 0, 0, u, v, 1, -y * u, -y * v]]
        known += [x, y]
    back = np.linalg.solve(np.array(equations), np.array(known))
    return label.transform(
        label.size, Image.Transform.PERSPECTIVE, back.tolist(), Image.Resampling.BICUBIC, fillcolor=200
    )


def _cover(label: Image.Image, level: float, random: Random) -> Image.Image:
    """Something lies on it: a strip of tape, a cable, a thumb."""
    covered = label.copy()
    width, height = int(label.width * 0.1 * level), int(label.height * 0.2 * level)
    x, y = random.randrange(label.width - width), random.randrange(label.height - height)
    ImageDraw.Draw(covered).rectangle((x, y, x + width, y + height), fill=random.randrange(60, 220))
    return covered


def _compress(label: Image.Image, level: float, random: Random) -> Image.Image:
    return Image.open(BytesIO(label_jpeg(label, quality=max(5, int(25 / level))))).convert("L")


def _everything(label: Image.Image, level: float, random: Random) -> Image.Image:
    tilted = label.rotate(random.uniform(-4, 4) * level, Image.Resampling.BICUBIC, expand=True, fillcolor=200)
    return _compress(_noise(_blur(tilted, 0.5 * level, random), 0.7 * level, random), level, random)


DAMAGES: dict[str, Callable[[Image.Image, float, Random], Image.Image]] = {
    "none": lambda label, level, random: label,
    "rotation": _rotate,
    "blur": _blur,
    "motion": _shake,
    "noise": _noise,
    "glare": _glare,
    "shadow": _shadow,
    "perspective": _perspective,
    "covered": _cover,
    "jpeg": _compress,
    "everything": _everything,
}
