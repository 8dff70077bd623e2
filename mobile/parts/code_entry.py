"""A field for codes: typed by hand, or by a wedge scanner, a keyboard that types fast and presses Enter."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import flet as ft

from mobile import words
from mobile.device.scanner import Reading, from_typing, from_wedge
from mobile.parts.fields import code_field
from mobile.parts.touch import icon_button
from mobile.state import Desk

WEDGE_SECONDS_A_KEY = 0.1  # a thumb needs twice that
WEDGE_SECONDS_LAG = 0.3  # until the keys reach Python


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeEntry:
    """`enter()` takes what stands in the field. `field(key, autofocus)` draws it."""

    enter: Callable[[], None]
    clear: Callable[[], None]
    field: Callable[[str, bool], ft.Control]


def use_code_entry(desk: Desk, take: Callable[[Reading], None]) -> CodeEntry:
    """A hook. `take` is given each code that was entered, and clears the field where it is done with it."""
    typed, set_typed = ft.use_state("")
    first_key = ft.use_ref(0.0)
    # A wedge scanner presses Enter before the screen was drawn with its last letters; what it typed counts.
    latest = ft.use_ref("")

    def type_key(text: str) -> None:
        if not first_key.current:
            first_key.current = time.monotonic()
        latest.current = text
        set_typed(text)

    def clear() -> None:
        first_key.current = 0.0
        latest.current = ""
        set_typed("")

    def enter() -> None:
        text = latest.current
        if not text.strip():
            desk.tell(words.TYPE_INSTEAD, "calm")
            return
        took = time.monotonic() - (first_key.current or 0.0)
        by_wedge = took < WEDGE_SECONDS_LAG + WEDGE_SECONDS_A_KEY * len(text)
        first_key.current = 0.0
        take(from_wedge(text) if by_wedge else from_typing(text))

    def heard(text: str) -> None:
        """The page heard a scanner whose letters did not all reach the field."""
        clear()
        take(from_wedge(text))

    hearing = ft.use_ref(None)  # as it was last drawn
    hearing.current = heard
    silence = ft.use_ref(None)

    def listen() -> None:
        silence.current = desk.hear_scanner(lambda text: hearing.current(text))

    ft.use_effect(listen, [], cleanup=lambda: silence.current and silence.current())

    def field(key: str, autofocus: bool) -> ft.Control:
        """With another key it is drawn anew without the focus, which would scroll what was read away."""
        return code_field(
            words.CODE_FIELD,
            typed,
            hint_text=words.CODE_FIELD_HINT,
            key=key,
            autofocus=autofocus,
            on_change=type_key,
            on_submit=enter,
            suffix=icon_button(ft.Icons.KEYBOARD_RETURN, words.READ_CODE, enter),
        )

    return CodeEntry(enter=enter, clear=clear, field=field)
