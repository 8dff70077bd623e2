"""What people type, as every database can keep it."""

from __future__ import annotations


def tidy(text: str, letters_max: int) -> str:
    """On one line, without what no text may hold (PostgreSQL knows no NUL, UTF-8 no half characters)."""
    readable = text.replace("\x00", " ").encode(errors="replace").decode()
    return " ".join(readable.split())[:letters_max]
