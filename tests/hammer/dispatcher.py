"""The office at work over HTTP while everything around it is being killed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
from simulation.chance import Dice

Acted = tuple[str, str]
"""Work order (32 hex digits), type of the command."""


class Dispatcher:
    """Hands out jobs, moves them about, takes some away, decides what is held.

    `acknowledged` counts what the server said is done: each is in the command log, or a promise was broken.
    """

    def __init__(
        self, url: str, cookie: str, csrf: str, crew: Sequence[UUID],
        given: Sequence[UUID], waiting: Sequence[UUID],
    ) -> None:  # fmt: skip
        self._client = httpx.AsyncClient(
            base_url=url, timeout=20, cookies={"truckroll_session": cookie}, headers={"X-CSRF-Token": csrf}
        )
        self._crew = list(crew)
        self._waiting = list(waiting)
        self._given = list(given)
        self.allowed = 0
        """How many more of the waiting jobs may be handed out by now."""
        self.acknowledged: Counter[Acted] = Counter()
        self.refused = self.failed = 0

    async def close(self) -> None:
        await self._client.aclose()

    async def work(self, dice: Dice, stop: Callable[[], bool]) -> None:
        while not stop():
            kind = dice.choices(("give", "move", "unassign", "cancel", "held"), (12, 4, 1, 1, 2))[0]
            if kind == "give" and self.allowed > 0 and self._waiting:
                order = self._waiting.pop()
                if await self._assign(order, dice):
                    self._given.append(order)
                    self.allowed -= 1
                else:
                    self._waiting.append(order)
            elif kind == "held":
                await self._decide(dice)
            elif self._given and kind != "give":
                order = dice.pick(self._given[-40:])
                if kind == "move":
                    await self._assign(order, dice)
                elif kind == "unassign":
                    await self._post(order, "unassign_work_order", "unassign", {})
                else:
                    await self._post(order, "cancel_work_order", "cancel", {"reason": "The customer called"})
            await asyncio.sleep(dice.uniform(0.02, 0.1))

    async def _assign(self, order: UUID, dice: Dice) -> bool:
        start = datetime.now(UTC) + timedelta(minutes=dice.randint(0, 30))
        body = {"technician_id": str(dice.pick(self._crew)), "planned_start": start.isoformat()}
        return await self._post(order, "assign_work_order", "assign", body)

    async def _post(self, order: UUID, type_: str, route: str, body: dict[str, str]) -> bool:
        try:
            answer = await self._client.post(f"/api/work-orders/{order}/{route}", json=body)
        except httpx.HTTPError:
            self.failed += 1
            return False
        if answer.is_success:
            self.acknowledged[order.hex, type_] += 1
        elif answer.is_client_error:
            self.refused += 1
        else:
            self.failed += 1
        return answer.is_success

    async def _decide(self, dice: Dice) -> None:
        """A clerk takes one of the held commands and sets it aside, or books it."""
        try:
            listed = await self._client.get("/api/inbox", params={"limit": 20})
            items = listed.json()["items"] if listed.is_success else []
            if not items:
                return
            chosen = dice.pick(items)["id"]
            if dice.happens(0.5):
                answer = await self._client.post(f"/api/inbox/{chosen}/accept", json={})
            else:
                answer = await self._client.post(
                    f"/api/inbox/{chosen}/dismiss", json={"reason": "It was done twice"}
                )
        except httpx.HTTPError:
            self.failed += 1
            return
        self.refused += answer.is_client_error
        self.failed += answer.is_server_error
