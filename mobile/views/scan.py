"""What the screen offers after a scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from mobile import words
from mobile.device.scanner import Tone
from mobile.gateway import ScanVerdict
from mobile.scan_words import DISAGREES
from shared.barcodes.label import Confidence, Label, Reason


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


TONES: dict[str, Tone] = {"good": "yes", "warn": "ask", "bad": "no"}


def tone_of(verdict: ScanVerdict) -> Tone:
    """The same by ear and hand."""
    return TONES[mood_of(verdict)]


def title_of(verdict: ScanVerdict) -> str:
    return words.SCAN_TITLES.get(verdict.kind) or words.VERDICT_TITLES[mood_of(verdict)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow:
    """One field of a label, and how far it is to be believed."""

    name: str
    value: str
    confidence: Confidence
    note: str


def label_rows(label: Label) -> tuple[LabelRow, ...]:
    """What the label says, to be confirmed once; nothing where one code was all there is."""
    rows = tuple(
        LabelRow(
            name=words.LABEL_PARTS[field.part],
            value=field.value,
            confidence=field.confidence,
            note=words.believed(field.confidence, field.reasons),
        )
        for field in label.fields
        if Reason.ONLY_SERIAL not in field.reasons  # it stands in the list as the GPON serial
    )
    return rows if len(rows) > 1 else ()


def best_verdict(verdicts: Sequence[ScanVerdict]) -> ScanVerdict | None:
    """A label bears several codes: the one that leads furthest, None without any.

    Codes that speak of two devices lead nowhere, however well one of them is known.
    """
    ranks = [Offer.INSTALL, Offer.REMOVE, Offer.CONFIRM, Offer.NOTHING]
    disagreeing = [verdict for verdict in verdicts if verdict.kind == DISAGREES]
    return min(disagreeing or verdicts, key=lambda verdict: ranks.index(offer(verdict)), default=None)
