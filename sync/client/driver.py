"""Carries out what the engine says: the only place of the client that talks and stores."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.problems import Malformed
from sync.client import engine
from sync.client.engine import Doing, Effect, Message, State, Wake, step
from sync.client.records import Applied, NotSaved
from sync.client.replies import HALF_AN_ANSWER, read_sync, read_upload
from sync.client.store import ClientStore, pushed
from sync.client.transport import NoNetwork, Transport
from sync.protocol import PROTOCOL, SyncRequest, SyncResponse, encode


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What one call of `sync` did. `drained`: nothing is left to send, and nothing is left to fetch.

    `retry_in_seconds`: when to call again by itself; None when there is no need, or a person must act first.
    """

    drained: bool
    online: bool
    rounds: int = 0
    accepted: int = 0
    held: int = 0
    rows: int = 0
    gone: int = 0
    photos: int = 0
    problem: str | None = None
    retry_in_seconds: float | None = None


class Driver:
    """One device's conversation with the server.

    `stored` is called when rows or receipts have changed, `changed` after every change worth showing.
    """

    def __init__(
        self,
        store: ClientStore,
        transport: Transport,
        *,
        now: Callable[[], datetime],
        entropy: Callable[[int], bytes],
        app_version: str,
        stored: Callable[[], None],
        changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._transport = transport
        self._now = now
        self._entropy = entropy
        self._app_version = app_version
        self._stored = stored
        self._changed = changed
        self._exchange: _Exchange | None = None
        self._running: asyncio.Future[SyncReport] | None = None
        self.state = State()
        self.in_flight: frozenset[UUID] = frozenset()
        self.retry_in_seconds: float | None = None

    @property
    def syncing(self) -> bool:
        return self.state.doing is not Doing.NOTHING

    async def run(self) -> SyncReport:
        """Talk until all is said. A call during a run asks it for one more round, and shares its report."""
        if self._running:
            self.state, _ = step(self.state, Wake())
            return await asyncio.shield(self._running)
        self._running = asyncio.get_running_loop().create_future()
        try:
            report = await self._converse()
            self._running.set_result(report)
            return report
        finally:
            if not self._running.done():  # cancelled, or a bug: those who wait must not hang
                self._running.set_result(SyncReport(drained=False, online=bool(self.state.online)))
            self._running = None
            if self.syncing:
                self.state = State(online=self.state.online, batch=self.state.batch)
            self.in_flight = frozenset()
            self._changed()

    async def _converse(self) -> SyncReport:
        tally = _Tally()
        self.retry_in_seconds = None
        inbox: deque[Message] = deque([Wake()])
        while inbox:
            self.state, effects = step(self.state, inbox.popleft())
            self._changed()
            for effect in effects:
                if (answer := await self._carry_out(effect, tally)) is not None:
                    inbox.append(answer)
        counts = self._store.counts()
        return SyncReport(
            drained=self.state.trouble is None
            and self.retry_in_seconds is None
            and not (counts.unsent_commands or counts.unsent_photos),
            online=bool(self.state.online),
            rounds=tally.rounds,
            accepted=tally.accepted,
            held=tally.held,
            rows=tally.rows,
            gone=tally.gone,
            photos=tally.photos,
            problem=self.state.trouble,
            retry_in_seconds=self.retry_in_seconds,
        )

    async def _carry_out(self, effect: Effect, tally: _Tally) -> Message | None:
        try:
            match effect:
                case engine.Talk(limit):
                    tally.rounds += 1
                    return await self._talk(limit)
                case engine.Store(response):
                    return self._keep(response, tally)
                case engine.Upload(digest):
                    return await self._upload(digest)
                case engine.MarkOffered(digest):
                    self._store.mark_offered(digest)
                    tally.photos += 1
                case engine.CountRefusal(digest, detail):
                    self._store.count_refusal(digest, detail)
                case engine.KeepRefusal(detail):
                    self._store.keep_refusal(detail)
                case engine.Retry(seconds):
                    # Up to a quarter more: vans that lost the server together shall not return together.
                    self.retry_in_seconds = seconds * (1 + self._entropy(1)[0] / 1024)
        except NoNetwork as error:
            return engine.Lost(error.detail)
        except NotSaved as problem:
            return engine.NotStored(problem.detail)
        return None

    async def _talk(self, limit: int) -> Message:
        if (registration := self._store.registration) is None:
            return engine.Refused(401, "Register this device first")
        entries = self._store.unsent(limit)
        sent_at = self._now()
        request = SyncRequest(
            protocol=PROTOCOL,
            app_version=self._app_version,
            device_now=sent_at,
            queue_length=self._store.counts().unsent_commands,
            cursor=self._store.cursor,
            commands=tuple(pushed(entry) for entry in entries),
        )
        self._show_in_flight(entry.id for entry in entries)
        try:
            answer = await self._transport.request(
                "POST",
                "/sync",
                headers={
                    "Authorization": f"Bearer {registration.token}",
                    "Content-Type": "application/json",
                },
                body=encode(request),
            )
        finally:
            self.in_flight = frozenset()
        received_at = self._now()
        self._exchange = _Exchange(
            pushed=len(entries), received_at=received_at, midway=sent_at + (received_at - sent_at) / 2
        )
        return read_sync(answer)

    def _show_in_flight(self, ids: Iterable[UUID]) -> None:
        self.in_flight = frozenset(ids)
        if self.in_flight:
            self._changed()

    def _keep(self, response: SyncResponse, tally: _Tally) -> Message:
        exchange = self._exchange
        assert exchange is not None, "an answer is stored right after it was heard"
        try:
            applied = self._store.apply(
                response,
                received_at=exchange.received_at,
                clock_offset=response.server_now - exchange.midway,
            )
        except Malformed as problem:
            return engine.NotStored(f"{HALF_AN_ANSWER} ({problem.detail})")
        finally:
            self._stored()
        tally.add(applied)
        return engine.Stored(
            more=applied.more,
            moved=applied.moved,
            pushed=exchange.pushed,
            answered=applied.accepted + applied.held,
            unsent=applied.unsent,
            uploads=applied.uploads,
        )

    async def _upload(self, digest: str) -> Message:
        registration, evidence = self._store.registration, self._store.evidence(digest)
        assert registration is not None and evidence is not None, "only what is here is uploaded"
        answer = await self._transport.request(
            "PUT",
            f"/api/attachments/{digest}",
            headers={"Authorization": f"Bearer {registration.token}", "Content-Type": evidence.media_type},
            body=evidence.body,
        )
        return read_upload(answer, digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exchange:
    """The last request that was answered. `midway`: when the server looked at its clock, by the device's."""

    pushed: int
    received_at: datetime
    midway: datetime


@dataclass(slots=True)
class _Tally:
    rounds: int = 0
    accepted: int = 0
    held: int = 0
    rows: int = 0
    gone: int = 0
    photos: int = 0

    def add(self, applied: Applied) -> None:
        self.accepted += applied.accepted
        self.held += applied.held
        self.rows += applied.rows
        self.gone += applied.gone
