"""Give this device to a technician: the one screen that needs a network."""

from __future__ import annotations

import flet as ft

from mobile import theme, words
from mobile.device.scanner import ScanClosed, ScannerError, scanner
from mobile.parts.blocks import line, mood_box
from mobile.parts.fields import code_field, text_field
from mobile.parts.frame import frame
from mobile.parts.touch import Handler, primary, secondary
from mobile.rule_words import said
from mobile.state import SETTINGS, Desk, parse_route
from mobile.views.sign_in import code_in
from shared.problems import Problem, UnsentWork
from sync.client.transport import NoNetwork


@ft.component
def SignIn(desk: Desk) -> ft.Control:
    # A link from the office brings the code along: /sign-in/ABCD-1234.
    code, set_code = ft.use_state(parse_route(desk.shell.route)[2])
    device, set_device = ft.use_state("")
    busy, set_busy = ft.use_state(False)
    refusal, set_refusal = ft.use_state("")
    # Whoever had this device before left work on it: first it is said, then offered, then asked.
    others_work, set_others_work = ft.use_state(False)
    asking, set_asking = ft.use_state(False)
    # A quick hand taps before the screen was drawn with the last letters; what it typed counts.
    typed = ft.use_ref(lambda: {"code": code, "device": device})

    def type_code(text: str) -> None:
        typed.current["code"] = text
        set_code(text)

    def type_device(text: str) -> None:
        typed.current["device"] = text
        set_device(text)

    async def scan() -> None:
        """The picture on the office's screen. Nothing is sent before somebody taps."""
        set_refusal("")
        try:
            readings = await scanner().scan(
                title=words.SCAN_OFFICE_CODE,
                judge=lambda reading: None if code_in(reading.text) else words.NO_OFFICE_CODE,
            )
        except ScanClosed as closed:
            if closed.why != "cancelled":
                set_refusal(words.CODE_MISSING)
        except ScannerError as error:
            set_refusal(str(error))
        else:
            type_code(code_in(readings[0].text) or "")

    async def sign_in() -> None:
        await enter(keep_aside=False)

    async def keep_theirs() -> None:
        await enter(keep_aside=True)

    async def enter(*, keep_aside: bool) -> None:
        given, named = typed.current["code"].strip().upper(), typed.current["device"].strip()
        if not given:
            set_refusal(words.CODE_MISSING)
            return
        set_refusal("")
        set_others_work(False)
        set_asking(False)
        set_busy(True)
        try:
            await desk.gateway.register(given, named or words.APP, desk.platform, keep_aside=keep_aside)
        except UnsentWork as problem:
            set_refusal(said(problem.detail))
            set_others_work(True)
        except Problem as problem:
            set_refusal(said(problem.detail))
        except NoNetwork:
            set_refusal(words.SIGN_IN_OFFLINE)
        else:
            desk.unlock()
            desk.go("/")
            desk.nudge()
        finally:
            set_busy(False)

    status = desk.gateway.status()
    why = refusal or (status.problem if status.sign_in_needed and status.problem else "")
    shut = desk.shell.locked or desk.shell.pin_due
    if asking:
        return _ask(desk, keep_theirs, lambda: set_asking(False), busy=busy)
    return frame(
        desk,
        words.APP,
        [
            ft.Text(words.WELCOME, size=theme.HUGE, weight=ft.FontWeight.W_700),
            line(words.FORGOT_TEXT if shut else words.WELCOME_TEXT),
            code_field(
                words.CODE,
                code,
                hint_text=words.CODE_HINT,
                autofocus=True,
                text_size=theme.TITLE,
                on_change=type_code,
                on_submit=sign_in,
            ),
            text_field(
                words.DEVICE_NAME,
                device,
                on_change=type_device,
                on_submit=sign_in,
            ),
            secondary(words.SCAN_CODE, scan, icon=ft.Icons.QR_CODE_SCANNER),
            *([mood_box(why, "bad")] if why else []),
            *(
                [secondary(words.KEEP_ASIDE_ASK, lambda: set_asking(True), icon=ft.Icons.HELP_OUTLINE)]
                if others_work
                else []
            ),
            *(
                []
                if shut
                else [secondary(words.SETTINGS, lambda: desk.go(SETTINGS), icon=ft.Icons.TRANSLATE)]
            ),
        ],
        bottom=[
            primary(words.SIGNING_IN if busy else words.SIGN_IN, sign_in, icon=ft.Icons.LOGIN, disabled=busy),
        ],
        back=desk.gateway.registered,
        status=False,
    )


def _ask(desk: Desk, keep: Handler, back: Handler, *, busy: bool) -> ft.Control:
    """What becomes of the other one's work, before it is done; nothing of it can be lost by this."""
    status = desk.gateway.status()
    left = status.unsent_commands + status.unsent_photos
    return frame(
        desk,
        words.APP,
        [
            ft.Text(words.OTHERS_WORK, size=theme.HUGE, weight=ft.FontWeight.W_700),
            line(words.keep_aside(left, desk.gateway.technician_name or words.ANOTHER)),
        ],
        bottom=[
            secondary(words.NOT_NOW, back, icon=ft.Icons.ARROW_BACK, disabled=busy),
            primary(words.KEEP_ASIDE, keep, icon=ft.Icons.LOGIN, disabled=busy),
        ],
        status=False,
    )
