"""Makes a short secret slow to guess: PBKDF2 with SHA-256, wherever this platform has it.

Pyodide's Python lacks OpenSSL, and with it scrypt and PBKDF2. The browser itself has PBKDF2.
"""

from __future__ import annotations

import hashlib

from mobile.device.browser import IN_BROWSER

KEY_BYTES = 32


async def stretch(secret: str, salt: bytes, rounds: int) -> bytes:
    """32 bytes, the same on every platform. 600,000 rounds take a slow phone about a second."""
    if IN_BROWSER:
        return await _in_browser(secret, salt, rounds)
    return hashlib.pbkdf2_hmac("sha256", secret.encode(), salt, rounds, KEY_BYTES)


async def _in_browser(secret: str, salt: bytes, rounds: int) -> bytes:
    import js
    from pyodide.ffi import to_js

    def given(value: object) -> object:
        return to_js(value, dict_converter=js.Object.fromEntries)

    subtle = js.crypto.subtle
    key = await subtle.importKey("raw", given(secret.encode()), "PBKDF2", False, given(["deriveBits"]))
    how = {"name": "PBKDF2", "hash": "SHA-256", "salt": salt, "iterations": rounds}
    return bytes((await subtle.deriveBits(given(how), key, KEY_BYTES * 8)).to_bytes())
