"""From bytes to a grey picture, the variants worth trying on it, and what to tell who took it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from server.scanning.bars import find_bars
from shared.barcodes.errors import ScanError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
TILE_PX = 48
# Steepest step between neighbours, as a part of the contrast: 0.8 when sharp, 0.3 when unreadable.
SHARP_STEP_MIN = 0.3
TILTED_DEGREES = 20
ENLARGE_BELOW_PX = 1400  # larger pictures have enough pixels
NOISE = 0.01  # of the signal's power, when a smear is undone: less rings, more leaves it blurred

Frequencies = NDArray[np.floating]
Smear = Callable[[Frequencies, Frequencies], Frequencies]
"""How strongly each frequency (across, down; cycles a pixel) came through: 1 untouched, 0 lost."""

SMEARS: dict[str, Smear] = {
    "out of focus": lambda across, down: np.exp(-2 * (np.pi * 2) ** 2 * (across**2 + down**2)),
    "shaken sideways": lambda across, down: np.sinc(9 * across) + 0 * down,
    "shaken up and down": lambda across, down: np.sinc(9 * down) + 0 * across,
}

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


def blurred(image: Image.Image) -> Image.Image:
    """Without its grain, and with all its contrast."""
    return ImageOps.autocontrast(image.filter(ImageFilter.GaussianBlur(1)), cutoff=2)


def evened(image: Image.Image) -> Image.Image:
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
    stretched = np.clip((padded - black) / (white - black) * 255, 0, 255).astype(np.uint8)
    return Image.fromarray(stretched[: image.height, : image.width])


def enlarged(image: Image.Image) -> Image.Image:
    """Twice the size, for codes whose bars are hardly wider than a pixel."""
    return image.resize((image.width * 2, image.height * 2), Image.Resampling.BICUBIC)


def sharpened(image: Image.Image, smear: Smear) -> Image.Image:
    """What the picture was before `smear`, as far as its noise allows (a Wiener filter)."""
    margin = 16
    pixels = np.pad(np.asarray(image, dtype=np.float32), margin, "reflect")
    down, across = np.fft.fftfreq(pixels.shape[0])[:, np.newaxis], np.fft.rfftfreq(pixels.shape[1])
    passed = smear(across, down)
    sharp = np.fft.irfft2(np.fft.rfft2(pixels) * passed * (1 + NOISE) / (passed**2 + NOISE), pixels.shape)
    inner = sharp[margin : margin + image.height, margin : margin + image.width]
    return Image.fromarray(np.clip(inner, 0, 255).astype(np.uint8))


def hint(image: Image.Image) -> str:
    """One sentence of advice for the next picture, from cheap statistics of this one."""
    small = image.copy()
    small.thumbnail((640, 640))
    pixels = np.asarray(small).astype(np.int16)
    black, white = np.percentile(pixels, (2, 98))
    if white < 90 or pixels.mean() < 60:
        return "The picture is dark: turn on the light."
    if black > 200 and (pixels >= 254).mean() > 0.5:
        return "The picture is too bright: turn the light away from the label."
    steepest_step = np.percentile(np.abs(np.diff(pixels, axis=1)), 99) / (white - black + 1)
    if steepest_step < SHARP_STEP_MIN:
        return "The picture is blurred: hold still, or come closer."
    if black < 200 and 0.02 < (pixels >= 254).mean() < 0.3:
        return "Part of the picture is too bright: tilt the label out of the glare."
    if any(TILTED_DEGREES < abs(field.degrees) < 90 - TILTED_DEGREES for field in find_bars(image)):
        return "The label is tilted: turn the phone until its bars stand upright."
    return "Come closer, hold the label straight, or type the number."


def _on_white(image: Image.Image) -> Image.Image:
    """Grey, with see-through parts white: black bars on nothing must not become black on black."""
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("L")
    return image.convert("L")


def _too_many_bytes(size: int, limit: int) -> str:
    return (
        f"The picture has {size / 1e6:.1f} MB; at most {limit / 1e6:.0f} MB can be sent. "
        "Take it with a smaller setting, or type the number."
    )


def _too_many_pixels(width: int, height: int, limit: int) -> str:
    return f"The picture has {width} by {height} pixels; at most {limit / 1e6:.0f} million can be read."
