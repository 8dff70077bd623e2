"""What the network can do: measured by what passes, and what follows for sizes and patience. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

SECONDS_A_PIECE = 5.0
"""A page, a push or a part of a photo shall be through in about so long, so that little is lost at once."""
ROUND_TRIPS_A_PIECE = 4
"""But in no less than so many round trips: on a long way the line would lie idle between the pieces."""
SECONDS_A_PIECE_MAX = 10.0
"""For what is tapped meanwhile waits for the end of a piece."""

PAGE_BYTES = (8_000, 1_000_000)
PUSH_BYTES = (4_000, 1_000_000)
CHUNK_BYTES = (16_000, 1_000_000)
PATIENCE_SECONDS = (25.0, 300.0)
UNKNOWN_RATE = 2_000
SMALL = 4_000
"""What is smaller tells how long the way is, not how wide."""

NEWEST = 0.4
"""The share of the newest measurement in the running mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Bytes a second, up as they leave and down as unpacked, and the round trip; None: not measured yet."""

    up: float | None = None
    down: float | None = None
    round_trip: float | None = None

    @property
    def page_bytes(self) -> int:
        """What to ask for at a time; 0, as the server likes, before anything is known."""
        return self._piece(self.down, PAGE_BYTES) if self.down else 0

    @property
    def push_bytes(self) -> int:
        """How much JSON of commands to send at a time."""
        return self._piece(self.up, PUSH_BYTES) if self.up else PUSH_BYTES[1]

    @property
    def chunk_bytes(self) -> int:
        """How much of a photo to send at a time; small before anything is known."""
        return self._piece(self.up, CHUNK_BYTES) if self.up else 4 * CHUNK_BYTES[0]

    def patience_seconds(self, sending: int, expecting: int = 0) -> float:
        """When to stop waiting for an answer of so many bytes, unpacked, to a request of so many."""
        least, most = PATIENCE_SECONDS
        way = 4 * (self.round_trip or 0)
        up = 3 * sending / self.up if self.up else sending / UNKNOWN_RATE
        down = 3 * expecting / self.down if self.down else 0
        return min(max(least, least / 2 + way + up + down), most)

    def measured(self, *, sent: int, received: int, seconds: float) -> Link:
        """After an answer of `received` bytes (unpacked) to `sent` bytes, `seconds` later."""
        if seconds <= 0:
            return self
        if sent <= SMALL and received <= SMALL:
            # Lost packets and new connections make it longer, never shorter: the shortest is the way itself.
            return replace(self, round_trip=min(_mean(self.round_trip, seconds), seconds))
        moving = max(seconds - (self.round_trip or 0), seconds / 4, 0.001)
        if sent > received:
            return replace(self, up=_mean(self.up, sent / moving))
        return replace(self, down=_mean(self.down, received / moving))

    def lost(self, sent: int, *, late: bool = False) -> Link:
        """Nothing came back: the next pieces are half as large, since smaller ones get through.

        `late`: nothing had come when the patience ended, so a line that was never measured is a slow one;
        else the first page, as large as the server likes, would be asked for again and again in vain.
        Never below what the smallest piece needs: a rate that nothing large has measured anew would go on
        falling, and with it rise the time that a dead line is waited for.
        """
        unknown = UNKNOWN_RATE if late else None
        up = _halved(self.up or unknown, CHUNK_BYTES) if sent > SMALL else self.up
        return replace(self, up=up, down=_halved(self.down or unknown, PAGE_BYTES))

    def as_text(self) -> str:
        return " ".join(
            "-" if value is None else f"{value:.4g}" for value in (self.up, self.down, self.round_trip)
        )

    @classmethod
    def from_text(cls, text: str | None) -> Link:
        """What `as_text` wrote; anything else is a fresh start."""
        try:
            up, down, round_trip = (None if part == "-" else float(part) for part in (text or "").split())
        except ValueError:
            return cls()
        return cls(up=up, down=down, round_trip=round_trip)

    def _piece(self, rate: float, limits: tuple[int, int]) -> int:
        least, most = limits
        seconds = max(SECONDS_A_PIECE, ROUND_TRIPS_A_PIECE * (self.round_trip or 0))
        seconds = min(seconds, SECONDS_A_PIECE_MAX)
        return min(max(least, round(rate * seconds)), most)


def _halved(rate: float | None, limits: tuple[int, int]) -> float | None:
    if rate is None:
        return None
    return min(rate, max(rate / 2, limits[0] / SECONDS_A_PIECE))


def _mean(before: float | None, newest: float) -> float:
    return newest if before is None else (1 - NEWEST) * before + NEWEST * newest
