"""Secrets that are handed out once: only their SHA-256 is kept."""

from __future__ import annotations

import base64
import hashlib

from server.clock import entropy

_CODE_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's 32: no I, L, O, U
_MISREAD = str.maketrans("OIL", "011")
CODE_LENGTH = 8


def new_token() -> str:
    """256 bits, safe in a cookie or a header."""
    return base64.urlsafe_b64encode(entropy(32)).rstrip(b"=").decode()


def new_code() -> str:
    """40 bits for human fingers: "K7QD-3M9X"."""
    letters = "".join(_CODE_LETTERS[byte % 32] for byte in entropy(CODE_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def read_code(typed: str) -> str:
    """The code as it was made: case, blanks and dashes don't matter, O is read as 0, I and L as 1."""
    letters = "".join(letter for letter in typed.upper().translate(_MISREAD) if letter.isalnum())
    return f"{letters[:4]}-{letters[4:]}"


def digest(secret: str) -> str:
    """What is kept of a token or code. No salt: the secrets are random, and must be found by their digest."""
    return hashlib.sha256(secret.encode()).hexdigest()
