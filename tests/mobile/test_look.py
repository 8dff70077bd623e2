"""What a chosen look puts on the page."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import flet as ft
import pytest

from mobile import theme, words
from mobile.look import Look, wear


@pytest.fixture
def page() -> Iterator[SimpleNamespace]:
    """Of a page, only what is put on it."""
    yield SimpleNamespace()
    words.speak("en")
    theme.wear("system", 100)


class TestWearing:
    def test_speaks_as_the_device_until_somebody_chooses(self, page):
        wear(page, Look(), ["fi", "es-ES"])
        assert (words.SAVED, page.rtl) == ("Guardado en este dispositivo", False)
        wear(page, Look(language="en"), ["fi", "es-ES"])
        assert words.SAVED == "Saved on this device"

    def test_turns_the_page_for_arabic(self, page):
        wear(page, Look(language="ar"), [])
        assert page.rtl
        assert page.locale_configuration.current_locale.language_code == "ar"

    @pytest.mark.parametrize(
        ("chosen", "mode", "ink"),
        [
            ("system", ft.ThemeMode.SYSTEM, theme.LIGHT.ink),
            ("dark", ft.ThemeMode.DARK, theme.LIGHT.ink),
            ("light", ft.ThemeMode.LIGHT, theme.LIGHT.ink),
            ("sunlight", ft.ThemeMode.LIGHT, theme.SUNLIGHT.ink),
        ],
    )
    def test_dresses_the_page(self, page, chosen: theme.Theme, mode: ft.ThemeMode, ink: str):
        wear(page, Look(theme=chosen), [])
        assert (page.theme_mode, page.theme.color_scheme.on_surface) == (mode, ink)
        assert page.dark_theme.color_scheme.on_surface == theme.DARK.ink
