"""A photo between the camera and the disk."""

from __future__ import annotations

from dataclasses import dataclass

from mobile.device.place import Spot


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A photo that is ready to be kept. `said`: what the screen says then, None for the usual."""

    jpeg: bytes
    spot: Spot | None
    said: str | None
