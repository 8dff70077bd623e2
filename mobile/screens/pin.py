"""Choose the PIN of this device, change it, or do without where the office lets one.

Where the office requires a PIN it stands before all other screens, and their routes stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from mobile import words
from mobile.lock import check
from mobile.parts.blocks import line, mood_box
from mobile.parts.fields import pin_field
from mobile.parts.frame import frame
from mobile.parts.touch import primary, secondary
from mobile.rule_words import said
from mobile.state import PIN, SIGN_IN, Desk
from mobile.views.status import status_view
from shared.problems import Problem


@ft.component
def Pin(desk: Desk) -> ft.Control:
    present, set_present = ft.use_state("")
    first, set_first = ft.use_state("")
    again, set_again = ft.use_state("")
    busy, set_busy = ft.use_state(False)
    refusal, set_refusal = ft.use_state("")
    typed = ft.use_ref(lambda: {"present": "", "first": "", "again": ""})
    lock, least, due = desk.gateway.lock, desk.gateway.pin_length_min, desk.shell.pin_due

    def keeping(name: str, setter: Callable[[str], None]) -> Callable[[str], None]:
        def keep(text: str) -> None:
            typed.current[name] = text
            setter(text)

        return keep

    async def is_owner() -> bool:
        """Whoever holds the unlocked device still has to know the PIN to change it."""
        if await lock.opens(typed.current["present"]):
            return True
        if lock.is_shut or lock.wait_seconds:
            desk.lock()
        set_refusal(words.wrong_pin(lock.tries_left))
        return False

    async def save() -> None:
        pin = typed.current["first"]
        try:
            check(pin, least)
            if pin != typed.current["again"]:
                set_refusal(words.PINS_DIFFER)
                return
            set_busy(True)
            if await is_owner():
                await lock.set(pin, least)
                desk.auto_lock.touch()
                if desk.shell.route == PIN:
                    desk.back()
                desk.tell(words.PIN_KEPT)
        except Problem as problem:
            set_refusal(said(problem.detail))
        finally:
            set_busy(False)

    async def remove() -> None:
        set_busy(True)
        try:
            if await is_owner():
                lock.remove()
                desk.back()
                desk.tell(words.PIN_GONE)
        except Problem as problem:
            set_refusal(said(problem.detail))
        finally:
            set_busy(False)

    fields = [
        *(
            [pin_field(words.PIN_NOW, present, on_change=keeping("present", set_present))]
            if lock.is_set
            else []
        ),
        pin_field(words.PIN_NEW, first, on_change=keeping("first", set_first)),
        pin_field(words.PIN_AGAIN, again, on_change=keeping("again", set_again), on_submit=save),
    ]
    forgot = secondary(words.FORGOT_PIN, lambda: desk.go(SIGN_IN), icon=ft.Icons.HELP_OUTLINE, disabled=busy)
    gone = secondary(words.PIN_REMOVE, remove, icon=ft.Icons.LOCK_OPEN, danger=True, disabled=busy)
    return frame(
        desk,
        words.PIN,
        [
            *_asked(desk, least),
            *fields,
            *([mood_box(refusal, "bad")] if refusal else []),
            *(_behind(desk) if due else []),
            line(words.PIN_IS_NO_SAFE, quiet=True),
        ],
        back=not due,
        bottom=[
            *([forgot] if due and lock.is_set else []),
            *([gone] if lock.is_set and not least else []),
            primary(
                words.CHECKING_PIN if busy else words.PIN_SAVE,
                save,
                icon=ft.Icons.LOCK_OUTLINE,
                disabled=busy,
            ),
        ],
        status=False,
    )


def _asked(desk: Desk, least: int) -> list[ft.Control]:
    """Who requires a PIN, and who will know it."""
    if not least:
        return [line(words.PIN_TEXT)]
    profile = desk.gateway.profile
    company = profile.company if profile else ""
    return [line(words.pin_required(company or words.YOUR_OFFICE, least), bold=True), line(words.PIN_PRIVATE)]


def _behind(desk: Desk) -> list[ft.Control]:
    """What goes on behind this screen."""
    status = status_view(desk.gateway.status(), desk.now(), desk.zone)
    return [mood_box(status.text, status.mood), line(words.PIN_DUE_TEXT, quiet=True)]
