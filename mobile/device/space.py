"""How much room the device has for our data: the office is told, and room is made, before it is full."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from mobile.device.browser import IN_BROWSER, is_null
from mobile.device.storage import data_folder

FULL_AT = 0.9  # of what there is; below it nobody need care


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes in use of those there are."""

    used: int
    total: int

    @property
    def left(self) -> int:
        return max(0, self.total - self.used)

    @property
    def nearly_full(self) -> bool:
        return self.used >= FULL_AT * self.total

    def to_free(self, reusable: int) -> int:
        """Bytes to give up so that a tenth stays free; `reusable` ones count as free already."""
        return max(0, self.used - reusable - int(FULL_AT * self.total))


class Space:
    """`usage()` and `left()` answer at once; in a browser, which answers later, with what `look` found last.

    A browser tells what it would let us have, not what the disk has: Chromium 10 GiB more than is in use,
    however full the disk is. There it shows only when something can't be saved; Gateway makes room then.

    `folder` is for CPython only; by default it is the app's private data folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._told: Usage | None = None

    def usage(self) -> Usage | None:
        """None where the device does not say."""
        if IN_BROWSER:
            return self._told
        try:
            disk = shutil.disk_usage(self._folder or data_folder())
        except OSError:
            return None
        return Usage(disk.total - disk.free, disk.total)

    def left(self) -> int | None:
        """Bytes; None where the device does not say."""
        return usage.left if (usage := self.usage()) else None

    async def look(self) -> None:
        """Ask the browser again; elsewhere there is nothing to ask for beforehand."""
        if IN_BROWSER:
            self._told = await _estimate()


async def _estimate() -> Usage | None:
    import js
    from pyodide.ffi import JsException

    try:
        found = await js.self.navigator.storage.estimate()
    except (AttributeError, JsException):  # an old browser, or one that will not tell in a private window
        return None
    if is_null(found.quota) or is_null(found.usage):
        return None
    return Usage(int(found.usage), int(found.quota))
