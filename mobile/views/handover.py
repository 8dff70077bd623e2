"""What two phones show each other when stock goes from van to van. Pure: text in, values out.

A text is JSON in a QR code, short enough to be read from another phone's screen, and can be pasted as well.
What it says is in shared/transfers.py.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from mobile import words
from shared.problems import BadValue
from shared.stock_commands import HandOver, TakeOver
from shared.transfers import HandedDevice, Offer, Transfer, seal_offer, seal_taken
from shared.work_orders import PartLine

OFFER, ANSWER = "TR-offer-1", "TR-answer-1"
TEXT_BYTES_MAX = 1_000
"""A QR code with more can't be read from a phone's screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """An offer as it was read from the giver's screen, or kept on it. `giver`: their name, to be shown."""

    offer: Offer
    seal: str
    giver: str

    def as_text(self) -> str:
        offer = self.offer
        return _text(
            [
                OFFER,
                _short(offer.id),
                _short(offer.giver_id),
                _short(offer.giver_van_id),
                int(offer.offered_at.timestamp()),
                [[line.sku, line.quantity] for line in offer.lines],
                [[device.serial, device.sku] for device in offer.devices],
                self.seal,
                self.giver,
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the taker's screen says to an offer. Its devices are named by their place in the offer."""

    offer_id: UUID
    taker_id: UUID
    taker_van_id: UUID
    lines: tuple[PartLine, ...]
    devices: tuple[int, ...]
    seal: str
    taker: str

    def as_text(self) -> str:
        return _text(
            [
                ANSWER,
                _short(self.offer_id),
                _short(self.taker_id),
                _short(self.taker_van_id),
                [[line.sku, line.quantity] for line in self.lines],
                list(self.devices),
                self.seal,
                self.taker,
            ]
        )


def held_out(offer: Offer, key: str, giver: str) -> HeldOut:
    """Seal an offer. Raises BadValue when there is more in it than a QR code holds."""
    made = HeldOut(offer=offer, seal=seal_offer(key, offer), giver=giver)
    if len(made.as_text().encode()) > TEXT_BYTES_MAX:
        raise BadValue(words.TOO_MUCH_AT_ONCE, field="lines")
    return made


def taken(held: HeldOut, transfer: Transfer, key: str) -> TakeOver:
    """The taker's half: `transfer` is of this offer."""
    return TakeOver(transfer=transfer, giver_seal=held.seal, taker_seal=seal_taken(key, transfer, held.seal))


def answer_of(command: TakeOver, taker: str) -> Answered:
    """What the giver's phone must read, from the command that is in the taker's queue."""
    transfer = command.transfer
    offered = transfer.offer.devices
    return Answered(
        offer_id=transfer.id,
        taker_id=transfer.taker_id,
        taker_van_id=transfer.taker_van_id,
        lines=transfer.lines,
        devices=tuple(offered.index(device) for device in transfer.devices),
        seal=command.taker_seal,
        taker=taker,
    )


def given(held: HeldOut, answer: Answered) -> HandOver:
    """The giver's half. Raises BadValue when the answer is to another offer."""
    offer = held.offer
    if answer.offer_id != offer.id or any(not 0 <= place < len(offer.devices) for place in answer.devices):
        raise BadValue(words.ANSWERS_ANOTHER, field="answer")
    transfer = Transfer(
        offer=offer,
        taker_id=answer.taker_id,
        taker_van_id=answer.taker_van_id,
        lines=answer.lines,
        devices=tuple(offer.devices[place] for place in answer.devices),
    )
    return HandOver(transfer=transfer, giver_seal=held.seal, taker_seal=answer.seal)


def read_offer(text: str) -> HeldOut:
    """Raises BadValue for whatever is no offer."""
    found = _read(text, OFFER, words.NO_OFFER)
    try:
        _, id, giver_id, van_id, seconds, lines, devices, seal, giver = found
        return HeldOut(
            offer=Offer(
                id=_long(id),
                giver_id=_long(giver_id),
                giver_van_id=_long(van_id),
                offered_at=datetime.fromtimestamp(int(seconds), UTC),
                lines=_lines(lines),
                devices=tuple(HandedDevice(serial=str(serial), sku=str(sku)) for serial, sku in devices),
            ),
            seal=str(seal),
            giver=str(giver),
        )
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise BadValue(words.NO_OFFER, field="offer") from error


def read_answer(text: str) -> Answered:
    """Raises BadValue for whatever is no answer."""
    found = _read(text, ANSWER, words.NO_ANSWER)
    try:
        _, offer_id, taker_id, van_id, lines, devices, seal, taker = found
        return Answered(
            offer_id=_long(offer_id),
            taker_id=_long(taker_id),
            taker_van_id=_long(van_id),
            lines=_lines(lines),
            devices=tuple(int(place) for place in devices),
            seal=str(seal),
            taker=str(taker),
        )
    except (ValueError, TypeError) as error:
        raise BadValue(words.NO_ANSWER, field="answer") from error


def _lines(found: Any) -> tuple[PartLine, ...]:
    return tuple(PartLine(sku=str(sku), quantity=int(quantity)) for sku, quantity in found)


def _read(text: str, kind: str, refusal: str) -> list[Any]:
    try:
        found = json.loads(text.strip())
    except ValueError as error:
        raise BadValue(refusal, field="code") from error
    if not isinstance(found, list) or not found or found[0] != kind:
        raise BadValue(refusal, field="code")
    return found


def _text(said: list[Any]) -> str:
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False)


def _short(id: UUID) -> str:
    return base64.urlsafe_b64encode(id.bytes).rstrip(b"=").decode()


def _long(text: Any) -> UUID:
    return UUID(bytes=base64.urlsafe_b64decode(f"{text}=="))
