"""What holds on each screen: every word comes from the catalogue, every control has a name and a size."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import gettext
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import flet as ft
import pytest
from day_of_work import (
    ASKED_BY_ME,
    MORNING,
    PROFILE,
    a_brief,
    a_fault,
    a_supply,
    part_requests,
    send_down,
    uid,
)
from flet_screen import Screen, _name

from mobile import customer_words, language, theme, words
from mobile.app import JOB_SCREENS
from mobile.gateway import Gateway
from mobile.state import Desk, job_route
from shared.commands import (
    AddNote,
    AnswerCheck,
    Arrive,
    InstallAsset,
    PauseWork,
    RecordCheck,
    SkipCheck,
    StartTravel,
    UseParts,
)
from shared.work_orders import PartLine, PauseReason, SkipReason

INSTALL, UPGRADE, DISCONNECT = uid(0x101), uid(0x103), uid(0x104)
ROUTES = (
    "/",
    "/stock",
    "/count",
    "/give",
    "/take",
    "/ask",
    "/requests",
    f"/fetch/{ASKED_BY_ME}",
    f"/fetch/{uid(0x999)}",
    "/fault",
    "/sync",
    "/settings",
    "/time",
    "/pin",
    "/sign-in",
    job_route(DISCONNECT),
    *(job_route(INSTALL, screen) for screen in JOB_SCREENS),
    *(job_route(UPGRADE, screen) for screen in ("", "checks", "close")),  # with a checklist
    job_route(uid(0x999)),
)
TARGET_LEAST = 48
LINE_HEIGHT = 1.15


@pytest.fixture
def at_work(gateway: Gateway) -> Gateway:
    """In the middle of a visit: a device fitted, parts used, one value good and one bad, a note.

    Of the place there is a past, and the office has changed something since the last look.
    """
    gateway._take_in()
    moved = replace(gateway.today()[2], window=None, version=4)
    brief = replace(a_brief(1), network_faults=(a_fault("KAL-0312 / 4"),))
    more = [brief, moved, a_supply(), *part_requests()]
    send_down(gateway._store, more, at=MORNING + timedelta(seconds=1))
    gateway._take_in()
    order = gateway.order(INSTALL)
    assert order is not None
    used = PartLine(sku=order.required_parts[0].sku, quantity=2)
    for command in (
        StartTravel(work_order_id=INSTALL),
        Arrive(work_order_id=INSTALL),
        InstallAsset(work_order_id=INSTALL, serial="ALCLB1A2C001", source="typed"),
        UseParts(work_order_id=INSTALL, lines=(used,)),
        RecordCheck(work_order_id=INSTALL, code="optical_power", value=Decimal("-31.2")),
        RecordCheck(work_order_id=INSTALL, code="download_speed", value=Decimal(288)),
        AddNote(work_order_id=INSTALL, text="Dog"),
        Arrive(work_order_id=UPGRADE),
        PauseWork(work_order_id=UPGRADE, reason=PauseReason.BREAK),
        AnswerCheck(work_order_id=UPGRADE, code="ont_lights", value="los_red"),
        RecordCheck(work_order_id=UPGRADE, code="wifi_speed", value=Decimal(12)),
        SkipCheck(work_order_id=UPGRADE, code="customer_shown", reason=SkipReason.CUSTOMER_REFUSED),
    ):
        gateway.send(command)
    return gateway


@pytest.fixture
def pin_too_short(gateway: Gateway, desk: Desk) -> Gateway:
    """The office requires a longer PIN than there is: the screen that sets it stands before all others."""
    gateway.lock._rounds = 10
    asyncio.run(gateway.lock.set("2580"))
    send_down(gateway._store, [replace(PROFILE, pin_length_min=6)])
    gateway._take_in()
    gateway._tell()
    return gateway


@pytest.fixture
def speak() -> Iterator[Callable[[str], None]]:
    yield words.speak
    words.speak("en")


class Wide(gettext.NullTranslations):
    """Translates into wide letters, so that what is still narrow came from somewhere else."""

    def gettext(self, message: str) -> str:
        parts = re.split(r"(\{\w+\})", message)
        return "".join(part if part.startswith("{") else widened(part) for part in parts)

    def ngettext(self, one: str, many: str, count: int) -> str:
        return self.gettext(one if count == 1 else many)


def widened(text: str) -> str:
    return re.sub(r"[A-Za-z]", lambda letter: chr(ord(letter[0]) + 0xFEE0), text)


def written(value: object) -> Iterator[str]:
    """Every text in a row that the server sent."""
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from written(getattr(value, field.name))
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from written(item)


def narrow_words(texts: list[str]) -> set[str]:
    return {word for text in texts for word in re.findall(r"[A-Za-z]{2,}", text)}


class TestWords:
    @pytest.fixture
    def known(self, at_work: Gateway, desk: Desk, speak, monkeypatch: pytest.MonkeyPatch) -> set[str]:
        """What may stay narrow while the app speaks in wide letters."""
        monkeypatch.setitem(language.LANGUAGES, "xx", language.Language(code="xx", name="Wide"))
        monkeypatch.setattr(language, "catalogue", lambda code: Wide())
        # The customer, too, speaks it: their screens are in their own language.
        monkeypatch.setattr(language, "best_of", lambda wanted: "xx")
        monkeypatch.setattr(customer_words, "best_of", lambda wanted: "xx")
        speak("xx")
        rows = [at_work.today(), at_work.products(), at_work.devices_on_van(), at_work.profile, a_brief(1)]
        rows += [a_supply(), part_requests(), a_fault("KAL-0312 / 4")]
        names = [known.name for known in language.LANGUAGES.values()]
        return narrow_words([*written(rows), *names, words.APP, words.CODE_HINT, desk.build])

    @pytest.mark.parametrize("route", ROUTES)
    def test_come_from_the_catalogue_or_from_the_office(self, route: str, open_app, known: set[str]):
        screen = open_app(route)

        assert narrow_words([*screen.texts(), *screen.names()]) - known == set()

    def test_of_a_required_pin_do_too(self, open_app, known: set[str], pin_too_short: Gateway):
        screen = open_app("/")
        screen.type_into(words.PIN_NEW, "97")
        screen.tap(words.PIN_SAVE)

        assert screen.sees(words.pin_required("Truckroll Fibre", 6))
        assert screen.sees(words.pin_short(6))
        assert narrow_words([*screen.texts(), *screen.names()]) - known == set()

    @pytest.mark.parametrize("route", ["/count", job_route(INSTALL, "scan")])
    @pytest.mark.parametrize("code", ["ALCLB1A2C000", "ALCLB1A2C001", "STRANGER01", "4006381333931", "?"])
    def test_of_what_was_scanned_do_too(self, route: str, code: str, open_app, known: set[str]):
        screen = open_app(route)
        screen.type_into(words.CODE_FIELD, code, enter=True)

        assert narrow_words([*screen.texts(), *screen.names()]) - known - narrow_words([code]) == set()


class TestControls:
    @pytest.mark.parametrize("percent", [100, 200])
    @pytest.mark.parametrize("route", ROUTES)
    def test_have_a_name_and_a_size_for_gloves(self, route: str, percent: int, open_app, at_work):
        theme.wear("system", percent)
        try:
            controls = list(tappable(open_app(route)))
        finally:
            theme.wear("system", 100)

        assert controls
        assert [control for control in controls if not _name(control)] == []
        small = {_name(control): height(control) for control in controls if height(control) < TARGET_LEAST}
        assert small == {}

    @pytest.mark.parametrize("percent", [100, 200])
    def test_of_a_required_pin_do_too(self, percent: int, open_app, pin_too_short: Gateway):
        theme.wear("system", percent)
        try:
            screen = open_app("/")
            controls = list(tappable(screen))
        finally:
            theme.wear("system", 100)

        assert screen.sees("Truckroll Fibre requires a PIN of at least 6 digits on this device.")
        assert {"Present PIN", "New PIN", "I forgot the PIN", "Save the PIN"} <= set(map(_name, controls))
        assert {
            _name(control): height(control) for control in controls if height(control) < TARGET_LEAST
        } == {}

    @pytest.mark.parametrize("route", ROUTES)
    def test_say_what_they_are(self, route: str, open_app, at_work):
        """Buttons and fields do by themselves; a card that one can tap has to be told."""
        cards = [control for control in tappable(open_app(route)) if isinstance(control, ft.Container)]
        assert all(card.content.button for card in cards)

    def test_name_the_screens_at_the_bottom(self, open_app):
        bar = next(c for c in open_app().controls() if isinstance(c, ft.NavigationBar))
        assert [place.label for place in bar.destinations] == ["Today", "Van stock", "Sync"]
        assert bar.height >= TARGET_LEAST


def tappable(screen: Screen) -> Iterator[Any]:
    for control in screen.controls():
        handled = getattr(control, "on_click", None) is not None or getattr(control, "url", None)
        if handled or isinstance(control, ft.TextField):
            yield control
        elif isinstance(control, ft.GestureDetector):
            assert control.exclude_from_semantics, "what is drawn on says by a label around it what it is for"


def height(control: Any) -> float:
    """The least that `control` can be high, as far as it says itself."""
    if getattr(control, "height", None):
        return float(control.height)
    match control:
        case ft.TextField():
            return float(control.text_size) * LINE_HEIGHT + 2 * control.content_padding.top
        case ft.FilledButton() | ft.OutlinedButton():
            inside = max(height(control.content), height(control.icon) if control.icon else 0)
            return inside + 2 * control.style.padding.top
        case ft.Text():
            return float(control.size) * LINE_HEIGHT
        case ft.Icon():
            return float(control.size)
        case ft.Semantics():
            return height(control.content)
        case ft.Container():
            padding = (
                control.padding
                if isinstance(control.padding, ft.Padding)
                else ft.Padding.all(control.padding or 0)
            )
            return height(control.content) + padding.top + padding.bottom
        case ft.Row():
            return max(map(height, control.controls), default=0)
        case ft.Column():
            return sum(map(height, control.controls)) + (control.spacing or 0) * (len(control.controls) - 1)
    return 0
