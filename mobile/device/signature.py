"""Turn the strokes of a signature into a PNG, in plain Python: the same on phone, browser and in tests."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence

Point = tuple[float, float]
PEN_RADIUS_PIXELS = 1.5


def signature_png(strokes: Iterable[Sequence[Point]], *, width: int, height: int) -> bytes:
    """Draw `strokes` (points in pixels from the top left) in black on white, as an 8-bit grey PNG."""
    rows = [bytearray(b"\xff" * width) for _ in range(height)]
    for stroke in strokes:
        for start, end in zip(stroke, [*stroke[1:], stroke[-1]], strict=True):
            _line(rows, start, end)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows), 9)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _line(rows: list[bytearray], start: Point, end: Point) -> None:
    steps = max(1, round(max(abs(end[0] - start[0]), abs(end[1] - start[1]))))
    for step in range(steps + 1):
        part = step / steps
        _dot(rows, start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part)


def _dot(rows: list[bytearray], x: float, y: float) -> None:
    reach = PEN_RADIUS_PIXELS
    for row in range(max(0, round(y - reach)), min(len(rows), round(y + reach) + 1)):
        for column in range(max(0, round(x - reach)), min(len(rows[row]), round(x + reach) + 1)):
            if (column - x) ** 2 + (row - y) ** 2 <= reach**2:
                rows[row][column] = 0


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
