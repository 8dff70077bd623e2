"""What several screens share, and what a tap may do. One Desk a running app; screens read it and call it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Literal
from uuid import UUID

import flet as ft

from mobile import words
from mobile.afterwards import Run, afterwards
from mobile.auto_lock import AutoLock, kept_minutes
from mobile.device.network import PageFacts, keep_ear
from mobile.device.place import here
from mobile.device.space import Usage
from mobile.forms import PREFIX as FORM
from mobile.forms import Forms
from mobile.gateway import Gateway, SyncStatus
from mobile.look import Look, kept_look
from mobile.rule_words import said as translated
from mobile.views.nearby import Position, reached
from mobile.views.readiness import Readiness, readiness
from mobile.views.status import attention, when
from mobile.views.today import held_days
from shared.commands import FieldCommand
from shared.problems import Problem
from shared.work_orders import WorkOrder, WorkOrderState
from sync.client.records import NotSaved

NOTICE_SECONDS = 5.0
FORM_SECONDS = 0.5  # without a key, until what was typed is on the disk
SETTINGS, PIN, SIGN_IN = "/settings", "/pin", "/sign-in"
Mood = Literal["good", "warn", "bad", "calm"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence above the bottom button. A refusal stays until the next tap that helps."""

    text: str
    mood: Mood = "good"


@ft.observable
@dataclass
class Shell:
    """Whatever changes the screen. `revision` rises with every change behind the gateway."""

    route: str = "/"
    width: float = 360
    revision: int = 0
    minute: int = 0
    notice: Notice | None = None
    sending: bool = False
    refreshing: bool = False
    reached_id: UUID | None = None  # the job that one travels to and seems to have reached
    position_refused: bool = False
    not_there: frozenset[UUID] = frozenset()  # jobs that their technician said not to have reached
    day: date | None = None  # whose list is shown; None: today's
    page_facts: PageFacts = field(default_factory=PageFacts)
    look: Look = field(default_factory=Look)
    locked: bool = False
    pin_due: bool = False  # the office requires a PIN: nothing else is shown before it is set


