"""What the screen offers after a scan."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Literal

from mobile.gateway import ScanVerdict


class Offer(Enum):
    """What one may do with what was scanned."""

    INSTALL = "install"
    CONFIRM = "confirm"
    REMOVE = "remove"
    NOTHING = "nothing"


def offer(verdict: ScanVerdict) -> Offer:
    if verdict.may_install:
        return Offer.INSTALL
    if verdict.may_remove:
        return Offer.REMOVE
    return Offer.CONFIRM if verdict.may_confirm else Offer.NOTHING


def mood_of(verdict: ScanVerdict) -> Literal["good", "warn", "bad"]:
    match offer(verdict):
        case Offer.INSTALL | Offer.REMOVE:
            return "warn" if verdict.warnings else "good"
        case Offer.CONFIRM:
            return "warn"
        case Offer.NOTHING:
            return "bad"


def best_verdict(verdicts: Sequence[ScanVerdict]) -> ScanVerdict | None:
    """A label bears several codes: the one that leads furthest, None without any."""
    ranks = [Offer.INSTALL, Offer.REMOVE, Offer.CONFIRM, Offer.NOTHING]
    return min(verdicts, key=lambda verdict: ranks.index(offer(verdict)), default=None)
