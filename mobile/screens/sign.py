"""The customer signs with a finger."""

from __future__ import annotations

from uuid import UUID

import flet as ft

from mobile import words
from mobile.device.signature import signature_png
from mobile.parts.blocks import line
from mobile.parts.drafts import use_draft
from mobile.parts.fields import text_field
from mobile.parts.frame import frame
from mobile.parts.signature_pad import PAD_HEIGHT, SignaturePad
from mobile.parts.touch import primary, secondary
from mobile.screens.guard import gone
from mobile.state import Desk

WIDTH_UNKNOWN = 600.0


@ft.component
def Sign(desk: Desk, order_id: UUID) -> ft.Control:
    strokes, change = ft.use_state(())
    width = ft.use_ref(WIDTH_UNKNOWN)
    order = desk.gateway.order(order_id)
    signer, set_signer = use_draft(desk, "signer", order.contact.name if order else "")
    if order is None:
        return gone(desk, words.SIGNATURE)

    def size(pixels: float) -> None:
        width.current = pixels

    def save() -> None:
        if not strokes:
            desk.tell(words.SIGNATURE_EMPTY, "warn")
            return
        png = signature_png(strokes, width=max(round(width.current), 1), height=PAD_HEIGHT)
        named = desk.draft("signer", signer)
        if desk.keep(lambda: desk.gateway.add_signature(order_id, png, named)):
            desk.drop_drafts()
            desk.open_job(order_id)

    return frame(
        desk,
        words.SIGNATURE,
        [
            line(words.SIGNATURE_TEXT, bold=True),
            text_field(
                words.SIGNER,
                signer,
                on_change=set_signer,
            ),
            SignaturePad(strokes, change, size),
            secondary(words.CLEAR, lambda: change(()), icon=ft.Icons.CLEAR, disabled=not strokes),
        ],
        second=f"{order.place.street} {order.place.house_number}",
        back=True,
        bottom=[primary(words.SAVE_SIGNATURE, save, icon=ft.Icons.SAVE)],
    )