class Desk:
    """The screens' way to everything else. Nothing here waits for the network, except `register`."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        push_route: Callable[[str], None] = lambda route: None,
        run: Run | None = None,
        nudge: Callable[[], None] = lambda: None,
        wear: Callable[[Look], None] = lambda look: None,
        platform: str = "test",
        storage: str = "file",
        build: str = "source",
        usage: Callable[[], Usage | None] = lambda: None,
        watch: Callable[[bool], None] | None = None,
        apple: bool = False,
    ) -> None:
        """`apple`: the device's map listens to addresses of its own. `watch(is_wanted)` begins and ends to
        ask for the position; None where this app can't.
        """
        self.gateway = gateway
        self.shell = Shell(look=kept_look(gateway.preference), locked=gateway.lock.is_set)
        self.now = now
        self.auto_lock = AutoLock(now, lambda: kept_minutes(gateway.preference))
        self.platform = platform
        self.storage = storage
        self.build = build
        self.usage = usage  # of the device's room for our data
        self.nudge = nudge  # ask the background sync to run at once
        self._scanner_ears: list[Callable[[str], None]] = []
        self._watch = watch
        self._position: Position | None = None  # not in the shell: each step would draw all anew
        self.apple = apple
        self._push_route = push_route
        self._wear = wear
        self._before_requests = "/stock"
        self._before_settings = "/"  # a sign-in brings its code along in the route
        self._run = run
        self.forms = Forms(gateway.drafts(FORM), gateway.keep_draft, self._soon, self._can_be_used)
        self._technician_id = gateway.technician_id
        self._attention: int | None = None
        self._ready: tuple[object, Readiness] | None = None
        self.shell.pin_due = gateway.pin_due
        self._look_around_soon = afterwards(self._look_around, run)
        gateway.subscribe(self._changed)

    def _changed(self) -> None:
        self._attention = self._ready = None
        if self.shell.locked and not self.gateway.lock.is_set:
            self.shell.locked = False  # the office has erased the device, and the PIN with it
        if self.gateway.technician_id != self._technician_id:
            self._technician_id = self.gateway.technician_id
            self.forms.clear()  # what somebody else entered, or looked at, is nothing to this one
            self.shell.day = None
        self.shell.revision += 1
        self._look_around_soon()

    def _look_around(self) -> None:
        """What may follow from any change, and is not what the technician waits to see."""
        self._ask_for_pin()
        self.watch_position()
        self._look_for_arrival()

    # what a wedge scanner typed beside the field

    def hear_scanner(self, take: Callable[[str], None]) -> Callable[[], None]:
        """The newest screen that asked for codes gets them, until the returned function is called."""
        self._scanner_ears.append(take)
        keep_ear(True)

        def stop() -> None:
            self._scanner_ears.remove(take)
            keep_ear(bool(self._scanner_ears))

        return stop

    def scanned(self, text: str) -> None:
        if self._scanner_ears:
            self._scanner_ears[-1](text)

    # where the phone is

    @property
    def can_watch(self) -> bool:
        return self._watch is not None

    @property
    def suggests_arrival(self) -> bool:
        """Off until somebody chooses it on this device."""
        return self.gateway.preference("suggest_arrival") == "yes"

    def suggest_arrival(self, wanted: bool) -> None:
        if not self._prefer(suggest_arrival="yes" if wanted else "no"):
            return
        self.shell.position_refused = False
        self.watch_position()
        self._look_for_arrival()
        self.shell.revision += 1

    def watch_position(self) -> None:
        """Only while it was chosen and somebody travels: at no other time is anything asked of the phone."""
        if self._watch is None:
            return
        wanted = self.suggests_arrival and any(
            order.state is WorkOrderState.TRAVELLING for order in self.gateway.today()
        )
        self._watch(wanted)
        if not wanted:
            self._position = None

    def found(self, position: Position | None) -> None:
        """What the phone answered; None: it gives no position."""
        self._position = position
        if position is None:
            self.shell.position_refused = True
        self._look_for_arrival()

    @property
    def position(self) -> Position | None:
        """Where the phone said it is, as long as somebody travels and lets it."""
        return self._position

    def _look_for_arrival(self) -> None:
        there = None
        if self._position and self.suggests_arrival:
            orders = (order for order in self.gateway.today() if order.id not in self.shell.not_there)
            there = reached(orders, self._position)
        if (id := there.id if there else None) != self.shell.reached_id:
            self.shell.reached_id = id

    @property
    def reached(self) -> WorkOrder | None:
        """The job that its technician seems to have reached and has not said no to."""
        id = self.shell.reached_id
        order = self.gateway.order(id) if id and id not in self.shell.not_there else None
        return order if order and order.state is WorkOrderState.TRAVELLING else None

    def say_not_there(self, id: UUID) -> None:
        self.shell.not_there |= {id}
        self._look_for_arrival()

    # where

    def go(self, route: str) -> None:
        """Show another screen. Within a job, the notice of what was saved goes along."""
        self.auto_lock.touch()
        if route != self.shell.route:
            if route == SETTINGS and self.shell.route != PIN:
                self._before_settings = self.shell.route
            if route in ("/ask", "/requests") and (before := _before_parts(self.shell.route)):
                self._before_requests = before
            self.shell.route = route
            self._ask_for_pin()
            self._push_route(route)

    def follow(self, route: str) -> None:
        """The browser's own buttons, or a link, have led there."""
        if route != self.shell.route:
            self.shell.notice = None
            self.shell.route = route
            self._ask_for_pin()

    def open_job(self, order_id: UUID, screen: str = "") -> None:
        self.take_note(lambda: self.gateway.looked_at(order_id))
        self.go(job_route(order_id, screen))

    def open_item(self, order_id: UUID, code: str) -> None:
        """The checklist of a job, with this item open."""
        self.forms.enter(job_route(order_id, "checks"), "item", code)
        self.open_job(order_id, "checks")

    def back(self) -> None:
        self.shell.notice = None
        at = self.shell.route
        before = {SETTINGS: self._before_settings, "/requests": self._before_requests}
        self.go(before.get(at) or parent_route(at))

    def back_keeping_notice(self) -> None:
        """The same after something was saved: what was said of it goes along."""
        self.go(parent_route(self.shell.route))

    # what

    def send(self, command: FieldCommand, *, said: str | None = None) -> bool:
        """Keep `command` on this device. False: it was refused, the sentence is on the screen.

        `said` is what the screen says then, by default that it is saved.
        """
        return self.keep(lambda: self.gateway.send(command), said=said)

    def keep(self, write: Callable[[], object], *, said: str | None = None) -> bool:
        """Run one durable write of the gateway and say how it went."""
        self.auto_lock.touch()
        try:
            done = write()
        except Problem as problem:
            self.tell(translated(problem.detail), "bad")
            return False
        remarks = getattr(done, "remarks", ())
        told = [said or words.SAVED, *(translated(remark.detail) for remark in remarks)]
        self.tell(". ".join(told), "warn" if remarks else "good")
        self.nudge()
        return True

    def write(self, write: Callable[[], object]) -> bool:
        """Run one durable write that needs no word, unless it fails: then the sentence is on the screen."""
        self.auto_lock.touch()
        try:
            write()
        except Problem as problem:
            self.tell(translated(problem.detail), "bad")
            return False
        return True

    def _prefer(self, **chosen: str) -> bool:
        """Keep what was chosen on this device; what could not be kept is not chosen."""
        return self.write(lambda: self.gateway.prefer(**chosen))

    def tell(self, text: str, mood: Mood = "good") -> None:
        """Show one sentence; good news leaves by itself."""
        notice = Notice(text, mood)
        self.shell.notice = notice
        if mood == "good" and self._run is not None:

            async def fade() -> None:
                await asyncio.sleep(NOTICE_SECONDS)
                if self.shell.notice is notice:
                    self.shell.notice = None

            self._run(fade)

    def dismiss(self) -> None:
        self.shell.notice = None

    def refresh_soon(self) -> None:
        """Talk to the server now and say what came of it, without anybody waiting."""
        if self._run is not None and not self.shell.refreshing:
            self._run(self.refresh)

    async def refresh(self) -> None:
        self.shell.refreshing = True
        try:
            report = await self.gateway.sync()
        finally:
            self.shell.refreshing = False
        status = self.gateway.status()
        if status.problem and status.online is not False:
            self.tell(status.problem, "bad" if status.sign_in_needed else "warn")
        elif report.online:
            self.tell(words.up_to_date(self.clock(self.now()), report.rows + report.gone))
        else:
            last = when(status.last_contact, self.now(), self.zone) if status.last_contact else None
            self.tell(words.not_fetched(last), "calm")

    def show_day(self, day: date | None) -> None:
        """The list of another day; None, or today itself, is today's."""
        today = self.true_now.astimezone(self.zone).date()
        self.shell.notice = None
        self.shell.day = None if day == today else day

    def hide_sketch(self, hidden: bool) -> None:
        """Whether the route is drawn above the list; kept on this device."""
        if self._prefer(sketch_hidden="yes" if hidden else "no"):
            self.shell.revision += 1

    def take_note(self, seen: Callable[[], None]) -> None:
        """What changed of a job, or of all of them, is news no more. A full device shows it once more."""
        with contextlib.suppress(NotSaved):
            seen()

    def choose(self, look: Look) -> None:
        """Speak and look so from now on, also after a start anew."""
        if not self._prefer(language=look.language, theme=look.theme, text=str(look.text)):
            return
        self._wear(look)
        self.shell.notice = None
        self.shell.look = look

    # the lock

    def lock(self) -> None:
        """Ask for the PIN from now on; without one, nothing happens."""
        if self.gateway.lock.is_set:
            self.shell.notice = None
            self.shell.locked = True

    def unlock(self) -> None:
        """The PIN was right, or a new registration has taken it away."""
        self.auto_lock.touch()
        self.shell.locked = False
        self._ask_for_pin()  # now its length is known

    def _ask_for_pin(self) -> None:
        """At once; in the middle of something once that is saved or left: a customer may be signing."""
        due = self.gateway.pin_due
        if not due or not is_in_the_middle(self.shell.route):
            self.shell.pin_due = due

    def lock_if_due(self) -> float | None:
        """Lock when it is time; the seconds until it may be, None while nothing is to be done."""
        if self.shell.locked or not self.gateway.lock.is_set:
            return None
        left = self.auto_lock.seconds_left()
        if left == 0:
            self.lock()
            return None
        return left

    def lock_after(self, minutes: int) -> None:
        if self._prefer(lock_minutes=str(minutes)):
            self.shell.revision += 1

    # photos

    def send_photos(self, by: str) -> None:
        """`by` is "any" network or "wifi", from now on."""
        if self._prefer(photos=by):
            self.shell.revision += 1
            self.nudge()

    def send_photos_now(self) -> None:
        self.gateway.send_photos_now()
        self.nudge()

    def say_where(self, chosen: str) -> None:
        """Whether photos keep where they were taken. The browser asks for leave now, not at a photo."""
        if not self._prefer(photo_place=chosen):
            return
        self.shell.revision += 1
        if chosen == "yes" and self._run is not None:

            async def ask() -> None:
                if await here() is None:
                    self.tell(words.PLACE_REFUSED, "warn")

            self._run(ask)

    # drafts: what a person entered is kept until it is saved, also over a look at another screen

    def draft(self, name: str, default: Any = "", *, route: str | None = None) -> Any:
        """`route`: by default, that of the screen that is shown."""
        return self.forms.drafts.get((route or self.shell.route, name), default)

    def keep_draft(self, name: str, value: Any, *, route: str | None = None) -> None:
        self.auto_lock.touch()
        self.forms.enter(route or self.shell.route, name, value)

    def drop_drafts(self) -> None:
        self.forms.drop(self.shell.route)

    def _soon(self, settle: Callable[[], bool]) -> None:
        async def wait() -> None:
            await asyncio.sleep(FORM_SECONDS)
            while settle():
                await asyncio.sleep(FORM_SECONDS)

        if self._run is not None:
            self._run(wait)
            return
        while settle():
            pass

    def _can_be_used(self, route: str) -> bool:
        """A form of a job that has gone, or is over, is nobody's any more; nor is a day leafed to."""
        name, order_id, _ = parse_route(route)
        if name != "job":
            return name != "time"
        order = self.gateway.order(order_id) if order_id else None
        return order is not None and not order.state.is_over

    # reading what several screens need

    @property
    def zone(self) -> tzinfo | None:
        """Where the technician works; None: the device's own."""
        return self.gateway.zone

    @property
    def true_now(self) -> datetime:
        """By the office's clock, as far as this device knows it: which day it is, and who is late."""
        return self.gateway.at()

    @property
    def held_days(self) -> tuple[date, date] | None:
        """The first and the last day whose jobs are on this device; None before the first contact."""
        last_contact = true_contact(self.gateway.status())
        return held_days(last_contact, self.zone) if last_contact else None

    def clock(self, instant: datetime) -> str:
        return words.clock(instant.astimezone(self.zone))

    def readiness(self) -> Readiness:
        """Whether all is here for the coming jobs; looked at once a minute, and after each change."""
        asked = (self.shell.minute, self.shell.page_facts.starts_offline)
        if self._ready is None or self._ready[0] != asked:
            status = self.gateway.status()
            found = readiness(
                self.gateway.images,
                is_whole=status.whole,
                last_contact=true_contact(status),
                starts_offline=self.shell.page_facts.starts_offline,
                now=self.true_now,
                zone=self.zone,
            )
            self._ready = (asked, found)
        return self._ready[1]

    def needs_attention(self) -> int:
        """Entries of the queue that need a person; counted once a change, for it reads them all."""
        if self._attention is None:
            self._attention = attention(self.gateway.queue(), self.now())
        return self._attention


