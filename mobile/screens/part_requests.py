"""Parts that colleagues ask of this van, and that this technician asked for."""

from __future__ import annotations

import flet as ft

from mobile import theme, words
from mobile.parts.blocks import card, facts, line, title
from mobile.parts.frame import frame
from mobile.parts.touch import primary, secondary
from mobile.state import Desk
from mobile.views.parts_asked import Request, request_lines
from shared.stock_commands import AnswerPartRequest, WithdrawPartRequest


@ft.component
def PartRequests(desk: Desk) -> ft.Control:
    gateway, me = desk.gateway, desk.gateway.technician_id
    of_me, by_me = (
        request_lines(
            gateway.part_requests(),
            me,
            gateway.requests_waiting(),
            gateway.supply,
            gateway.catalogue,
            desk.true_now,
            desk.zone,
        )
        if me
        else ((), ())
    )
    body: list[ft.Control] = []
    for name, requests in ((words.ASKED_OF_YOU, of_me), (words.YOU_ASKED, by_me)):
        if requests:
            body.append(title(name))
            body += [_request(desk, request) for request in requests]
    if not body:
        body.append(line(words.NOTHING_ASKED))
    body.append(line(words.NO_PROMISE, quiet=True, size=theme.SMALL))
    bottom = [primary(words.ASK_PART, lambda: desk.go("/ask"), icon=ft.Icons.FRONT_HAND)]
    return frame(desk, words.ASKED_PARTS, body, back=True, bottom=bottom)


def _request(desk: Desk, request: Request) -> ft.Control:
    def answer(can: bool) -> None:
        said = words.ANSWER_SAVED_YES if can else words.ANSWER_SAVED_NO
        desk.send(AnswerPartRequest(request_id=request.id, can=can), said=f"{said}. {words.SAVED}")

    def withdraw() -> None:
        desk.send(WithdrawPartRequest(request_id=request.id), said=f"{words.DID_WITHDRAW}. {words.SAVED}")

    rows: list[ft.Control] = [line(request.heading, bold=True), facts(request.facts)]
    if request.note:
        rows.append(line(request.note))
    if request.can_hand_over:
        rows.append(secondary(words.HAND_IT_OVER, lambda: desk.go("/give"), icon=ft.Icons.CALL_MADE))
    if request.can_answer:
        if not request.can_hand_over:
            rows.append(secondary(words.CAN_GIVE, lambda: answer(True), icon=ft.Icons.CHECK))
        rows.append(secondary(words.CANNOT_GIVE, lambda: answer(False), icon=ft.Icons.CLOSE, danger=True))
    if request.can_take:
        rows.append(secondary(words.TAKE_IT_OVER, lambda: desk.go("/take"), icon=ft.Icons.CALL_RECEIVED))
    if request.can_fetch:
        fetch = secondary(
            words.FETCHED, lambda: desk.go(f"/fetch/{request.id}"), icon=ft.Icons.STORE_OUTLINED
        )
        rows.append(fetch)
    if request.can_withdraw:
        rows.append(secondary(words.NEED_NO_MORE, withdraw, icon=ft.Icons.UNDO, danger=True))
    wants_you = request.can_answer and not request.can_hand_over
    return card(*rows, edge=theme.WARN if wants_you else theme.LINE)
