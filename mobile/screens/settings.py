"""Language, light and dark, size of the text; which network photos take; the lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import flet as ft

from mobile import theme, words
from mobile.auto_lock import MINUTES, kept_minutes
from mobile.device.passkey import enrol
from mobile.language import LANGUAGES
from mobile.parts.blocks import line, mood_box, title
from mobile.parts.frame import frame
from mobile.parts.touch import choice, secondary
from mobile.state import PIN, Desk


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
            *_photos(desk),
            *_nearby(desk),
            *(_lock(desk) if desk.gateway.registered else []),
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


def _photos(desk: Desk) -> list[ft.Control]:
    on_wifi = desk.gateway.photos_only_on_wifi
    rows = [
        choice(
            name,
            f"{words.PHOTOS}: {name}",
            on_wifi == (by == "wifi"),
            lambda by=by: desk.send_photos(by),  # type: ignore[misc]
        )
        for by, name in words.PHOTOS_BY.items()
    ]
    told = words.PHOTOS_TEXT if desk.gateway.status().network_known else words.PHOTOS_BY_HAND
    kept = "yes" if desk.gateway.photos_say_where else "no"
    places = [
        choice(
            name,
            f"{words.PLACE_OF_PHOTOS}: {name}",
            kept == chosen,
            lambda chosen=chosen: desk.say_where(chosen),  # type: ignore[misc]
        )
        for chosen, name in words.PLACE_BY.items()
    ]
    return [
        title(words.PHOTOS),
        *rows,
        line(told, quiet=True),
        title(words.PLACE_OF_PHOTOS),
        *places,
        line(words.PLACE_TEXT, quiet=True),
    ]


def _lock(desk: Desk) -> list[ft.Control]:
    is_set = desk.gateway.lock.is_set
    text = words.CHANGE_PIN if is_set else words.SET_PIN
    found = [title(words.LOCK), secondary(text, lambda: desk.go(PIN), icon=ft.Icons.LOCK_OUTLINE)]
    if not is_set:
        return found
    if desk.shell.page_facts.passkey:
        found.append(_key(desk))
    chosen = kept_minutes(desk.gateway.preference)
    names = {count: words.lock_minutes(count) if count else words.LOCK_AT_START for count in MINUTES}
    found.append(title(words.LOCK_AFTER))
    found += [
        choice(
            name,
            f"{words.LOCK_AFTER}: {name}",
            chosen == count,
            lambda count=count: desk.lock_after(count),  # type: ignore[misc]
        )
        for count, name in names.items()
    ]
    return [*found, line(words.LOCK_HIDDEN, quiet=True)]


def _key(desk: Desk) -> ft.Control:
    """The device's own check beside the PIN. It is asked once, now, so that it is known to work."""
    lock = desk.gateway.lock

    async def use() -> None:
        key = await enrol(desk.gateway.technician_name or words.APP)
        if key is None:
            desk.tell(words.KEY_NOT_MADE, "warn")
        else:
            desk.keep(lambda: lock.use_key(key), said=words.KEY_KEPT)

    def drop() -> None:
        desk.keep(lambda: lock.use_key(None), said=words.KEY_GONE)

    if lock.key:
        return secondary(words.DROP_KEY, drop, icon=ft.Icons.DIALPAD)
    return secondary(words.USE_KEY, use, icon=ft.Icons.FINGERPRINT)
