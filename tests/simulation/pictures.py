"""Small real pictures, each unlike every other."""

from __future__ import annotations

import struct
import zlib


def png(nonce: bytes) -> bytes:
    """One grey pixel with a text chunk: some 100 bytes that any reader of PNG accepts."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixel = zlib.compress(b"\x00\x80")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (
            (b"IHDR", header),
            (b"tEXt", b"Comment\x00" + nonce.hex().encode()),
            (b"IDAT", pixel),
            (b"IEND", b""),
        )
    )
