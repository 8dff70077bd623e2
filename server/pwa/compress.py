"""Compressed twins (`.br`, `.gz`) beside each file that gets smaller, made once per content."""

from __future__ import annotations

import gzip
import os
import secrets
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import brotli

# Fonts in woff2, pictures and gz are compressed already; our zip files are stored.
COMPRESSIBLE = {
    ".bin", ".css", ".frag", ".html", ".js", ".json", ".mjs", ".otf", ".svg", ".ttf", ".txt", ".wasm",
    ".zip",
}  # fmt: skip
SMALL_BYTES = 300_000  # up to here the best and slowest brotli level costs nothing to speak of


def compress_all(out: Path, files: dict[str, str], cache: Path, *, smallest: bool) -> None:
    """Write twins for `files` (path → SHA-256) in `out`; `cache` keeps them by content for the next build.

    `smallest` takes minutes instead of seconds and saves a tenth.
    """
    cache.mkdir(parents=True, exist_ok=True)
    wanted = [(out / name, digest) for name, digest in files.items() if Path(name).suffix in COMPRESSIBLE]
    wanted.sort(key=lambda item: -item[0].stat().st_size)  # the longest first keeps both cores busy
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # both compressors let go of the interpreter's lock
        list(pool.map(lambda item: _compress(item[0], item[1], cache, smallest), wanted))


def _compress(path: Path, digest: str, cache: Path, smallest: bool) -> None:
    plain = path.read_bytes()
    quality = 11 if smallest or len(plain) <= SMALL_BYTES else 9
    twins: dict[str, tuple[str, Callable[[], bytes]]] = {
        ".br": (f"{digest}.{quality}.br", lambda: brotli.compress(plain, quality=quality, lgwin=24)),
        ".gz": (f"{digest}.gz", lambda: gzip.compress(plain, 9, mtime=0)),
    }
    for suffix, (name, compress) in twins.items():
        kept = cache / name
        if not kept.exists():
            part = cache / f"{name}.{secrets.token_hex(4)}.part"  # another build may be at the same one
            part.write_bytes(compress())
            part.rename(kept)
        if kept.stat().st_size < len(plain):
            shutil.copyfile(kept, path.with_name(path.name + suffix))
