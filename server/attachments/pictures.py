"""What may be kept: a picture that is what its name says, by the bytes themselves."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from shared.problems import BadEvidence
from shared.visit_rules import EVIDENCE_BYTES_MAX

MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
PIECE_BYTES = 256 * 1024


def is_digest(name: str) -> bool:
    return len(name) == 64 and set(name) <= set("0123456789abcdef")


def check_digest_name(name: str) -> None:
    if not is_digest(name):
        raise BadEvidence("The name must be the SHA-256 of the bytes, in hex", field="digest")


def check_size(size_bytes: int) -> None:
    if size_bytes > EVIDENCE_BYTES_MAX:
        limit = EVIDENCE_BYTES_MAX // 2**20
        raise BadEvidence(f"The picture is larger than {limit} MB: send it scaled down", field="body")
    if size_bytes == 0:
        raise BadEvidence("The picture is empty: take it again", field="body")


def check(path: Path, digest: str) -> tuple[int, str]:
    """Size in bytes and media type of a complete file. Raises BadEvidence; memory stays at one piece."""
    found, size_bytes = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            found.update(piece)
            size_bytes += len(piece)
    check_size(size_bytes)
    if found.hexdigest() != digest:
        raise BadEvidence("The bytes do not match their digest: send them again", field="digest")
    return size_bytes, _media_type(path)


def _media_type(path: Path) -> str:
    """What the sender calls it counts for nothing."""
    try:
        with Image.open(path) as picture:
            picture.verify()
            return MEDIA_TYPES[picture.format or ""]
    except FileNotFoundError:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, KeyError, Image.DecompressionBombError) as error:
        raise BadEvidence("This is not a JPEG, PNG or WebP picture: take it again", field="body") from error
