"""What happened, in order: hashed as a whole, kept as lines to read."""

from __future__ import annotations

from collections import Counter, deque
from hashlib import blake2b

LINES_KEPT = 4_000


class Trace:
    """One line a happening. Two runs are the same when their hashes are."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=16)
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)
        self.counts: Counter[str] = Counter()

    def add(self, at: float, who: str, what: str, *details: object) -> None:
        line = f"{at:12.3f} {who:<12} {what} {' '.join(map(str, details))}".rstrip()
        self._hash.update(line.encode())
        self.lines.append(line)
        self.counts[what] += 1

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()
