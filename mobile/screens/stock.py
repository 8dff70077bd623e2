"""What the van carries."""

from __future__ import annotations

import flet as ft

from mobile import theme, words
from mobile.parts.blocks import card, facts, line, side_by_side, tag, title
from mobile.parts.frame import frame
from mobile.parts.touch import secondary, tappable
from mobile.state import Desk
from mobile.views.stock import StockRow, stock_groups


@ft.component
def Stock(desk: Desk) -> ft.Control:
    opened, set_opened = ft.use_state(frozenset())
    body: list[ft.Control] = []
    carried, profile = desk.gateway.van_stock(), desk.gateway.profile
    if carried:
        count = secondary(words.COUNT, lambda: desk.go("/count"), icon=ft.Icons.FACT_CHECK_OUTLINED)
        body.append(count)
    if profile:
        give = secondary(words.GIVE, lambda: desk.go("/give"), icon=ft.Icons.CALL_MADE)
        take = secondary(words.TAKE, lambda: desk.go("/take"), icon=ft.Icons.CALL_RECEIVED)
        body.append(side_by_side(give, take))
        ask = secondary(words.ASK_PART, lambda: desk.go("/ask"), icon=ft.Icons.FRONT_HAND_OUTLINED)
        body.append(ask)
        if open_ := sum(one.is_open for one in desk.gateway.part_requests()):
            named = words.listed([words.ASKED_PARTS, words.parts_open(open_)])
            body.append(secondary(named, lambda: desk.go("/requests"), icon=ft.Icons.INBOX_OUTLINED))
    for name, rows in stock_groups(carried):
        body.append(title(name))
        for row in rows:
            body.append(_row(row, row.sku in opened, lambda sku=row.sku: set_opened(lambda old: old ^ {sku})))
    if not carried:
        body.append(line(words.STOCK_EMPTY))
    body.append(ft.Container(height=4))
    return frame(
        desk,
        words.STOCK,
        body,
        second=profile.van_name if profile else "",
    )


def _row(row: StockRow, opened: bool, toggle) -> ft.Control:  # type: ignore[no-untyped-def]
    named: list[ft.Control] = [
        ft.Text(row.name, size=theme.BODY, weight=ft.FontWeight.W_600),
        ft.Text(row.maker, size=theme.SMALL, color=theme.QUIET),
    ]
    if row.low:
        named.append(tag(words.LOW, ink=theme.BAD, back=theme.BAD_BACK, icon=ft.Icons.TRENDING_DOWN))
    if row.facts:
        named.append(facts(row.facts))
    count = ft.Text(row.count, size=theme.HUGE, weight=ft.FontWeight.W_700)
    head: list[ft.Control] = [ft.Column(named, spacing=3, expand=True), count]
    if row.serials:
        head.append(
            ft.Icon(ft.Icons.EXPAND_LESS if opened else ft.Icons.EXPAND_MORE, size=28, color=theme.ACCENT)
        )
    serials = row.serials if opened else ()
    drawn = card(
        ft.Row(head, spacing=10),
        *(ft.Text(serial, size=theme.BODY) for serial in serials),
        edge=theme.BAD if row.low else theme.LINE,
    )
    label = words.listed((row.label, *serials))
    if row.serials:
        return tappable(drawn, label, toggle)
    return ft.Semantics(content=drawn, label=label, container=True, exclude_semantics=True)
