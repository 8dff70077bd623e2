"""The visits of a day in route order: today's, or another day's that is on this device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.parts.arrival import arrival
from mobile.parts.blocks import card, line, mood_box
from mobile.parts.frame import frame
from mobile.parts.job_card import JobCard
from mobile.parts.pull import Pull
from mobile.parts.route_map import RouteMap
from mobile.parts.touch import choice, icon_button, primary, secondary, tappable
from mobile.state import Desk
from mobile.views.news import NewsLine, lines
from mobile.views.parts_asked import answer_line, colleagues_waiting
from mobile.views.readiness import Readiness
from mobile.views.today import DayView, day_view, held_days, listed
from shared.part_requests import PartRequestState
from shared.work_orders import WorkOrder

Card = ft.memo(JobCard)
SIDES = 26  # pixels of the screen left and right of what it shows, together
SKETCH_HIDDEN = "sketch_hidden"


@ft.component
def Today(desk: Desk, shown: UUID | None = None) -> ft.Control:
    """`shown` is the job open beside the list on a tablet."""
    pull = ft.use_ref(lambda: Pull(desk.refresh_soon)).current
    choosing, set_choosing = ft.use_state(False)
    gateway = desk.gateway
    today = desk.true_now.astimezone(desk.zone).date()
    chosen = None if desk.shell.day == today else desk.shell.day  # a chosen day becomes today at midnight
    orders = listed(gateway.today(chosen))
    news = gateway.news()
    day = day_view(orders, gateway.product, desk.true_now, desk.zone, news, chosen)
    profile = gateway.profile
    body: list[ft.Control] = []
    if desk.shell.refreshing:
        body.append(_refreshing())
    if profile:
        body.append(_switcher(desk, chosen or today, lambda: set_choosing(not choosing), choosing))
        if choosing:
            body += _days(desk, chosen or today, today, lambda: set_choosing(False))
    if not shown and (there := desk.reached):
        body.append(arrival(desk, there))
    if profile and chosen is None and (ready := desk.readiness()).missing:
        body.append(_not_ready(desk, ready))
    if colleagues := colleagues_waiting(gateway.asked_of_me()):
        told = words.asked_waiting(colleagues)
        body.append(tappable(mood_box(told, "warn"), told, lambda: desk.go("/requests")))
    for request in gateway.answers_to_me():
        told = answer_line(request, gateway.product(request.sku))
        mood = "good" if request.state is PartRequestState.PROMISED else "warn"
        body.append(tappable(mood_box(told, mood), told, lambda: desk.go("/requests")))
    elsewhere = lines(news, frozenset(order.id for order in orders), today, desk.zone)
    if elsewhere or any(order.id in news for order in orders):
        body.append(_news(desk, elsewhere))
    if not day.cards:
        nothing = words.NO_JOBS_THEN if chosen else words.NO_JOBS
        empty = "" if chosen else words.NO_JOBS_TEXT if profile else words.PREPARING
        body.append(ft.Text(nothing, size=theme.TITLE, weight=ft.FontWeight.W_700))
        body += [line(empty)] if empty else []
    else:
        body.append(_progress(day))
        if chosen is None and day.next_id is None:
            body.append(line(words.DAY_DONE, bold=True))
        body += _map(desk, orders, day.next_id, wide=shown is not None)
        body += [Card(view, desk.open_job, view.id == shown, key=str(view.id)) for view in day.cards]
    if profile:
        body.append(secondary(words.MY_TIME, lambda: desk.go("/time"), icon=ft.Icons.SCHEDULE))
        if gateway.cabinets():
            fault = secondary(words.REPORT_FAULT, lambda: desk.go("/fault"), icon=ft.Icons.REPORT_OUTLINED)
            body.append(fault)
    if held := _held(desk):
        body.append(line(held, quiet=True, size=theme.SMALL))
    body.append(ft.Container(height=4))
    return frame(
        desk,
        day.date,
        body,
        second=words.listed([profile.name, profile.van_name]) if profile else words.APP,
        bottom=[] if shown else _bottom(desk, day, chosen),
        status=not shown,
        notices=not shown,
        pull=pull,
    )


def _not_ready(desk: Desk, ready: Readiness) -> ft.Control:
    said = words.listed([ready.sentence, *ready.missing[:1]])
    return tappable(mood_box(said, "warn"), f"{words.SYNC}: {said}", lambda: desk.go("/sync"))


def _refreshing() -> ft.Control:
    said = ft.Row(
        [ft.ProgressRing(width=22, height=22, color=theme.ACCENT), line(words.REFRESHING)], spacing=12
    )
    return ft.Semantics(content=said, live_region=True, container=True)


def _switcher(desk: Desk, day: date, choose: Callable[[], None], choosing: bool) -> ft.Control:
    """One day back, one day on, or any that is here."""
    first, last = _span(desk, day)
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    name = words.chosen_day(day)
    middle = secondary(
        name, choose, icon=ft.Icons.EXPAND_LESS if choosing else ft.Icons.CALENDAR_MONTH
    )  # fmt: skip
    middle.expand = True
    return ft.Row(
        [
            icon_button(ft.Icons.CHEVRON_LEFT, words.DAY_BEFORE, lambda: desk.show_day(max(first, before))),
            middle,
            icon_button(ft.Icons.CHEVRON_RIGHT, words.DAY_AFTER, lambda: desk.show_day(min(last, after))),
        ],
        spacing=4,
    )


def _days(desk: Desk, chosen: date, today: date, close: Callable[[], None]) -> list[ft.Control]:
    """Every day that is here, with what there is to do."""
    first, last = _span(desk, chosen)
    counts = desk.gateway.days()

    def show(day: date) -> None:
        close()
        desk.show_day(day)

    rows = []
    for ahead in range((last - first).days + 1):
        day = first + timedelta(days=ahead)
        name = words.listed([words.chosen_day(day), words.TODAY if day == today else ""])
        text = words.listed([name, words.jobs(counts.get(day, 0))])
        rows.append(choice(text, text, day == chosen, lambda day=day: show(day)))
    return rows


def _span(desk: Desk, day: date) -> tuple[date, date]:
    """The days that one can turn to; the one that is shown is always among them."""
    first, last = desk.held_days or held_days(desk.true_now, desk.zone)
    today = desk.true_now.astimezone(desk.zone).date()
    return min(first, day, today), max(last, day, today)


def _held(desk: Desk) -> str:
    held = desk.held_days
    return words.held_here(*held) if held and desk.gateway.profile else ""


def _news(desk: Desk, elsewhere: Sequence[NewsLine]) -> ft.Control:
    """What no card below says, and the button that takes note of it all."""
    rows: list[ft.Control] = [line(words.NEWS, bold=True)]
    for item in elsewhere:
        if item.id is None:
            rows.append(line(item.text))
        else:
            rows.append(secondary(item.text, lambda id=item.id: desk.open_job(id)))
    rows.append(
        secondary(words.NEWS_SEEN, lambda: desk.take_note(desk.gateway.looked_at_all), icon=ft.Icons.DONE_ALL)
    )
    return card(*rows, bgcolor=theme.WARN_BACK, edge=theme.WARN)


def _map(desk: Desk, orders: Sequence[WorkOrder], next_id: UUID | None, *, wide: bool) -> list[ft.Control]:
    """The sketch, or the button that shows it again."""
    hidden = desk.gateway.preference(SKETCH_HIDDEN) == "yes"
    if hidden:
        show = secondary(words.SHOW_SKETCH, lambda: desk.hide_sketch(False), icon=ft.Icons.ROUTE)
        return [show]
    profile = desk.gateway.profile
    home = (profile.home_lat, profile.home_lon) if profile else None
    return [
        RouteMap(
            tuple(orders),
            home,
            next_id,
            (theme.LIST_WIDTH if wide else desk.shell.width) - SIDES,
            desk.open_job,
        ),
        ft.Row(
            [
                ft.Text(words.SKETCH_IS_STRAIGHT, size=theme.SMALL, color=theme.QUIET, expand=True),
                icon_button(
                    ft.Icons.VISIBILITY_OFF_OUTLINED, words.HIDE_SKETCH, lambda: desk.hide_sketch(True)
                ),
            ],
            spacing=4,
        ),
    ]


def _progress(day: DayView) -> ft.Control:
    total = len(day.cards)
    return ft.Semantics(
        container=True,
        label=words.progress(day.done, total),
        exclude_semantics=True,
        content=ft.Column(
            [
                ft.Text(words.progress(day.done, total), size=theme.BODY, weight=ft.FontWeight.W_600),
                ft.Container(
                    content=ft.ProgressBar(
                        value=day.done / total if total else 0,
                        bar_height=10,
                        border_radius=5,
                        color=theme.GOOD,
                        bgcolor=theme.PAPER,
                    ),
                    border=ft.Border.all(theme.THIN, theme.LINE),
                    border_radius=6,
                ),
            ],
            spacing=6,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
    )


def _bottom(desk: Desk, day: DayView, chosen: date | None) -> list[ft.Control]:
    if chosen is not None:
        return [primary(words.BACK_TO_TODAY, lambda: desk.show_day(None), icon=ft.Icons.TODAY)]
    card = next((card for card in day.cards if card.id == day.next_id), None)
    if card is None:
        return []
    text = words.go_on(card.street) if day.under_way else words.open_next(card.street)
    return [primary(text, lambda: desk.open_job(card.id), icon=ft.Icons.ARROW_FORWARD)]
