"""What customers are told, in their language. Queued in the transaction that caused it; sent elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from server.customers.models import CustomerRow
from shared.work_orders import WorkOrder

WORDS: dict[str, dict[str, str]] = {
    "on_the_way": {
        "en": "{technician} is on the way to you for {number}.",
        "fi": "{technician} on matkalla luoksesi, työ {number}.",
        "sv": "{technician} är på väg till dig, uppdrag {number}.",
        "de": "{technician} ist unterwegs zu Ihnen, Auftrag {number}.",
    },
    "completed": {
        "en": "{number} was completed at {time}. {plan} is ready. Thank you!",
        "fi": "Työ {number} valmistui klo {time}. {plan} on valmis. Kiitos!",
        "sv": "Uppdrag {number} blev klart {time}. {plan} är redo. Tack!",
        "de": "Auftrag {number} wurde um {time} abgeschlossen. {plan} ist bereit. Vielen Dank!",
    },
    "disconnected": {
        "en": "{number} was completed at {time}. Your service has ended. Thank you for having been with us.",
        "fi": "Työ {number} valmistui klo {time}. Palvelusi on päättynyt. Kiitos ajastasi.",
        "sv": "Uppdrag {number} blev klart {time}. Din tjänst är avslutad. Tack för tiden med oss.",
        "de": "Auftrag {number} ist seit {time} erledigt. Ihr Anschluss ist beendet. Danke für Ihre Treue.",
    },
    "unfinished": {
        "en": "We could not finish {number} today. We will call you to agree on a new time.",
        "fi": "Emme saaneet työtä {number} valmiiksi tänään. Soitamme sinulle uudesta ajasta.",
        "sv": "Vi kunde inte slutföra {number} i dag. Vi ringer dig om en ny tid.",
        "de": "Wir konnten {number} heute nicht abschließen. Wir rufen Sie wegen eines neuen Termins an.",
    },
}


def render(template: str, language: str, **facts: str) -> str:
    """The sentence in `language`, in English where we lack it."""
    texts = WORDS[template]
    return texts.get(language, texts["en"]).format(**facts)


def notice(
    template: str,
    order: WorkOrder,
    customer: CustomerRow,
    *,
    id: UUID,
    technician: str,
    happened_at: datetime,
    zone: ZoneInfo,
    at: datetime,
) -> dict[str, Any]:
    """One message about `order`, as a row of NoticeRow. Each template is told once an order."""
    body = render(
        template,
        customer.language,
        technician=technician.split(" ")[0],
        number=order.number,
        plan=order.service.plan_name,
        time=happened_at.astimezone(zone).strftime("%H:%M"),
    )
    return {
        "id": id,
        "customer_id": customer.id,
        "work_order_id": order.id,
        "template": template,
        "channel": "sms" if customer.phone else "email",
        "recipient": customer.phone or customer.email,
        "language": customer.language,
        "body": body,
        "state": "queued",
        "queued_at": at,
    }
