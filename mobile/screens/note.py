"""A note for the office."""

from __future__ import annotations

import asyncio
from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.device.speech import Dictation, DictationFailed
from mobile.language import spoken
from mobile.parts.blocks import line
from mobile.parts.drafts import use_draft
from mobile.parts.fields import text_field
from mobile.parts.frame import frame
from mobile.parts.touch import Handler, primary, secondary
from mobile.screens.guard import gone
from mobile.state import Desk
from shared.commands import AddNote

LAST_SENTENCE_SECONDS = 2.0


@ft.component
def Note(desk: Desk, order_id: UUID) -> ft.Control:
    text, set_text = use_draft(desk, "text", "")
    listening, set_listening = ft.use_state(False)
    sitting, listening_on = ft.use_ref(None), ft.use_ref(None)
    order = desk.gateway.order(order_id)
    if order is None:
        return gone(desk, words.NOTE)

    def leave() -> None:
        if sitting.current:
            sitting.current.stop()

    ft.on_unmounted(leave)

    async def dictate() -> None:
        if sitting.current:
            sitting.current.stop()
            return
        sitting.current = Dictation(spoken().code)
        set_listening(True)
        # A tap ends at once; what is said comes later.
        listening_on.current = asyncio.create_task(listen(sitting.current, desk.shell.route))

    async def listen(found: Dictation, route: str) -> None:
        try:
            async for said in found.sentences():
                if desk.shell.route != route:  # somebody has gone on, and what is said now is no note
                    return
                desk.auto_lock.touch()
                set_text(" ".join(filter(None, (desk.draft("text").rstrip(), said))))
        except DictationFailed:
            desk.tell(words.DICTATE_FAILED, "warn")
        finally:
            sitting.current = None
            set_listening(False)

    async def save() -> None:
        """With the last sentence, which comes only once the browser has stopped to listen."""
        heard, route = listening_on.current, desk.shell.route
        leave()
        if heard is not None:
            await asyncio.wait({heard}, timeout=LAST_SENTENCE_SECONDS)
        if desk.shell.route != route:  # saved by an earlier tap, or left to be gone on with
            return
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
            ),
            *_dictation(desk, dictate, listening=listening),
        ],
        second=order.number,
        back=True,
        bottom=[primary(words.SAVE_NOTE, save, icon=ft.Icons.SAVE)],
    )


def _dictation(desk: Desk, dictate: Handler, *, listening: bool) -> list[ft.Control]:
    """A button where the browser can do it now, and what it does with what it hears; else the keyboard's."""
    if not desk.shell.page_facts.dictation or desk.gateway.status().online is False:
        return [line(words.KEYBOARD_DICTATES, quiet=True)]
    text, icon = (words.DICTATE_STOP, ft.Icons.STOP) if listening else (words.DICTATE, ft.Icons.MIC)
    return [secondary(text, dictate, icon=icon), line(words.DICTATE_TEXT, quiet=True)]
