"""What a plan depends on besides what was asked: this program itself, and the libraries it searches with."""

from __future__ import annotations

import platform
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("ortools", "numba", "numpy")
HERE = Path(__file__).parent


@cache
def versions() -> dict[str, str]:
    """Name → version. The scheduler's is a digest of its code: no change of it can keep the old one."""
    return {
        "scheduler": _digest(),
        "python": platform.python_version(),
        **{name: _of(name) for name in LIBRARIES},
    }


def _digest() -> str:
    code = sha256()
    for file in sorted(HERE.rglob("*.py")):
        code.update(file.relative_to(HERE).as_posix().encode() + b"\0" + file.read_bytes())
    return code.hexdigest()[:12]


def _of(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "none"
