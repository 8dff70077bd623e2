"""What one conversation with the server came to."""

from __future__ import annotations

from dataclasses import dataclass

from sync.client.engine import State
from sync.client.records import Applied, Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What one call of `sync` did. `drained`: nothing is left to send by this network, and nothing to fetch.

    `retry_in_seconds`: when to call again by itself; None when there is no need, or a person must act first.
    `not_before_seconds`: the server asked to be left alone for so long.
    `aside`: commands of those who had the device before, answered now.
    """

    drained: bool
    online: bool
    rounds: int = 0
    accepted: int = 0
    held: int = 0
    rows: int = 0
    gone: int = 0
    photos: int = 0
    aside: int = 0
    problem: str | None = None
    retry_in_seconds: float | None = None
    not_before_seconds: float = 0.0

    @property
    def brought_news(self) -> bool:
        return bool(self.accepted or self.held or self.rows or self.gone)


@dataclass(slots=True)
class Tally:
    """Counts while a conversation lasts."""

    rounds: int = 0
    accepted: int = 0
    held: int = 0
    rows: int = 0
    gone: int = 0
    photos: int = 0
    aside: int = 0

    def add(self, applied: Applied) -> None:
        self.accepted += applied.accepted
        self.held += applied.held
        self.rows += applied.rows
        self.gone += applied.gone

    def report(
        self,
        state: State,
        counts: Counts,
        *,
        problem: str | None = None,
        retry: float | None = None,
        at_least: float = 0.0,
        withheld: int = 0,
    ) -> SyncReport:
        """`withheld`: photos that wait for another network, and for nothing that can be done now."""
        problem = problem or state.trouble
        photos = counts.unsent_photos - withheld
        waits = counts.unsent_commands or photos or counts.confirming or counts.rechecking
        return SyncReport(
            drained=problem is None and retry is None and not waits,
            online=bool(state.online),
            rounds=self.rounds,
            accepted=self.accepted,
            held=self.held,
            rows=self.rows,
            gone=self.gone,
            photos=self.photos,
            aside=self.aside,
            problem=problem,
            retry_in_seconds=retry,
            not_before_seconds=at_least,
        )
