"""How many: minus, a number one can also type, plus."""

from __future__ import annotations

from collections.abc import Callable

import flet as ft

from mobile import theme, words
from mobile.parts.fields import text_field
from mobile.parts.touch import icon_button

COUNT_MAX = 9_999


def stepper(name: str, chosen: int | str, unit: str, changed: Callable[[int | str], None]) -> ft.Control:
    """`unit` is shown after the number ("m", or empty). Typing serves long cables.

    `chosen` is a string where what was typed is no count: it stays on the screen as it was typed.
    """
    count = chosen if isinstance(chosen, int) else 0

    def typed(text: str) -> None:
        text = text.strip()
        changed(min(int(text or 0), COUNT_MAX) if not text or text.isdecimal() else text)

    field = text_field(
        words.how_many(name),
        str(chosen),
        # Heard and not seen: the row says the name already, and on the web only a label names a field.
        label_style=ft.TextStyle(size=1, color=ft.Colors.TRANSPARENT),
        border=ft.NoInputBorder(),
        key=f"count-{name}",
        width=max(92, 4 * theme.LARGE),
        text_align=ft.TextAlign.CENTER,
        keyboard_type=ft.KeyboardType.NUMBER,
        suffix=unit or None,
        content_padding=ft.Padding.symmetric(horizontal=6, vertical=14),
        on_change=typed,
    )
    return ft.Row(
        [
            icon_button(
                ft.Icons.REMOVE, words.less(name), lambda: changed(max(count - 1, 0)), bgcolor=theme.CALM_BACK
            ),
            ft.Container(field, border=ft.Border.all(theme.THIN, theme.QUIET), border_radius=10, padding=1),
            icon_button(
                ft.Icons.ADD,
                words.more(name),
                lambda: changed(min(count + 1, COUNT_MAX)),
                bgcolor=theme.CALM_BACK,
            ),
        ],
        spacing=8,
        tight=True,
    )
