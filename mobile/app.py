"""The technician's app: which screen is shown, and everything that runs behind it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.afterwards import afterwards
from mobile.device.browser import IN_BROWSER
from mobile.device.config import load_config
from mobile.device.network import (
    PageFacts,
    keep_first_screen,
    keep_unsent,
    keep_veil,
    metered,
    say_opened,
    unveil,
    watch_network,
    watch_page,
)
from mobile.device.position import Compass
from mobile.device.space import Space
from mobile.device.storage import StorageError, open_database
from mobile.device.tongue import device_languages
from mobile.first_screen import FirstScreen
from mobile.gateway import Gateway
from mobile.look import Look, wear
from mobile.parts.blocks import mood_box
from mobile.parts.frame import navigation_bar, navigation_rail
from mobile.parts.touch import primary
from mobile.screens.ask_part import AskPart
from mobile.screens.cannot import Cannot
from mobile.screens.checks import Checks
from mobile.screens.close import Close
from mobile.screens.count import CountVan
from mobile.screens.fetch import Fetch
from mobile.screens.found import Found
from mobile.screens.give import Give
from mobile.screens.job import Job
from mobile.screens.locked import Locked
from mobile.screens.my_time import MyTime
from mobile.screens.note import Note
from mobile.screens.part_requests import PartRequests
from mobile.screens.parts_used import PartsUsed
from mobile.screens.pause import PauseScreen
from mobile.screens.photo import Photo
from mobile.screens.pin import Pin
from mobile.screens.price import Price
from mobile.screens.receipt import Receipt
from mobile.screens.report_fault import ReportFault
from mobile.screens.scan import Scan
from mobile.screens.settings import Settings
from mobile.screens.sign import Sign
from mobile.screens.sign_in import SignIn
from mobile.screens.stock import Stock
from mobile.screens.swap import Swap
from mobile.screens.sync_status import SyncStatusScreen
from mobile.screens.take import Take
from mobile.screens.today import Today
from mobile.screens.visit_time import VisitTime
from mobile.state import Desk, Shell, parse_route
from mobile.sync_loop import SyncLoop
from mobile.views.nearby import Position
from sync.client.records import NotSaved
from sync.client.store import ClientStore
from sync.client.transport import HttpxTransport, Transport

log = logging.getLogger("truckroll")

JOB_SCREENS = {
    "": Job,
    "scan": Scan,
    "swap": Swap,
    "checks": Checks,
    "parts": PartsUsed,
    "photo": Photo,
    "sign": Sign,
    "close": Close,
    "cannot": Cannot,
    "note": Note,
    "more": Found,
    "ask": AskPart,
    "fault": ReportFault,
    "pause": PauseScreen,
    "time": VisitTime,
    "price": Price,
    "receipt": Receipt,
}
FOR_THE_CUSTOMER = frozenset({"price", "receipt"})
"""Screens of a job that the customer reads."""
MINUTE_SECONDS = 60
LOOK_SECONDS = 20


@ft.component
def App(desk: Desk) -> ft.Control:
    """Everything, drawn from scratch when language or look change: no old word or size is left over."""
    shell, _ = ft.use_state(desk.shell)
    return Screens(desk, shell, key=str(shell.look))


@ft.component
def Screens(desk: Desk, shell: Shell) -> ft.Control:
    """One screen on a phone; beside the day's list on a tablet."""
    name, order_id, screen = parse_route(shell.route)
    if shell.locked and name != "sign-in":
        return _narrow(Locked(desk, key="locked"))
    if name == "pin" or (shell.pin_due and name != "sign-in"):
        return _narrow(Pin(desk, key="pin"))
    if name == "settings":
        return _narrow(Settings(desk, key="settings"))
    if not desk.gateway.registered or name == "sign-in":
        return _narrow(SignIn(desk, key="sign-in"))
    if name == "job" and screen in FOR_THE_CUSTOMER:
        # Beside nothing, however wide: other customers' names and streets are not for them to read.
        return _narrow(_shown(desk, name, order_id, screen))
    if shell.width < theme.WIDE:
        return _phone(desk, name, order_id, screen)
    return _tablet(desk, name, order_id, screen)


