"""From bytes to a grey picture, the variants worth trying on it, and what to tell who took it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageFilter, ImageOps, ImageStat

from shared.barcodes.errors import ScanError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
TILE_PX = 48
# Steepest step between neighbours, as a part of the contrast: 0.8 when sharp, 0.3 when unreadable.
SHARP_STEP_MIN = 0.3

Image.init()  # else Pillow may be asked for WebP before it has loaded it


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a picture may cost. Larger ones than `side_max` pixels are scaled down before decoding."""

    bytes_max: int = 20_000_000
    pixels_max: int = 60_000_000
    side_max: int = 2600


def open_picture(data: bytes, limits: Limits) -> Image.Image:
    """The upright grey picture in `data`. Raises ScanError in words for who took it."""
    if not data:
        raise ScanError("empty-picture", "The picture is empty (0 bytes). Take it again.", "picture")
    if len(data) > limits.bytes_max:
        raise ScanError("picture-too-large", _too_many_bytes(len(data), limits.bytes_max), "picture")
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
        width, height = image.size
        if width * height > limits.pixels_max:
            raise ScanError(
                "picture-too-large", _too_many_pixels(width, height, limits.pixels_max), "picture"
            )
        image.draft("L", (limits.side_max, limits.side_max))  # JPEG decodes straight to grey, and smaller
        upright = ImageOps.exif_transpose(image)
        grey = _on_white(upright)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        detail = "The picture claims to be far larger than any camera makes. Take it again."
        raise ScanError("picture-too-large", detail, "picture") from error
    except ScanError:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        detail = "This file is not a picture that can be read, or it is cut short. Use JPEG, PNG or WebP."
        raise ScanError("not-a-picture", detail, "picture") from error
    if max(grey.size) > limits.side_max:
        grey.thumbnail((limits.side_max, limits.side_max), Image.Resampling.LANCZOS)
    return grey


def variants(image: Image.Image) -> Iterator[tuple[str, Callable[[], Image.Image]]]:
    """The short escalation: (name of the step, how to make that variant), cheapest first."""
    yield "raw", lambda: image
    yield "blurred", lambda: _stretched(image.filter(ImageFilter.GaussianBlur(1)))
    yield "enlarged", lambda: _enlarged(image)
    for degrees in (15, -15, 30, -30, 45):
        yield f"rotated {degrees}", lambda degrees=degrees: _rotated(image, degrees)  # type: ignore[misc]


def hint(image: Image.Image) -> str:
    """One sentence of advice for the next picture, from cheap statistics of this one."""
    small = image.copy()
    small.thumbnail((640, 640))
    pixels = np.asarray(small).astype(np.int16)
    black, white = np.percentile(pixels, (2, 98))
    if pixels.mean() < 60:
        return "The picture is dark: turn on the light."
    steepest_step = np.percentile(np.abs(np.diff(pixels, axis=1)), 99) / (white - black + 1)
    if steepest_step < SHARP_STEP_MIN:
        return "The picture is blurred: hold still, or come closer."
    if black < 200 and 0.02 < (pixels >= 254).mean() < 0.3:
        return "Part of the picture is too bright: tilt the label out of the glare."
    return "Come closer, hold the label straight, or type the number."


def _on_white(image: Image.Image) -> Image.Image:
    """Grey, with see-through parts white: black bars on nothing must not become black on black."""
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("L")
    return image.convert("L")


def _stretched(image: Image.Image) -> Image.Image:
    return ImageOps.autocontrast(image, cutoff=2)


def _enlarged(image: Image.Image) -> Image.Image:
    """Twice the size, with the contrast evened out."""
    factor = 2 if max(image.size) <= 1400 else 1
    large = image.resize((image.width * factor, image.height * factor), Image.Resampling.BICUBIC)
    return _evened(large)


def _evened(image: Image.Image) -> Image.Image:
    """Each tile stretched from its own black to its own white, so that bars in shadow get black too."""
    across, down = -(-image.width // TILE_PX), -(-image.height // TILE_PX)
    padded = np.pad(
        np.asarray(image), ((0, down * TILE_PX - image.height), (0, across * TILE_PX - image.width)), "edge"
    )
    tiles = padded.reshape(down, TILE_PX, across, TILE_PX)
    # At least 24 apart: in a tile of plain paper the noise must not be stretched to bars.
    low = tiles.min(axis=(1, 3)).astype(np.float32)
    high = np.maximum(tiles.max(axis=(1, 3)).astype(np.float32), low + 24)
    size = (across * TILE_PX, down * TILE_PX)
    black, white = (
        np.asarray(Image.fromarray(level).resize(size, Image.Resampling.BILINEAR)) for level in (low, high)
    )
    evened = np.clip((padded - black) / (white - black) * 255, 0, 255).astype(np.uint8)
    return Image.fromarray(evened[: image.height, : image.width])


def _rotated(image: Image.Image, degrees: int) -> Image.Image:
    paper = int(ImageStat.Stat(image).median[0])
    return image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=paper)


def _too_many_bytes(size: int, limit: int) -> str:
    return (
        f"The picture has {size / 1e6:.1f} MB; at most {limit / 1e6:.0f} MB can be sent. "
        "Take it with a smaller setting, or type the number."
    )


def _too_many_pixels(width: int, height: int, limit: int) -> str:
    return f"The picture has {width} by {height} pixels; at most {limit / 1e6:.0f} million can be read."
