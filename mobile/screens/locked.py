"""The app is locked: nothing of customers or jobs, only what is unsent, and a field for the PIN."""

from __future__ import annotations

import math
from datetime import timedelta

import flet as ft

from mobile import theme, words
from mobile.device.passkey import check_owner
from mobile.parts.blocks import line, mood_box
from mobile.parts.fields import pin_field
from mobile.parts.frame import frame
from mobile.parts.touch import primary, secondary
from mobile.rule_words import said
from mobile.state import SIGN_IN, Desk
from mobile.views.status import status_view
from shared.problems import Problem


@ft.component
def Locked(desk: Desk) -> ft.Control:
    pin, set_pin = ft.use_state("")
    busy, set_busy = ft.use_state(False)
    refusal, set_refusal = ft.use_state("")
    typed = ft.use_ref("")
    lock = desk.gateway.lock

    def type_pin(text: str) -> None:
        typed.current = text
        set_pin(text)

    async def unlock() -> None:
        tried = typed.current
        if busy or not tried:
            return
        if lock.wait_seconds > 0:
            set_refusal("")
            return
        set_busy(True)
        try:
            right = await lock.opens(tried)
        except Problem as problem:
            set_refusal(said(problem.detail))
            return
        finally:
            set_busy(False)
            type_pin("")
        if right:
            desk.unlock()
        else:
            set_refusal(words.wrong_pin(lock.tries_left))

    async def by_device() -> None:
        key = lock.key
        if key and await check_owner(key):
            desk.unlock()
        else:
            set_refusal(words.KEY_FAILED)

    status = status_view(desk.gateway.status(), desk.now(), desk.zone)
    said_now = words.PIN_SHUT if lock.is_shut else refusal
    if not lock.is_shut and (wait := lock.wait_seconds):
        until = desk.clock(desk.now() + timedelta(minutes=math.ceil(wait / 60)))
        said_now = f"{words.WRONG_PIN} {words.wait_until(until)}"
    shut = lock.is_shut
    return frame(
        desk,
        words.APP,
        [
            ft.Row(
                [
                    ft.Icon(ft.Icons.LOCK_OUTLINE, size=theme.HUGE, color=theme.INK),
                    ft.Text(words.LOCKED, size=theme.HUGE, weight=ft.FontWeight.W_700, expand=True),
                ],
                spacing=12,
            ),
            mood_box(status.text, status.mood),
            line(words.LOCKED_TEXT, quiet=True),
            *(
                []
                if shut
                else [
                    pin_field(
                        words.PIN,
                        pin,
                        autofocus=True,
                        on_change=type_pin,
                        on_submit=unlock,
                    )
                ]
            ),
            *([mood_box(said_now, "bad")] if said_now else []),
            *(
                [secondary(words.UNLOCK_BY_KEY, by_device, icon=ft.Icons.FINGERPRINT)]
                if lock.key and desk.shell.page_facts.passkey
                else []
            ),
        ],
        bottom=[
            secondary(words.FORGOT_PIN, lambda: desk.go(SIGN_IN), icon=ft.Icons.HELP_OUTLINE),
            *(
                []
                if shut
                else [
                    primary(
                        words.CHECKING_PIN if busy else words.UNLOCK,
                        unlock,
                        icon=ft.Icons.LOCK_OPEN,
                        disabled=busy,
                    )
                ]
            ),
        ],
        status=False,
        notices=False,
    )