def _shown(desk: Desk, name: str, order_id: UUID | None, screen: str) -> ft.Control:
    """The screen of a route. Its key makes each route keep its own state."""
    if name == "job" and order_id is not None:
        return JOB_SCREENS.get(screen, Job)(desk, order_id, key=f"{order_id}/{screen}")
    if name == "stock":
        return Stock(desk, key="stock")
    if name == "count":
        return CountVan(desk, key="count")
    if name == "give":
        return Give(desk, key="give")
    if name == "take":
        return Take(desk, key="take")
    if name == "ask":
        return AskPart(desk, key="ask")
    if name == "requests":
        return PartRequests(desk, key="requests")
    if name == "fetch":
        return Fetch(desk, order_id, key=f"fetch/{order_id}")
    if name == "fault":
        return ReportFault(desk, key="fault")
    if name == "time":
        return MyTime(desk, key="time")
    if name == "sync":
        return SyncStatusScreen(desk, key="sync")
    return Today(desk, key="today")


def _phone(desk: Desk, name: str, order_id: UUID | None, screen: str) -> ft.Control:
    parts = [ft.Container(content=_shown(desk, name, order_id, screen), expand=True)]
    if name not in ("job", "count", "give", "take", "time", "ask", "requests", "fetch", "fault"):
        parts.append(navigation_bar(desk, name))
    return ft.SafeArea(ft.Column(parts, spacing=0, expand=True), expand=True)


def _tablet(desk: Desk, name: str, order_id: UUID | None, screen: str) -> ft.Control:
    panes: list[ft.Control] = [navigation_rail(desk, name), ft.VerticalDivider(width=1, color=theme.LINE)]
    if name in ("today", "job"):
        if order_id is None:
            order_id = _job_at_hand(desk)
        panes.append(ft.Container(content=Today(desk, order_id, key="today"), width=theme.LIST_WIDTH))
        panes.append(ft.VerticalDivider(width=1, color=theme.LINE))
        if order_id is not None:
            panes.append(ft.Container(content=_shown(desk, "job", order_id, screen), expand=True))
    else:
        panes.append(ft.Container(content=_shown(desk, name, order_id, ""), expand=True))
    return ft.SafeArea(
        ft.Row(panes, spacing=0, expand=True, vertical_alignment=ft.CrossAxisAlignment.STRETCH), expand=True
    )


def _job_at_hand(desk: Desk) -> UUID | None:
    orders = [order for order in desk.gateway.today() if not order.state.is_over]
    under_way = [order for order in orders if order.state.is_under_way]
    return next((order.id for order in under_way + orders), None)


def _narrow(content: ft.Control) -> ft.Control:
    return ft.SafeArea(ft.Container(content=content, expand=True), expand=True)


async def main(page: ft.Page) -> None:
    """Open the device's data, show the app at once, then start to talk to the server."""
    page.title = words.APP
    page.padding = 0
    page.spacing = 0
    wear(page, Look(), device_languages())
    config = load_config()
    try:
        database = await open_database("truckroll")
    except StorageError as error:
        page.render(StorageTrouble, str(error), page)
        say_opened()
        return
    store = ClientStore(database.connection, database.flush)
    space = Space()
    gateway = Gateway(store, transport_to(config.api_base), storage_left=space.left, metered=metered)
    start(page, gateway, storage=database.where, build=config.build, space=space)


async def look_after(space: Space, gateway: Gateway) -> None:
    """Look how full the device is, and make room in time. Not being able to is no reason to stop."""
    await space.look()
    if usage := space.usage():
        with contextlib.suppress(NotSaved):
            gateway.make_room(usage.to_free)


def transport_to(api_base: str) -> Transport:
    """`api_base` "/" is the app's own origin in the browser."""
    if IN_BROWSER:
        from mobile.device.fetch_transport import BrowserTransport

        return BrowserTransport("" if api_base == "/" else api_base)
    return HttpxTransport(api_base)


