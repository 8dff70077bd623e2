"""Today's list for the page to show while the app starts. The page draws it; Python is not there yet by then.

It holds what the technician was last shown and the time of that, and nothing of what is saved or sent: that
may have changed since, and only the outbox knows. Where there is a PIN it holds nothing but that.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, time, timedelta

from mobile import words
from mobile.gateway import Gateway
from mobile.views.today import JobCardView, day_view

REST_SECONDS = 1.0  # a tap is answered first


class FirstScreen:
    """One task of the app's event loop. It calls `keep` with the text; None when there is nothing to show."""

    def __init__(
        self, gateway: Gateway, now: Callable[[], datetime], keep: Callable[[str | None], None]
    ) -> None:
        self._gateway = gateway
        self._now = now
        self._keep = keep
        self._stale = asyncio.Event()
        self._stale.set()
        gateway.subscribe(self._stale.set)

    async def run(self) -> None:
        while True:
            await self._stale.wait()
            if not self._gateway.lock.is_set:  # what must not be shown any more goes at once
                await asyncio.sleep(REST_SECONDS)
            self._stale.clear()
            self._keep(first_screen(self._gateway, self._now()))


def first_screen(gateway: Gateway, now: datetime) -> str | None:
    """As JSON. `until`: when the day is over by the device's clock, in milliseconds since 1970.

    `now` is by that clock too; which day it is, and who is late, is by the office's.
    """
    if gateway.lock.is_set:  # each start begins locked
        return json.dumps(_locked(now), ensure_ascii=False)
    if not gateway.registered or gateway.profile is None or gateway.pin_due:
        return None  # where a PIN has to be set first, nothing is shown before it either
    zone = gateway.zone
    true_now = gateway.at()
    day = day_view(gateway.today(), gateway.product, true_now, zone)
    here = true_now.astimezone(zone)
    midnight = datetime.combine(here.date() + timedelta(days=1), time(), here.tzinfo)
    shown = {
        "until": round((midnight + (now - true_now)).timestamp() * 1000),
        "date": day.date,
        "done": words.progress(day.done, len(day.cards)) if day.cards else words.NO_JOBS,
        "as_of": words.as_of(f"{here:%H:%M}"),
        "cards": [_card(card) for card in day.cards],
    }
    return json.dumps(shown, ensure_ascii=False)


def _locked(now: datetime) -> dict[str, object]:
    until = round((now + timedelta(days=3650)).timestamp() * 1000)
    return {"until": until, "date": words.LOCKED, "done": "", "as_of": words.LOCKED_STARTING, "cards": []}


def _card(card: JobCardView) -> dict[str, object]:
    """`over` fades it; `lines` stand below the heading."""
    return {
        "over": card.state.is_over,
        "starts": card.starts,
        "state": words.STATES[card.state],
        "heading": words.KINDS[card.kind],
        "lines": [card.customer, f"{card.street} · {card.number}", *card.facts],
    }
