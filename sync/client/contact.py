"""One request to the server at a time: signed, measured, and given up when the network won't bring it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sync.client.messages import Answered, Heard, Refused
from sync.client.records import Counts
from sync.client.replies import read_sync
from sync.client.request import wire
from sync.client.store import ClientStore
from sync.client.transport import Answer, NoNetwork, Transport
from sync.client.uploads import Ask
from sync.protocol import PROTOCOL, PROTOCOL_MIN, PushedCommand, SyncRequest, UnsentItem

LATE = "The server did not answer in time."


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the driver asks the device.

    `monotonic`: seconds, for durations. `steady_ms` counts while the device sleeps too, and nobody can set
    it; None where there is no such clock. `boot` names the run it counts in. `storage_left` is in bytes, None
    where the device does not say. `photos_may_go`: whether the present network is one for photos.
    `supply_wanted`: whether to ask who else has parts.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    steady_ms: Callable[[], int | None]
    entropy: Callable[[int], bytes]
    boot: str
    app_version: str
    storage_left: Callable[[], int | None]
    photos_may_go: Callable[[], bool] = lambda: True
    supply_wanted: Callable[[], bool] = lambda: False


class Contact:
    """The way to the server. `link` is what the network could do lately."""

    def __init__(self, store: ClientStore, transport: Transport, around: Surroundings) -> None:
        self._store = store
        self._transport = transport
        self._around = around
        self._protocol = PROTOCOL
        self._told: dict[str, tuple[UnsentItem, ...]] = {}  # token → what the server was told is left here
        self.link = store.link

    def asking(self, token: str, wait_seconds: int = 0, page_bytes: int = 0) -> Ask:
        """Requests with this token, as long as the network needs for them and answers of so many bytes."""

        async def ask(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
            signed = {"Authorization": f"Bearer {token}", **headers}
            started = self._around.monotonic()
            patience = self.link.patience_seconds(len(body), page_bytes)
            try:
                async with asyncio.timeout(patience + wait_seconds):
                    answer = await self._transport.request(method, path, headers=signed, body=body)
            except NoNetwork:
                self.link = self.link.lost(len(body))
                raise
            except TimeoutError as error:
                self.link = self.link.lost(len(body), late=True)
                raise NoNetwork(LATE) from error
            if not wait_seconds:
                seconds = self._around.monotonic() - started
                self.link = self.link.measured(sent=len(body), received=len(answer.body), seconds=seconds)
            return answer

        return ask

    async def sync(
        self,
        token: str,
        commands: Sequence[PushedCommand],
        *,
        cursor: str | None = None,
        wait_seconds: int = 0,
        whose: UUID | None = None,
    ) -> Answered:
        """One POST /sync. `whose`: another's than the present technician's."""
        message = await self._sync(token, commands, cursor, wait_seconds, whose)
        while (
            isinstance(message, Refused) and message.slug == "newer-schema" and self._protocol > PROTOCOL_MIN
        ):
            self._protocol -= 1  # a server that is not as far: it reads what it knows of the request
            message = await self._sync(token, commands, cursor, wait_seconds, whose)
        return message

    async def _sync(
        self,
        token: str,
        commands: Sequence[PushedCommand],
        cursor: str | None,
        wait_seconds: int,
        whose: UUID | None,
    ) -> Answered:
        around, counts = self._around, self._store.counts(whose)
        page_bytes = 1 if whose else self.link.page_bytes  # another's rows are not wanted
        left = self._left(counts, commands, whose)
        request = SyncRequest(
            protocol=self._protocol,
            app_version=around.app_version,
            device_now=around.now(),
            queue_length=counts.unsent_commands + counts.confirming,
            cursor=cursor,
            commands=tuple(commands),
            device_mono_ms=around.steady_ms(),
            boot=around.boot,
            hlc=self._store.hlc,
            page_bytes=page_bytes,
            wait_seconds=wait_seconds,
            unsent_photos=counts.unsent_photos + counts.rechecking,
            oldest_unsent_at=counts.oldest_unsent_at,
            storage_left_bytes=around.storage_left(),
            photos_wait=bool(counts.unsent_photos) and not around.photos_may_go(),
            supply_wanted=whose is None and around.supply_wanted(),
            unsent=None if left == self._told.get(token, ()) else left,
        )
        body, headers = wire(request)
        ask = self.asking(token, wait_seconds, page_bytes)
        message = read_sync(await ask("POST", "/sync", headers, body))
        if isinstance(message, Heard):
            self._told[token] = left
        return message

    def _left(
        self, counts: Counts, commands: Sequence[PushedCommand], whose: UUID | None
    ) -> tuple[UnsentItem, ...]:
        """What stays here although this request gets through."""
        waiting = counts.unsent_commands + counts.confirming > len(commands)
        if not (waiting or counts.unsent_photos or counts.rechecking):
            return ()
        return self._store.unsent_items(whose, after=commands[-1].seq if commands else 0)
