"""The devices of one job: what was read just now, what went up and came off, and why it comes off."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import flet as ft

from mobile import theme, words
from mobile.gateway import ScanVerdict
from mobile.parts.blocks import line, mood_box, section, with_icon
from mobile.parts.fields import text_field
from mobile.parts.touch import chip, choice, secondary
from mobile.scan_words import DISAGREES, QUARANTINED_LOT
from mobile.state import Desk
from mobile.views.quantities import product_name
from mobile.views.scan import Offer, label_rows, mood_of, offer, title_of
from mobile.views.swap import causes_for, handled
from shared.barcodes import VerdictKind
from shared.barcodes.label import Confidence, Label
from shared.commands import FieldCommand, PutBackAsset, RemoveAsset, UndoSwap
from shared.problems import AssetQuarantined, SerialElsewhere
from shared.work_orders import FittedAsset, RemovalCause, RemovedAsset, WorkOrder

ICONS = {
    VerdictKind.ANOTHER_VAN: ft.Icons.LOCAL_SHIPPING_OUTLINED,
    VerdictKind.ANOTHER_CUSTOMER: ft.Icons.HOME_OUTLINED,
    SerialElsewhere.slug: ft.Icons.HOME_OUTLINED,
    VerdictKind.UNKNOWN: ft.Icons.HELP_OUTLINE,
    VerdictKind.WRONG_MODEL: ft.Icons.DEVICES_OTHER,
    AssetQuarantined.slug: ft.Icons.BLOCK,
    QUARANTINED_LOT: ft.Icons.BLOCK,
    DISAGREES: ft.Icons.CALL_SPLIT,
}
CONFIDENCE_ICONS = {
    Confidence.SURE: (ft.Icons.CHECK_CIRCLE, theme.GOOD),
    Confidence.LIKELY: (ft.Icons.VISIBILITY_OUTLINED, theme.CALM),
    Confidence.GUESS: (ft.Icons.WARNING_AMBER_ROUNDED, theme.WARN),
}


def verdict_card(verdict: ScanVerdict) -> ft.Control:
    named = verdict.serial and verdict.serial not in verdict.sentence
    sentences = [*([verdict.serial] if named else []), verdict.sentence, *verdict.warnings]
    if verdict.source == "typed" and verdict.serial and offer(verdict) is not Offer.NOTHING:
        sentences.append(words.check_last_four(verdict.serial[-4:]))
    heading = title_of(verdict)
    box = mood_box("\n".join(sentences), mood_of(verdict), heading=heading, icon=ICONS.get(verdict.kind))
    return ft.Semantics(content=box, live_region=True, container=True, label=f"{heading}: {verdict.sentence}")


def on_the_label(label: Label) -> list[ft.Control]:
    """Everything the label says, to be compared once."""
    rows = label_rows(label)
    if not rows:
        return []
    lines: list[ft.Control] = []
    if any(row.confidence is not Confidence.SURE for row in rows):
        lines.append(line(words.COMPARE_ONCE))
    for row in rows:
        icon, color = CONFIDENCE_ICONS[row.confidence]
        text = ft.Column(
            [
                line(words.printed(row.name, row.value), bold=True),
                line(row.note, quiet=True, size=theme.SMALL),
            ],
            spacing=0,
        )
        lines.append(with_icon(icon, text, color=color))
    return [section(words.ON_LABEL, *lines)]


def model_choices(
    desk: Desk, skus: Sequence[str], chosen: str, choose: Callable[[str], None]
) -> list[ft.Control]:
    """Which model it is that nobody has booked in."""
    names = {sku: product_name(desk.gateway.product(sku), sku) for sku in skus}
    return [
        line(words.CHOOSE_MODEL, bold=True),
        *(
            choice(name, words.model(name), sku == chosen, lambda sku=sku: choose(sku))
            for sku, name in names.items()
        ),
    ]


def why_off(
    order: WorkOrder,
    cause: RemovalCause | None,
    choose: Callable[[RemovalCause], None],
    reason: str,
    say: Callable[[str], None],
) -> ft.Control:
    """The cause in one tap, and words for whoever repairs it."""
    chips = [
        chip(words.CAUSES[item], item is cause, lambda item=item: choose(item)) for item in causes_for(order)
    ]
    return section(
        words.WHY_OFF,
        ft.Row(chips, wrap=True, spacing=8, run_spacing=8),
        text_field(
            words.CAUSE_NOTE,
            reason,
            text_size=theme.BODY,
            on_change=say,
        ),
    )


def on_this_job(desk: Desk, order: WorkOrder) -> list[ft.Control]:
    """What went up and came off on this visit, each with the way back: it is booked only at the close."""
    done = handled(order)
    up = [_swapped(desk, order, fitted, old) for fitted, old in done.swapped]
    up += [
        _row(
            desk,
            device,
            f"{words.UNDO_FIT} {device.serial}",
            RemoveAsset(work_order_id=order.id, serial=device.serial, reason=words.FITTED_BY_MISTAKE),
        )
        for device in done.fitted
    ]
    off = [
        _row(
            desk,
            device,
            f"{words.UNDO_REMOVAL} {device.serial}",
            PutBackAsset(work_order_id=order.id, serial=device.serial),
        )
        for device in done.removed
    ]
    off += [ft.Column([line(_name(desk, device), bold=True), _cause(device)]) for device in order.failed]
    sections = ((words.ON_THIS_JOB, up), (words.TAKEN_OFF_HERE, off))
    return [section(heading, *rows) for heading, rows in sections if rows]


def _name(desk: Desk, device: FittedAsset | RemovedAsset) -> str:
    return words.fitted(device.serial, product_name(desk.gateway.product(device.sku), device.sku))


def _cause(device: RemovedAsset) -> ft.Control:
    said = [words.CAUSES[device.cause]] if device.cause else []
    return line(words.listed([*said, device.reason]), quiet=True)


def _swapped(desk: Desk, order: WorkOrder, fitted: FittedAsset, old: RemovedAsset) -> ft.Control:
    undo = UndoSwap(work_order_id=order.id, old_serial=old.serial, serial=fitted.serial)
    return _undoable(
        desk,
        [line(_name(desk, fitted), bold=True), line(words.in_place_of(_name(desk, old))), _cause(old)],
        words.undo_swap(old.serial),
        undo,
    )


def _row(desk: Desk, device: FittedAsset | RemovedAsset, what: str, undo: FieldCommand) -> ft.Control:
    more = [_cause(device)] if isinstance(device, RemovedAsset) and device.cause else []
    return _undoable(desk, [line(_name(desk, device), bold=True), *more], what, undo)


def _undoable(desk: Desk, lines: list[ft.Control], what: str, undo: FieldCommand) -> ft.Control:
    button = secondary(what, lambda: desk.send(undo), icon=ft.Icons.UNDO)
    return ft.Column([*lines, button], spacing=4, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
