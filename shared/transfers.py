"""Stock that goes from one van to another: what is offered, what was agreed, and the seals of both sides.

Neither phone needs the network. The giver's phone seals its offer, the taker's phone seals what it takes of
it, and each of the two commands carries both seals, so the server can book the transfer when the first one
comes (docs/adr/0025-van-to-van-by-two-seals.md).
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.work_orders import PartLine

SEAL_BYTES = 15
"""120 bits of an HMAC with SHA-256, in 20 letters of a QR code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedDevice:
    """A device that changes vans, with its model."""

    serial: str
    sku: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the giver holds out. `offered_at` is by the giver's clock, in whole seconds."""

    id: UUID
    giver_id: UUID
    giver_van_id: UUID
    offered_at: datetime
    lines: tuple[PartLine, ...] = ()
    devices: tuple[HandedDevice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What both agreed on: the `offer`, and what of it the taker has in hand, which may be less."""

    offer: Offer
    taker_id: UUID
    taker_van_id: UUID
    lines: tuple[PartLine, ...] = ()
    devices: tuple[HandedDevice, ...] = ()

    @property
    def id(self) -> UUID:
        return self.offer.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A transfer that was booked, and whose phone has said so: the giver's, the taker's, in time both."""

    transfer: Transfer
    given: bool
    taken: bool


def in_words(lines: tuple[PartLine, ...], devices: tuple[HandedDevice, ...]) -> str:
    """For people: "3 × CONN, ANA0001"."""
    named = [f"{line.quantity} × {line.sku}" for line in lines] + [device.serial for device in devices]
    return ", ".join(named) or "nothing"


def seal_offer(key: str, offer: Offer) -> str:
    """The giver's word. `key`: theirs, that only their phones and the server know."""
    who = [str(offer.id), str(offer.giver_id), str(offer.giver_van_id), f"{offer.offered_at.timestamp():.0f}"]
    return _seal(key, ["offer", *who, *_listed(offer.lines, offer.devices)])


def seal_taken(key: str, transfer: Transfer, giver_seal: str) -> str:
    """The taker's word, on what they take of the very offer that bears `giver_seal`."""
    who = [str(transfer.taker_id), str(transfer.taker_van_id)]
    return _seal(key, ["taken", giver_seal, *who, *_listed(transfer.lines, transfer.devices)])


def _listed(lines: tuple[PartLine, ...], devices: tuple[HandedDevice, ...]) -> list[str]:
    counted = [f"{line.sku}\t{line.quantity}" for line in lines]
    return [str(len(counted)), *counted, *(f"{device.serial}\t{device.sku}" for device in devices)]


def _seal(key: str, said: list[str]) -> str:
    made = hmac.digest(key.encode(), "\n".join(said).encode(), "sha256")[:SEAL_BYTES]
    return base64.urlsafe_b64encode(made).decode()
