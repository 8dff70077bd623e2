"""Sends what is kept of those who had this device before: under their own name, with their own token."""

from __future__ import annotations

from dataclasses import dataclass

from sync.client.contact import Contact
from sync.client.messages import Advanced, BadBytes, Heard, Message, Offered, Refused
from sync.client.records import Registration
from sync.client.store import ClientStore
from sync.client.uploads import Ask, Uploader
from sync.protocol import COMMANDS_PER_PUSH_MAX

STEPS_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Courier:
    store: ClientStore
    uploader: Uploader
    contact: Contact

    async def send_all(self, *, photos: bool = True) -> int:
        """Send what can be sent; what can't stays here. Returns how many commands were answered.

        Raises NoNetwork, NotSaved.
        """
        return sum([await self._send(owner, photos) for owner in self.store.asides()])

    async def _send(self, owner: Registration, photos: bool) -> int:
        whose, answered = owner.technician_id, 0
        while entries := self.store.due(COMMANDS_PER_PUSH_MAX, whose=whose):
            message = await self.contact.sync(owner.token, entries, whose=whose)
            if not isinstance(message, Heard):
                self._refused(owner, message)
                return answered
            self.store.apply_aside(whose, message.response.receipts, message.response.missing_evidence)
            if not message.response.receipts:
                return answered
            answered += len(message.response.receipts)
        if photos and await self._carry(owner):
            # Only an answer proves that the bytes came.
            message = await self.contact.sync(owner.token, [], whose=whose)
            if isinstance(message, Heard):
                self.store.apply_aside(whose, (), message.response.missing_evidence)
            self._refused(owner, message)
        return answered

    async def _carry(self, owner: Registration) -> bool:
        """Upload this technician's files; True when there were any and all were taken."""
        digests = self.store.shelf.ready(str(owner.technician_id))
        for digest in digests:
            if not await self._whole(digest, self.contact.asking(owner.token)):
                return False
        return bool(digests)

    async def _whole(self, digest: str, ask: Ask) -> bool:
        for _ in range(STEPS_MAX):
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

    def _refused(self, owner: Registration, message: Message) -> None:
        wiped = isinstance(message, Refused) and message.slug == "wipe-device"
        if wiped and owner in self.store.asides():  # not back on this device meanwhile
            self.store.give_up_aside(owner.technician_id)
