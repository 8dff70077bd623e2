"""Orders in over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from sqlalchemy.exc import IntegrityError

from server.access.guard import require
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.customers.links import visit_link
from server.dependencies import DatabaseDep, SettingsDep
from server.work_orders.intake import CustomerOrder, place
from shared.checklists import TEMPLATES
from shared.problems import BadValue
from shared.work_orders import CheckItem, WorkOrderKind
from sync.server.ports import TryAgain

router = APIRouter(tags=["work orders"])

OrderTaker = Annotated[Person, Depends(require(Permission.TAKE_ORDERS), scope="function")]
Looker = Annotated[Person, Depends(require(Permission.SEE_BOARD), scope="function")]
TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOrder:
    """`visit_link`: the path of the customer's own page."""

    id: UUID
    number: str
    state: str
    visit_link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistTemplate:
    """What new orders of `kind` are asked. An order keeps the version that it was made with.

    A number without limits, such as the download speed, has those of the order's plan.
    """

    kind: WorkOrderKind
    version: int
    items: tuple[CheckItem, ...]


@router.get("/api/checklists")
def list_checklists(person: Looker) -> list[ChecklistTemplate]:
    """The checklist of each kind of work order, as new orders get it."""
    return [
        ChecklistTemplate(kind=kind, version=template.version, items=template.items)
        for kind, template in TEMPLATES.items()
    ]


@router.post("/api/orders", status_code=201)
def place_order(
    body: CustomerOrder, request: Request, person: OrderTaker, database: DatabaseDep, settings: SettingsDep
) -> PlacedOrder:
    """Take a customer's order. It is on the board at once, and in the next plan of its day."""
    now = utc_now()
    if body.window_end is not None and body.window_end.tzinfo is not None and body.window_end <= now:
        raise BadValue("The promised time is over already", field="window_end")
    for _ in range(TRIES):
        try:
            with database.write() as session:
                row = place(session, settings, body, actor=person.name, now=now)
        except IntegrityError:
            continue  # somebody took the same number in this moment
        request.app.state.live.wake()
        link = visit_link(settings, row.id)
        return PlacedOrder(id=row.id, number=row.number, state=row.state, visit_link=link)
    raise TryAgain
