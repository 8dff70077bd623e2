"""Carries out what the engine says: the only place of the client that talks and stores."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from shared import clocks
from shared.problems import Malformed
from sync.client import messages
from sync.client.aside import Courier
from sync.client.contact import Contact, Surroundings
from sync.client.engine import Doing, State, step
from sync.client.messages import Effect, Heard, Hush, Listen, Message, Wake
from sync.client.records import NotSaved
from sync.client.replies import HALF_AN_ANSWER, problem_in
from sync.client.report import SyncReport, Tally
from sync.client.store import ClientStore
from sync.client.transport import NoNetwork, Transport
from sync.client.uploads import Uploader
from sync.protocol import SyncResponse

ERASED = "The office erased this device. To use it again, ask dispatch for a code"
UNREGISTERED = "Register this device first"
HANDED_ON = "This device was registered anew meanwhile"
REST_TRIES = 3


T = TypeVar("T")


class Driver:
    """One device's conversation with the server.

    `stored` is called when rows or receipts have changed, `changed` after every change worth showing.
    """

    def __init__(
        self,
        store: ClientStore,
        transport: Transport,
        around: Surroundings,
        *,
        stored: Callable[[], None],
        changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._around = around
        self._contact = Contact(store, transport, around)
        self._stored = stored
        self._changed = changed
        self._uploader = Uploader(store.shelf, lambda: self._contact.link.chunk_bytes)
        self._courier = Courier(
            store=store,
            uploader=self._uploader,
            contact=self._contact,
            sleep=around.sleep,
            photos_may_go=around.photos_may_go,
        )
        self._asked_as: UUID | None = None
        self._exchange: _Exchange | None = None
        self._running: asyncio.Future[SyncReport] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: asyncio.Future[Any] | None = None
        self._interruption: Message | None = None
        self._woken = False
        self._pushed_up_to = 0
        self._carried = 0
        self._not_before = 0.0
        self.state = State()
        self.in_flight: frozenset[UUID] = frozenset()
        self.retry_in_seconds: float | None = None

    @property
    def syncing(self) -> bool:
        return self.state.doing not in (Doing.NOTHING, Doing.WAITING)

    @property
    def waiting(self) -> bool:
        """Whether the server holds an answer back for us until there is news."""
        return self.state.doing is Doing.WAITING

    async def run(self, listen_seconds: int = 0) -> SyncReport:
        """Talk until all is said. A call during a run asks it for one more round, and shares its report.

        With `listen_seconds` there is nothing to say: the server may wait so long until it has news.
        """
        if self._running:
            if not listen_seconds:
                self._tell_engine(Wake())
            return await asyncio.shield(self._running)
        self._loop = asyncio.get_running_loop()
        self._running = self._loop.create_future()
        self._interruption, self._woken = None, False
        try:
            report = await self._converse(Listen(listen_seconds) if listen_seconds else Wake())
            self._running.set_result(report)
            return report
        finally:
            if not self._running.done():  # cancelled, or a bug: those who wait must not hang
                self._running.set_result(SyncReport(drained=False, online=bool(self.state.online)))
            self._running = None
            if self.state.doing is not Doing.NOTHING:
                self.state = State(online=self.state.online, batch=self.state.batch, turn=self.state.turn + 1)
            self.in_flight = frozenset()
            self._changed()

    def interrupt(self, message: Wake | Hush) -> None:
        """Somebody tapped, or nobody looks any more. From any thread; without a run it does nothing."""
        if self._running and self._loop:
            self._loop.call_soon_threadsafe(self._tell_engine, message)

    def _tell_engine(self, message: Wake | Hush) -> None:
        if self.waiting:
            self._interruption = message  # the request is abandoned, and the engine hears why
            if self._waiting:
                self._waiting.cancel()
        elif self._running and self.state.doing is not Doing.NOTHING:
            self.state, _ = step(self.state, message)
        elif self._running and isinstance(message, Wake):
            self._woken = True  # while the work of others is sent

    async def _converse(self, first: Message) -> SyncReport:
        tally = Tally()
        store = self._store
        if store.registration is None:
            await self._confirm_wipe()
            return tally.report(self.state, store.counts(), problem=store.refusal or UNREGISTERED)
        if (left := self._not_before - self._around.monotonic()) > 0:
            self.retry_in_seconds = left
            return self._report(tally, retry=left, at_least=left)
        self.retry_in_seconds = None
        at_least = 0.0
        inbox: deque[Message] = deque([first])
        while inbox:
            self.state, effects = step(self.state, inbox.popleft())
            self._changed()
            for effect in effects:
                if isinstance(effect, messages.Retry):
                    at_least = effect.at_least
                if (answer := await self._carry_out(effect, tally)) is not None:
                    inbox.append(answer)
            if not inbox and self.state.trouble is None and self.retry_in_seconds is None:
                tally.aside += await self._courier.send_all(self._is_wanted)
                if self._is_wanted():
                    self._woken = False
                    inbox.append(Wake())
        return self._report(tally, retry=self.retry_in_seconds, at_least=at_least)

    def _report(self, tally: Tally, *, retry: float | None, at_least: float) -> SyncReport:
        withheld = 0 if self._around.photos_may_go() else self._store.photos_left()
        counts = self._store.counts()
        return tally.report(self.state, counts, retry=retry, at_least=at_least, withheld=withheld)

    def _is_wanted(self) -> bool:
        """Whether the present technician has something to say or to hear: the work of others waits then."""
        return self._woken or self._handed_on() or bool(self._store.due(1))

    async def _carry_out(self, effect: Effect, tally: Tally) -> Message | None:
        try:
            match effect:
                case messages.Talk():
                    tally.rounds += 1
                    return await self._talk(effect)
                case messages.Store(response):
                    return self._keep(response, tally)
                case messages.Upload(digest):
                    return await self._upload(digest)
                case messages.MarkOffered(digest):
                    self._store.mark_offered(digest)
                    tally.photos += 1
                case messages.CountRefusal(digest, detail):
                    self._store.count_refusal(digest, detail)
                case messages.KeepRefusal(detail):
                    self._store.keep_refusal(detail)
                case messages.Wipe():
                    tally.aside += await self._send_last()
                    if self._handed_on():  # what the order was for is kept aside now, and gets it there
                        return Wake()
                    await self._wipe()
                case messages.Retry(seconds, at_least):
                    # Up to a quarter more: vans that lost the server together shall not return together.
                    self.retry_in_seconds = seconds * (1 + self._around.entropy(1)[0] / 1024)
                    self._not_before = self._around.monotonic() + at_least if at_least else 0.0
        except NoNetwork as error:
            return messages.Lost(error.detail)
        except NotSaved as problem:
            return messages.NotStored(problem.detail)
        return None

    async def _talk(self, talk: messages.Talk) -> Message:
        registration = self._store.registration
        if registration is None:
            return messages.Refused(401, UNREGISTERED)
        self._asked_as = registration.device_id
        commands = self._store.due(talk.limit, bytes_max=self._contact.link.push_bytes)
        self._pushed_up_to = commands[-1].seq if commands else self._store.newest_due()
        self._carried = commands[-1].seq if commands else 0
        self.in_flight = frozenset(command.id for command in commands)
        if self.in_flight:
            self._changed()
        cursor = self._store.cursor
        sent_at, sent_ms = self._around.now(), self._around.steady_ms()
        asked = self._contact.sync(
            registration.token, commands, cursor=cursor, wait_seconds=talk.wait_seconds
        )
        try:
            found = await self._interruptible(asked) if talk.wait_seconds else await asked
            if not isinstance(found, messages.Answered):
                return found
            message = found
            older = self._store.token_before
            if isinstance(message, messages.Refused) and message.slug == "sign-in-needed" and older:
                # A server that was restored from a backup has not heard of the newest token.
                again = await self._contact.sync(older, commands, cursor=cursor)
                if isinstance(again, Heard) and not self._handed_on():
                    self._store.step_back(older)
                    message = again
        finally:
            self.in_flight = frozenset()
        if self._handed_on():
            return messages.Lost(HANDED_ON, talk.turn)
        if isinstance(message, Heard):
            received_at, received_ms = self._around.now(), self._around.steady_ms()
            if talk.wait_seconds:  # the server looked at its clock at the end
                midway, midway_ms = received_at, received_ms
            else:
                midway, midway_ms = sent_at + (received_at - sent_at) / 2, sent_ms
                if sent_ms is not None and received_ms is not None:
                    midway_ms = (sent_ms + received_ms) // 2
            self._exchange = _Exchange(
                pushed=len(commands),
                received_at=received_at,
                clocks=clocks.Contact(
                    device_now=midway,
                    server_now=message.response.server_now,
                    mono_ms=midway_ms,
                    boot=self._around.boot,
                ),
                cursor=cursor,
            )
        return replace(message, turn=talk.turn)

    def _handed_on(self) -> bool:
        """Whether this is another registration's device than at the last request of the conversation.

        What is under way then was for another: its answer, its photos, an order to erase.
        """
        registration = self._store.registration
        return registration is None or registration.device_id != self._asked_as

    async def _interruptible(self, request: Coroutine[Any, Any, T]) -> T | Message:
        """A request that a tap ends; then the tap is what is returned."""
        self._waiting = waiting = asyncio.ensure_future(request)
        if self._interruption:
            waiting.cancel()
        try:
            return await waiting
        except asyncio.CancelledError:
            message, self._interruption = self._interruption, None
            task = asyncio.current_task()
            if message is None or (task and task.cancelling()):
                raise
            return message
        finally:
            waiting.cancel()
            self._waiting = None

    def _keep(self, response: SyncResponse, tally: Tally) -> Message:
        exchange = self._exchange
        assert exchange is not None, "an answer is stored right after it was heard"
        if self._handed_on() or self._store.cursor != exchange.cursor:
            return messages.NotStored(HANDED_ON)
        try:
            applied = self._store.apply(
                response,
                received_at=exchange.received_at,
                contact=exchange.clocks,
                hlc=clocks.merge(self._store.hlc, response.hlc, unix_ms(exchange.received_at)),
                link=self._contact.link,
                photos=self._around.photos_may_go(),
            )
        except Malformed as problem:
            return messages.NotStored(f"{HALF_AN_ANSWER} ({problem.detail})")
        finally:
            self._stored()
        tally.add(applied)
        return messages.Stored(
            more=applied.more,
            moved=applied.moved,
            pushed=exchange.pushed,
            answered=applied.accepted + applied.held,
            unsent=applied.unsent,
            uploads=applied.uploads,
        )

    async def _upload(self, digest: str) -> Message:
        registration = self._store.registration
        if registration is None or self._handed_on():
            return messages.Lost(HANDED_ON)
        if not self._around.photos_may_go() and self._store.shelf.is_photo(digest):
            return messages.Withheld()  # the network is another one by now
        message = await self._uploader.step(digest, self._contact.asking(registration.token))
        if self._handed_on():
            return messages.Lost(HANDED_ON)
        if isinstance(message, messages.Advanced):
            return replace(message, fresh=self._store.newest_due() > self._pushed_up_to)
        return message

    async def _send_last(self) -> int:
        """Before an erasure: what others did with this device, and what waits of the present technician.

        The request that met the order did not carry all of it. Nobody waits for a server that takes nothing.
        """
        aside = await self._courier.send_all(self._handed_on, photos=False, tries=REST_TRIES)
        if (registration := self._store.registration) and not self._handed_on():
            await self._courier.push(
                registration.token,
                lambda _heard: None,  # it is erased at once: the receipts are not kept
                self._handed_on,
                after=self._carried,
                tries=REST_TRIES,
            )
        return aside

    async def _wipe(self) -> None:
        try:
            self._store.wipe(ERASED)
        finally:
            self._stored()
        self.state = State(online=True, trouble=ERASED, turn=self.state.turn + 1)
        await self._confirm_wipe()

    async def _confirm_wipe(self) -> None:
        """Tell the office, with the last that is left: the token. Until it is known there, again."""
        if token := self._store.wiped_token:
            with contextlib.suppress(NoNetwork, NotSaved):
                answer = await self._contact.asking(token)("POST", "/api/devices/wiped", {})
                refused = problem_in(answer) and answer.status < 500 and answer.status != 429
                if answer.status == 204 or refused:  # a captive portal says yes to anything
                    self._store.told_of_wipe()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exchange:
    """The last request that was answered. `clocks`: all of them, when the server looked at its own.

    `cursor` as it was when it was sent: an answer to another question is not kept.
    """

    pushed: int
    received_at: datetime
    clocks: clocks.Contact
    cursor: str | None


def unix_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
