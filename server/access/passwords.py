"""Passwords, by argon2id. A check takes as long for a mail address that nobody has."""

from __future__ import annotations

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LENGTH_MIN = 12

_hasher = PasswordHasher()
# One check takes 64 MiB: a flood of sign-ins must queue, not fill the memory.
_at_once = threading.BoundedSemaphore(2)


def hashed(password: str) -> str:
    """Raises ValueError when the password is too short to keep."""
    if len(password) < LENGTH_MIN:
        raise ValueError(f"a password needs at least {LENGTH_MIN} characters")
    with _at_once:
        return _hasher.hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """Whether they belong together. None, for an unknown person, costs the same time and is never true."""
    with _at_once:
        try:
            _hasher.verify(password_hash or _nobodys(), password)
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether it was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


@cache
def _nobodys() -> str:
    return _hasher.hash("the password of nobody")