def true_contact(status: SyncStatus) -> datetime | None:
    """When the office was last heard, by its own clock."""
    off = timedelta(seconds=status.clock_offset_seconds)
    return status.last_contact + off if status.last_contact else None


def job_route(order_id: UUID, screen: str = "") -> str:
    return f"/job/{order_id}" + (f"/{screen}" if screen else "")


def parse_route(route: str) -> tuple[str, UUID | None, str]:
    """('job', its id, screen within it), ('sign-in', None, the code from a link) or another screen's name."""
    match [part for part in route.split("?")[0].split("/") if part]:
        case ["job", key, *rest]:
            try:
                return "job", UUID(key), rest[0] if rest else ""
            except ValueError:
                return "today", None, ""
        case ["fetch", key]:
            try:
                return "fetch", UUID(key), ""
            except ValueError:
                return "requests", None, ""
        case [
            "stock"
            | "count"
            | "give"
            | "take"
            | "ask"
            | "requests"
            | "fault"
            | "sync"
            | "settings"
            | "time"
            | "pin" as name
        ]:
            return name, None, ""
        case ["sign-in", *code]:
            return "sign-in", None, code[0] if code else ""
    return "today", None, ""


def is_in_the_middle(route: str) -> bool:
    """Whether something is being entered there that is to be saved first."""
    name, _, screen = parse_route(route)
    return name in ("count", "give", "take", "ask", "fetch", "fault") or (name == "job" and bool(screen))


def _before_parts(route: str) -> str:
    """Where one goes back to from the requests for parts; empty: as before, for one was among them."""
    name, order_id, screen = parse_route(route)
    if name == "job" and order_id and screen == "ask":
        return job_route(order_id)
    return "" if name in ("ask", "fetch", "give", "requests", "take") else route


def parent_route(route: str) -> str:
    name, order_id, screen = parse_route(route)
    if name in ("count", "give", "take", "ask", "requests"):
        return "/stock"
    if name == "fetch":
        return "/requests"
    if name == "pin":
        return SETTINGS
    return job_route(order_id) if name == "job" and order_id and screen else "/"
