"""A device that can be switched off and on, for tests of the client."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from fake_server import Network, counted_entropy

from mobile.gateway import Gateway
from sync.client.store import ClientStore


class Phone:
    """Each `start` opens the file anew. `seconds` is the clock that nobody can set; None: it has none.

    It never waits: `pauses` are what it would have waited between two tries.
    """

    def __init__(
        self,
        path: Path,
        network: Network,
        clock: Callable[[], object],
        seconds: Callable[[], float] | None = None,
    ) -> None:
        self.path, self.network, self.clock, self.seconds = path, network, clock, seconds
        self.entropy = counted_entropy()
        self.connection: sqlite3.Connection | None = None
        self.pauses: list[float] = []
        self.metered: bool | None = None  # whether the network is a mobile one

    def start(self) -> Gateway:
        self.stop()
        self.connection = sqlite3.connect(self.path)
        store = ClientStore(self.connection)
        return Gateway(
            store,
            self.network,
            now=self.clock,  # type: ignore[arg-type]
            entropy=self.entropy,
            monotonic=self.seconds,
            sleep=self._sleep,
            metered=lambda: self.metered,
        )

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def stop(self) -> None:
        if self.connection:
            self.connection.close()
