"""Photos: pick one, and make it small enough to keep on the phone and send over a weak network."""

from __future__ import annotations

import io
from dataclasses import dataclass

import flet as ft

from mobile import words
from mobile.device.browser import IN_BROWSER, load_module

SIDE_MAX_PIXELS = 1600
JPEG_QUALITY = 0.8
PICTURE_MAX_BYTES = 25_000_000


class PhotoError(Exception):
    """The picture can't be used. `str(error)` is a sentence for the technician."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A JPEG, upright, its longer side at most SIDE_MAX_PIXELS."""

    jpeg: bytes
    width: int
    height: int


async def pick_picture() -> bytes | None:
    """Let the technician take or choose a picture with the platform's own dialog; None when cancelled."""
    files = await ft.FilePicker().pick_files(with_data=True, file_type=ft.FilePickerFileType.IMAGE)
    return bytes(files[0].bytes or b"") if files else None


async def shrink(picture: bytes) -> Photo:
    """Turn a picture upright, scale it down and store it as JPEG. Raises PhotoError."""
    if not picture:
        raise PhotoError(words.PHOTO_EMPTY)
    if len(picture) > PICTURE_MAX_BYTES:
        size, most = round(len(picture) / 1e6), PICTURE_MAX_BYTES // 1_000_000
        raise PhotoError(words.photo_too_big(size, most))
    return await _shrink_in_browser(picture) if IN_BROWSER else _shrink_with_pillow(picture)


async def _shrink_in_browser(picture: bytes) -> Photo:
    from pyodide.ffi import JsException, to_js

    module = await load_module("photo/shrink.mjs")
    try:
        made = await module.shrink(to_js(picture), SIDE_MAX_PIXELS, JPEG_QUALITY)
    except JsException as error:
        raise PhotoError(words.NO_PICTURE_FORMAT) from error
    return Photo(jpeg=made.jpeg.to_bytes(), width=int(made.width), height=int(made.height))


def _shrink_with_pillow(picture: bytes) -> Photo:
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError as error:
        raise PhotoError(words.NO_PHOTOS_HERE) from error
    try:
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(picture))).convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise PhotoError(words.NO_PICTURE_FORMAT) from error
    image.thumbnail((SIDE_MAX_PIXELS, SIDE_MAX_PIXELS))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=round(JPEG_QUALITY * 100))
    return Photo(jpeg=out.getvalue(), width=image.width, height=image.height)
