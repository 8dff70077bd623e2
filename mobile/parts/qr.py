"""A QR code on the screen, for another phone to read."""

from __future__ import annotations

import functools
import struct
import zlib

import flet as ft
from qrcodegen import QrCode, QrSegment

from mobile import theme

DOTS = 6  # pixels of the picture for each module; the screen scales it
QUIET_ZONE = 4  # modules of white around it, as the standard asks


def qr_code(text: str, name: str) -> ft.Control:
    """`text` as a picture as wide as the screen lets it be, dark on white in every theme; heard as `name`."""
    return ft.Semantics(
        label=name,
        image=True,
        content=ft.Container(
            content=ft.Image(src=picture(text), fit=ft.BoxFit.CONTAIN, exclude_from_semantics=True),
            bgcolor=ft.Colors.WHITE,
            border_radius=theme.RADIUS,
            padding=4,
            alignment=ft.Alignment.CENTER,
        ),
    )


@functools.lru_cache(maxsize=4)
def picture(text: str) -> bytes:
    """A PNG with one bit a pixel. Cached, for a screen is drawn anew more often than its code changes."""
    code = QrCode.encode_segments(QrSegment.make_segments(text), QrCode.Ecc.LOW, boostecl=False)
    span = range(-QUIET_ZONE, code.get_size() + QUIET_ZONE)
    side = len(span) * DOTS
    rows = bytearray()
    for y in span:
        light = "".join(("0" if code.get_module(x, y) else "1") * DOTS for x in span)
        row = int(light.ljust(-(-side // 8) * 8, "0"), 2).to_bytes(-(-side // 8), "big")
        rows += (b"\x00" + row) * DOTS  # each line begins with its filter: none
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
