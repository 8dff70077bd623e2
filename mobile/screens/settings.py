"""Language, light and dark, size of the text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import flet as ft

from mobile import theme, words
from mobile.language import LANGUAGES
from mobile.parts.blocks import line, mood_box, title
from mobile.parts.frame import frame
from mobile.parts.touch import choice
from mobile.state import Desk


@ft.component
def Settings(desk: Desk) -> ft.Control:
    """What is tapped holds at once; each language is named in itself, so that one finds back."""
    look = desk.shell.look
    languages = {"": words.AS_DEVICE} | {code: known.name for code, known in LANGUAGES.items()}
    sizes = {size: words.percent(size) for size in theme.TEXT_PERCENTS}

    def choices(heading: str, field: str, names: Mapping[Any, str]) -> list[ft.Control]:
        rows = [
            choice(
                name,
                f"{heading}: {name}",
                getattr(look, field) == value,
                lambda value=value: desk.choose(replace(look, **{field: value})),
            )
            for value, name in names.items()
        ]
        return [title(heading), *rows]

    return frame(
        desk,
        words.SETTINGS,
        [
            *choices(words.LANGUAGE, "language", languages),
            *choices(words.THEME, "theme", words.THEMES),
            line(words.SUNLIGHT_TEXT, quiet=True),
            *choices(words.TEXT_SIZE, "text", sizes),
            *_nearby(desk),
            ft.Container(height=4),
        ],
        back=True,
        status=False,
    )


def _nearby(desk: Desk) -> list[ft.Control]:
    """Whether the app may look where the phone is, and what becomes of that."""
    if not desk.can_watch:
        return [title(words.NEARBY), line(words.NEARBY_NOT_HERE, quiet=True)]
    on = desk.suggests_arrival
    rows = [
        choice(name, f"{words.NEARBY}: {name}", on == value, lambda value=value: desk.suggest_arrival(value))
        for value, name in ((False, words.NEARBY_OFF), (True, words.NEARBY_ON))
    ]
    refused = [mood_box(words.NEARBY_REFUSED, "warn")] if on and desk.shell.position_refused else []
    return [title(words.NEARBY), line(words.NEARBY_TEXT, quiet=True), *rows, *refused]
