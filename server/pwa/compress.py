"""Compressed twins (`.br`, `.gz`) beside each file that gets smaller, made once per content."""

from __future__ import annotations

import gzip
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import brotli

# Fonts in woff2, pictures, zip and gz are compressed already.
COMPRESSIBLE = {
    ".bin", ".css", ".frag", ".html", ".js", ".json", ".mjs", ".otf", ".svg", ".ttf", ".txt", ".wasm",
}  # fmt: skip
SMALL_BYTES = 300_000  # up to here the best and slowest brotli level costs nothing to speak of


def compress_all(out: Path, files: dict[str, str], cache: Path) -> None:
    """Write twins for `files` (path → SHA-256) in `out`; `cache` keeps them by content for the next build."""
    cache.mkdir(parents=True, exist_ok=True)
    wanted = [(out / name, digest) for name, digest in files.items() if Path(name).suffix in COMPRESSIBLE]
    wanted.sort(key=lambda item: -item[0].stat().st_size)  # the longest first keeps both cores busy
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # both compressors let go of the interpreter's lock
        list(pool.map(lambda item: _compress(item[0], item[1], cache), wanted))


def _compress(path: Path, digest: str, cache: Path) -> None:
    for suffix in (".br", ".gz"):
        kept = cache / f"{digest}{suffix}"
        if not kept.exists():
            plain = path.read_bytes()
            part = kept.with_suffix(f"{suffix}.part")
            part.write_bytes(_brotli(plain) if suffix == ".br" else gzip.compress(plain, 9, mtime=0))
            part.rename(kept)
        if kept.stat().st_size < path.stat().st_size:
            shutil.copyfile(kept, path.with_name(path.name + suffix))


def _brotli(plain: bytes) -> bytes:
    quality = 11 if len(plain) <= SMALL_BYTES else 9
    return bytes(brotli.compress(plain, quality=quality, lgwin=24))
