"""Report a fault of a street cabinet: what is seen, whom it hits, whether it is safe, with photos."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.device.photos import PhotoError, pick_picture, shrink
from mobile.device.place import Spot, here
from mobile.parts.blocks import card, line, mood_box, section
from mobile.parts.drafts import use_draft
from mobile.parts.fields import text_field
from mobile.parts.frame import frame
from mobile.parts.stepper import stepper
from mobile.parts.touch import chip, choice, primary, secondary
from mobile.state import Desk
from mobile.views.network_faults import fault_line, missing
from shared.network_faults import NOTE_LENGTH_MAX, PHOTOS_MAX, FaultSign, ReportNetworkFault


@ft.component
def ReportFault(desk: Desk, order_id: UUID | None = None) -> ft.Control:
    gateway = desk.gateway
    order = gateway.order(order_id) if order_id else None
    known = gateway.cabinets()
    cabinet, set_cabinet = use_draft(desk, "cabinet", order.place.cabinet if order else None)
    sign, set_sign = use_draft(desk, "sign", None)
    ports, set_ports = use_draft(desk, "ports", 0)
    customers, set_customers = use_draft(desk, "customers", 0)
    safe, set_safe = use_draft(desk, "safe", None)
    note, set_note = use_draft(desk, "note", "")
    photos, set_photos = use_draft(desk, "photos", ())
    spot, set_spot = use_draft(desk, "spot", None)
    busy, set_busy = ft.use_state(False)
    route, _ = ft.use_state(lambda: desk.shell.route)
    done = ft.use_ref(False)  # two quick taps are one report

    async def photograph() -> None:
        try:
            picture = await pick_picture()
            if picture is None:
                return
            set_busy(True)
            photo = await shrink(picture)
        except PhotoError as error:
            desk.tell(str(error), "bad")
            return
        finally:
            set_busy(False)
        set_photos((*desk.draft("photos", (), route=route), photo.jpeg))  # one may have left the screen

    def remove(number: int) -> None:
        now = desk.draft("photos", ())
        set_photos((*now[: number - 1], *now[number:]))

    async def locate() -> None:
        found: Spot | None = await here()
        if found is None:
            desk.tell(words.PLACE_REFUSED, "warn")
        set_spot(found)

    def send() -> None:
        if done.current:
            return
        report = ReportNetworkFault(
            report_id=gateway.mint(),
            cabinet=desk.draft("cabinet", cabinet),
            sign=sign,
            safe=safe,
            ports=desk.draft("ports", 0) or None if sign is FaultSign.NO_LIGHT else None,
            customers=desk.draft("customers", 0) or None,
            note=desk.draft("note").strip(),
            for_order_id=order.id if order else None,
        )
        sent = desk.keep(
            lambda: gateway.report_fault(report, desk.draft("photos", ()), desk.draft("spot", None)),
            said=f"{words.did_report(report.cabinet)}. {words.SAVED}",
        )
        if sent:
            done.current = True
            desk.drop_drafts()
            desk.back_keeping_notice()

    if not known:
        return frame(desk, words.REPORT_FAULT, [mood_box(words.NO_CABINET, "warn")], back=True)
    body: list[ft.Control] = []
    if order is None or not order.place.cabinet:
        rows = [
            choice(
                words.cabinet(name), words.cabinet(name), name == cabinet, lambda name=name: set_cabinet(name)
            )
            for name in known
        ]
        body.append(section(words.WHICH_CABINET, *rows))
    if cabinet is None:
        return frame(desk, words.REPORT_FAULT, body, back=True)
    if fault := known.get(cabinet):
        text = f"{fault_line(fault, desk.now(), desk.zone)}. {words.JOINS_FAULT}"
        body.append(mood_box(text, "warn", heading=words.cabinet(cabinet)))
    body.append(
        _chips(
            words.WHAT_YOU_SEE,
            *(chip(words.FAULT_SIGNS[one], one is sign, lambda one=one: set_sign(one)) for one in FaultSign),
        )
    )
    unreadable = []
    if sign is FaultSign.NO_LIGHT:
        body.append(_count(words.PORTS_DARK, ports, set_ports))
        unreadable.append(ports)
    body.append(_count(words.CUSTOMERS_HIT, customers, set_customers))
    unreadable.append(customers)
    answers = ((True, words.IT_IS_SAFE), (False, words.IT_IS_NOT_SAFE))
    body.append(
        _chips(
            words.IS_IT_SAFE,
            *(chip(text, safe is key, lambda key=key: set_safe(key)) for key, text in answers),
        )
    )
    if safe is False:
        body.append(mood_box(words.NOT_SAFE_HINT, "bad"))
    body.append(
        text_field(
            words.FAULT_NOTE,
            note,
            multiline=True,
            min_lines=2,
            max_lines=4,
            max_length=NOTE_LENGTH_MAX,
            text_size=theme.BODY,
            on_change=set_note,
        )
    )
    if photos:
        body.append(line(words.photos(len(photos)), bold=True))
        for number, photo in enumerate(photos, start=1):
            body += [_picture(number, photo), _remove(number, remove)]
    if len(photos) < PHOTOS_MAX:
        text = words.WORKING_ON_PHOTO if busy else words.TAKE_ANOTHER if photos else words.TAKE_FAULT_PHOTO
        body.append(secondary(text, photograph, icon=ft.Icons.PHOTO_CAMERA, disabled=busy))
    if spot is None:
        body.append(secondary(words.SAY_PLACE_OF_FAULT, locate, icon=ft.Icons.MY_LOCATION))
    else:
        body.append(line(words.PLACE_IS_SENT))
        body.append(secondary(words.SEND_NO_PLACE, lambda: set_spot(None), icon=ft.Icons.LOCATION_OFF))
    lacks = missing(sign, safe, note)
    disabled = lacks is not None or busy or any(isinstance(count, str) for count in unreadable)
    return frame(
        desk,
        words.REPORT_FAULT,
        body,
        second=words.cabinet(cabinet),
        back=True,
        bottom=[primary(lacks or words.SEND_REPORT, send, icon=ft.Icons.REPORT_OUTLINED, disabled=disabled)],
    )


def _chips(heading: str, *chips: ft.Control) -> ft.Control:
    return section(heading, ft.Row(list(chips), wrap=True, spacing=8, run_spacing=8))


def _count(name: str, count: int | str, changed: Callable[[int | str], None]) -> ft.Control:
    refusal = [mood_box(words.not_whole(count, by_the_metre=False), "bad")] if isinstance(count, str) else []
    return card(line(name, bold=True), stepper(name, count, "", changed), *refusal)


def _remove(number: int, remove: Callable[[int], None]) -> ft.Control:
    name = words.remove(words.photo_number(number))
    return secondary(name, lambda: remove(number), icon=ft.Icons.DELETE_OUTLINE)


def _picture(number: int, jpeg: bytes) -> ft.Control:
    return ft.Container(
        content=ft.Image(
            src=jpeg,
            fit=ft.BoxFit.COVER,
            height=180,
            semantics_label=words.photo_number(number),
            gapless_playback=True,
        ),
        border_radius=theme.RADIUS,
        clip_behavior=ft.ClipBehavior.ANTI_ALIAS,
    )
