"""Sends what is kept of those who had this device before: under their own name, with their own token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from sync.client.contact import Contact
from sync.client.engine import STUMBLED
from sync.client.messages import Advanced, Answered, BadBytes, Garbled, Heard, Lost, Message, Offered, Refused
from sync.client.records import NotSaved, Registration
from sync.client.store import ClientStore
from sync.client.transport import NoNetwork
from sync.client.uploads import Ask, Uploader
from sync.protocol import COMMANDS_PER_PUSH_MAX

STEPS_MAX = 10_000
PAUSE_SECONDS_MAX = 60.0
"""Between two tries, whatever the server asks for: an order to erase can't wait for an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Courier:
    store: ClientStore
    uploader: Uploader
    contact: Contact
    sleep: Callable[[float], Awaitable[None]]
    photos_may_go: Callable[[], bool] = lambda: True

    async def send_all(self, until: Callable[[], bool], *, photos: bool = True, tries: int = 1) -> int:
        """Send what can be sent; what can't stays here. Returns how many commands were answered.

        `until` is asked before each request, and ends it.
        """
        answered = 0
        for owner in self.store.asides():
            try:
                answered += await self._send(owner, until, photos, tries)
            except (NoNetwork, NotSaved):
                continue  # the next one's may fare better
        return answered

    async def _send(self, owner: Registration, until: Callable[[], bool], photos: bool, tries: int) -> int:
        whose, answered = owner.technician_id, 0

        def take_in(heard: Heard) -> None:
            nonlocal answered
            self.store.apply_aside(whose, heard.response.receipts, heard.response.missing_evidence)
            answered += len(heard.response.receipts)

        last = await self.push(owner.token, take_in, until, whose=whose, tries=tries)
        if photos and (last is None or isinstance(last, Heard)) and await self._carry(owner, until):
            # Only an answer proves that the bytes came.
            last = await self.contact.sync(owner.token, [], whose=whose)
            if isinstance(last, Heard):
                take_in(last)
        if _orders_wipe(last) and owner in self.store.asides():  # not back on this device meanwhile
            self.store.give_up_aside(whose)
        return answered

    async def push(
        self,
        token: str,
        take_in: Callable[[Heard], None],
        until: Callable[[], bool],
        *,
        whose: UUID | None = None,
        after: int = 0,
        tries: int = 1,
    ) -> Answered | None:
        """Push all that is due behind `after`, each entry once. Returns the last answer, None without one.

        An order to erase is an answer too: the server has taken the work into quarantine. After a failure
        again, later, and less at a time; what the server stumbles over alone is passed over.
        """
        last: Answered | None = None
        limit, pause = COMMANDS_PER_PUSH_MAX, 1.0
        while not until() and (commands := self.store.due(limit, after=after, whose=whose)):
            try:
                last = await self.contact.sync(token, commands, whose=whose)
            except NoNetwork as error:
                last = Lost(error.detail)
            if isinstance(last, Heard) or _orders_wipe(last):
                after = commands[-1].seq
                if isinstance(last, Heard):
                    take_in(last)
                continue
            if isinstance(last, Refused | Garbled) and last.status in STUMBLED:
                if len(commands) > 1:
                    limit = len(commands) // 2
                    continue
                after = commands[-1].seq
            tries -= 1
            if not tries:
                break
            asked = 0.0 if isinstance(last, Lost) else last.wait_seconds
            await self.sleep(min(max(pause, asked), PAUSE_SECONDS_MAX))
            pause *= 2
        return last

    async def _carry(self, owner: Registration, until: Callable[[], bool]) -> bool:
        """Upload this technician's files; True when all were taken, now or before, and must be confirmed."""
        shelf, whose = self.store.shelf, str(owner.technician_id)
        for digest in shelf.ready(whose, photos=self.photos_may_go()):
            if not await self._whole(digest, self.contact.asking(owner.token), until):
                return False
        kept_back = 0 if self.photos_may_go() else shelf.count_photos(whose)
        return shelf.count(whose)[0] > kept_back and not until()

    async def _whole(self, digest: str, ask: Ask, until: Callable[[], bool]) -> bool:
        for _ in range(STEPS_MAX):
            if until():
                return False
            match await self.uploader.step(digest, ask):
                case Advanced():
                    continue
                case Offered():
                    self.store.mark_offered(digest)
                    return True
                case BadBytes(detail=detail):
                    self.store.count_refusal(digest, detail)
                    return True
                case _:
                    return False
        return False


def _orders_wipe(message: Message | None) -> bool:
    return isinstance(message, Refused) and message.slug == "wipe-device"
