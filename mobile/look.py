"""How the app speaks and looks on this device: its technician chooses, and the device keeps it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import flet as ft

from mobile import language, theme, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """`language` is a code of ours, or empty: as the device. `text` is in percent."""

    language: str = ""
    theme: theme.Theme = "system"
    text: int = 100


def kept_look(preference: Callable[[str], str | None]) -> Look:
    """What was chosen, as far as this version still knows it."""
    chosen, worn, text = (preference(name) for name in ("language", "theme", "text"))
    return Look(
        language=chosen if chosen in language.LANGUAGES else "",
        theme=worn if worn in words.THEMES else "system",
        text=int(text) if text in map(str, theme.TEXT_PERCENTS) else 100,
    )


def wear(page: ft.Page, look: Look, device_languages: Sequence[str]) -> None:
    """Speak and look so from now on; the screens have to be drawn anew."""
    code = look.language or language.best_of(device_languages)
    words.speak(code)
    theme.wear(look.theme, look.text)
    page.rtl = language.spoken().right_to_left
    page.locale_configuration = ft.LocaleConfiguration(
        supported_locales=[ft.Locale(known) for known in language.LANGUAGES], current_locale=ft.Locale(code)
    )
    theme.dress(page, look.theme)
