"""What plans are weighed by, over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from server.access.guard import database_of, require
from server.access.people import Person
from server.access.roles import Permission
from server.clock import utc_now
from server.dispatch import policy

router = APIRouter(tags=["plan"])

Looker = Annotated[Person, Depends(require(Permission.SEE_BOARD), scope="function")]
Setter = Annotated[Person, Depends(require(Permission.SET_POLICY), scope="function")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """after: the version looked at. weights: those to change, in cents. territories: None keeps them."""

    after: int
    note: str
    weights: dict[str, int | list[int]] = field(default_factory=dict)
    territories: dict[str, list[str]] | None = None


@router.get("/api/policy")
def policies(request: Request, person: Looker) -> Response:
    """Every version of the policy, the one in force first, each with who made it and why."""
    with database_of(request).read() as session:
        return _json(policy.versions(session))


@router.post("/api/policy")
def change(request: Request, person: Setter, body: PolicyChange) -> Response:
    """Put a new version in force. 409 when somebody else has meanwhile."""
    with database_of(request).write() as session:
        made = policy.change(
            session,
            after=body.after,
            weights=body.weights,
            territories=body.territories,
            note=body.note,
            who=person.name,
            now=utc_now(),
        )
    return _json(made)


def _json(value: Any) -> Response:
    return Response(
        msgspec.json.encode(value), media_type="application/json", headers={"Cache-Control": "no-store"}
    )
