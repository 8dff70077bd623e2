"""A note for the office."""

from __future__ import annotations

from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.parts.drafts import use_draft
from mobile.parts.fields import text_field
from mobile.parts.frame import frame
from mobile.parts.touch import primary
from mobile.screens.guard import gone
from mobile.state import Desk
from shared.commands import AddNote


@ft.component
def Note(desk: Desk, order_id: UUID) -> ft.Control:
    text, set_text = use_draft(desk, "text", "")
    order = desk.gateway.order(order_id)
    if order is None:
        return gone(desk, words.NOTE)

    def save() -> None:
        if desk.send(AddNote(work_order_id=order_id, text=desk.draft("text"))):
            desk.drop_drafts()
            desk.open_job(order_id)

    return frame(
        desk,
        words.NOTE,
        [
            text_field(
                words.NOTE_FIELD,
                text,
                autofocus=True,
                multiline=True,
                min_lines=5,
                max_lines=12,
                text_size=theme.BODY,
                on_change=set_text,
            )
        ],
        second=order.number,
        back=True,
        bottom=[primary(words.SAVE_NOTE, save, icon=ft.Icons.SAVE)],
    )
