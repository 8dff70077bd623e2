"""How many bytes the device still has for our data: the office is told, before a phone is full."""

from __future__ import annotations

import shutil
from pathlib import Path

from mobile.device.browser import IN_BROWSER, is_null
from mobile.device.storage import data_folder


class Space:
    """`left()` answers at once; in a browser, which only answers later, with what the last `look` found.

    A browser tells what it would let us have, not what the disk has: Chromium never more than 10 GiB.

    `folder` is for CPython only; by default it is the app's private data folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._told: int | None = None

    def left(self) -> int | None:
        """Bytes; None where the device does not say."""
        if IN_BROWSER:
            return self._told
        try:
            return shutil.disk_usage(self._folder or data_folder()).free
        except OSError:
            return None

    async def look(self) -> None:
        """Ask the browser again; elsewhere there is nothing to ask for beforehand."""
        if IN_BROWSER:
            self._told = await _estimate()


async def _estimate() -> int | None:
    import js
    from pyodide.ffi import JsException

    try:
        found = await js.self.navigator.storage.estimate()
    except (AttributeError, JsException):  # an old browser, or one that will not tell in a private window
        return None
    if is_null(found.quota) or is_null(found.usage):
        return None
    return max(0, int(found.quota) - int(found.usage))