def start(
    page: ft.Page,
    gateway: Gateway,
    *,
    storage: str = "file",
    build: str = "source",
    space: Space | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Desk:
    """Show the app on `page` and run its background work. Returns the desk, for tests."""

    def found(position: Position | None) -> None:
        async def take_in() -> None:
            desk.found(position)

        page.run_task(take_in)  # the page calls from outside of Flet's context

    compass = Compass(found)
    loop = SyncLoop(gateway, until_visible=page.wait_until_visible)
    desk = Desk(
        gateway,
        now=now,
        push_route=lambda route: _push(page, route),
        run=page.run_task,
        nudge=loop.nudge,
        wear=lambda look: wear(page, look, device_languages()),
        platform=_platform(page),
        storage=storage,
        build=build,
        usage=space.usage if space else lambda: None,
        apple=page.platform in (ft.PagePlatform.IOS, ft.PagePlatform.MACOS),
        watch=compass.wanted if compass.can_ask else None,
    )
    shell = desk.shell
    wear(page, shell.look, device_languages())
    shell.route = page.route or "/"
    shell.width = page.width or shell.width

    def resized(event: ft.PageResizeEvent) -> None:
        shell.width = event.width

    def routed(event: ft.RouteChangeEvent) -> None:
        desk.follow(event.route)

    def awake(event: ft.AppLifecycleStateChangeEvent) -> None:
        if event.state in (ft.AppLifecycleState.RESUME, ft.AppLifecycleState.SHOW):
            desk.lock_if_due()
            desk.auto_lock.show()
            loop.nudge()
        elif event.state in (ft.AppLifecycleState.HIDE, ft.AppLifecycleState.PAUSE):
            desk.auto_lock.hide()
            loop.hide()

    def heard(facts: PageFacts) -> None:
        async def take_in() -> None:
            shell.page_facts = facts

        page.run_task(take_in)  # the browser calls from outside of Flet's context

    def scanned(text: str) -> None:
        async def take() -> None:
            desk.scanned(text)

        page.run_task(take)

    def seen(seconds: float) -> None:
        async def look() -> None:
            desk.auto_lock.was_hidden(seconds)
            desk.lock_if_due()
            desk.auto_lock.show()
            await asyncio.sleep(0)  # the lock is on its way to the screen first
            unveil()

        page.run_task(look)

    def changed() -> None:
        status = gateway.status()
        shell.sending = status.syncing
        keep_unsent(status.only_here)
        keep_veil(gateway.lock.is_set)

    page.on_resize = resized
    page.on_route_change = routed
    page.on_app_lifecycle_state_change = awake
    gateway.subscribe(afterwards(changed, page.run_task))
    changed()
    desk.watch_position()
    page.render(App, desk)
    stops = [
        watch_network(lambda online: loop.nudge() if online else None),
        watch_page(heard, desk.auto_lock.touch, seen, scanned),
    ]

    async def tick() -> None:
        """Late warnings and "12:03" age by themselves."""
        while True:
            if space is not None:
                await look_after(space, gateway)
            await asyncio.sleep(MINUTE_SECONDS)
            await page.wait_until_visible()
            shell.minute += 1

    async def lock_in_time() -> None:
        """Nobody has tapped for long enough."""
        while True:
            left = desk.lock_if_due()
            await asyncio.sleep(LOOK_SECONDS if left is None else max(1.0, min(left, LOOK_SECONDS)))

    async def opened() -> None:
        await page.wait_until_visible()
        say_opened()

    first_screen = FirstScreen(gateway, now, keep_first_screen)
    tasks = [page.run_task(task) for task in (opened, loop.run, tick, first_screen.run, lock_in_time)]

    def closed() -> None:
        for task in tasks:
            task.cancel()
        for stop in stops:
            stop()
        compass.wanted(False)

    page.on_close = closed
    return desk


def _push(page: ft.Page, route: str) -> None:
    page.run_task(page.push_route, route)


def _platform(page: ft.Page) -> str:
    if page.web:
        return "web"
    return {ft.PagePlatform.ANDROID: "android", ft.PagePlatform.IOS: "ios"}.get(page.platform, "test")


@ft.component
def StorageTrouble(sentence: str, page: ft.Page) -> ft.Control:
    """Shown instead of the app: another tab has the data, or the browser keeps none."""

    async def again() -> None:
        await main(page)

    return ft.SafeArea(
        ft.Container(
            content=ft.Column(
                [
                    ft.Text(words.STORAGE_PROBLEM, size=theme.TITLE, weight=ft.FontWeight.W_700),
                    mood_box(sentence, "bad"),
                    primary(words.TRY_AGAIN, again, icon=ft.Icons.REFRESH),
                ],
                spacing=theme.GAP,
                horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            ),
            padding=theme.EDGE,
        )
    )


def run(**options: Any) -> None:
    """Start the app; `options` are Flet's."""
    ft.run(main, **options)
