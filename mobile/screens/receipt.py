"""What the customer keeps of a visit that is done: on the screen, and as a code for their own phone."""

from __future__ import annotations

from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.language import spoken
from mobile.parts.blocks import card, line, mood_box, section
from mobile.parts.frame import frame
from mobile.parts.qr import qr_code
from mobile.parts.touch import primary
from mobile.parts.turned import amount_row, fact_row, turned, use_direction
from mobile.screens.guard import gone
from mobile.state import Desk
from mobile.views.price import receipt_view
from shared.work_orders import WorkOrderState


@ft.component
def Receipt(desk: Desk, order_id: UUID) -> ft.Control:
    order, profile = desk.gateway.order(order_id), desk.gateway.profile
    view = None
    if order and profile and order.state is WorkOrderState.COMPLETED:
        view = receipt_view(
            order,
            company=profile.company,
            technician=profile.name if order.technician_id == profile.technician_id else "",
            tax_basis_points=profile.tax_basis_points,
            lookup=desk.gateway.product,
            zone=desk.zone,
            at_office=desk.gateway.closed_at_office(order_id),
        )
    use_direction(view.right_to_left if view else spoken().right_to_left)
    if order is None:
        return gone(desk, words.RECEIPT)
    if view is None:
        return frame(desk, words.RECEIPT, [mood_box(words.NOT_CLOSED_YET, "warn")], back=True)
    amounts = [amount_row(what, amount) for what, amount in view.rows]
    if view.total:
        amounts.append(amount_row(*view.total, bold=True))
    if view.tax:
        amounts.append(line(view.tax, quiet=True, size=theme.SMALL))
    if view.agreed:
        amounts.append(line(view.agreed))
    body: list[ft.Control] = [
        card(line(view.work, bold=True, size=theme.LARGE), *(fact_row(*fact) for fact in view.facts)),
        *([card(*amounts)] if amounts else []),
        card(line(view.scan, bold=True), qr_code(view.code, view.scan)),
        *(section(heading, *(line(text) for text in lines)) for heading, lines in view.parts),
    ]
    return turned(
        desk,
        view.title,
        body,
        bottom=[primary(words.NEXT_JOB, lambda: desk.go("/"), icon=ft.Icons.LIST)],
    )
