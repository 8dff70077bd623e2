"""The customer's answer to a price. Words: welcome at any time, and they take nothing over."""

from __future__ import annotations

import re
from datetime import datetime

from shared import commands as cmd
from shared import events as ev
from shared import visit_rules as visit
from shared.agreed import answer_that_counts
from shared.conflicts import CONFLICTS
from shared.problems import BadEvidence, BadValue
from shared.remarks import Remark
from shared.situation import Situation
from shared.work_orders import Consent, EvidenceKind, EvidenceRef

CHARGES_MAX = 200
CONSENTS_MAX = 50
"""So many answers one job keeps: each is in its row, which every phone of the job has."""
MINOR_MAX = 10**12
LANGUAGE_LENGTH_MAX = 35  # RFC 5646
VERSION_LENGTH_MAX = 64
TEXT_LENGTH_MAX = 200
_CURRENCY = re.compile(r"[A-Z]{3}")


def consent_to_charge(command: cmd.ConsentToCharge, now: Situation, at: datetime) -> visit.Outcome:
    """Keep what was shown and what was said to it. A newer answer that is here already counts on."""
    if len(now.order.consents) >= CONSENTS_MAX:
        raise BadValue(
            f"{now.order.number} has {CONSENTS_MAX} answers to its price: let dispatch agree it by phone",
            field="work_order_id",
        )
    _check_bill(command)
    name = visit.printable(command.name).strip()
    if not name and not command.refused:
        raise BadValue("Write the name of who agreed", field="name")
    if len(name) > visit.CONTACT_LENGTH_MAX:
        detail = f"The name holds {visit.CONTACT_LENGTH_MAX} characters, this has {len(name)}"
        raise BadValue(detail, field="name")
    if command.signature is not None:
        _check_signature(command.signature)
    consent = Consent(
        bill=command.bill,
        name=name,
        refused=command.refused,
        by=now.actor_id,
        at=at,
        language=visit.printable(command.language)[:LANGUAGE_LENGTH_MAX],
        price_version=visit.printable(command.price_version)[:VERSION_LENGTH_MAX],
        signature=command.signature,
    )
    remarks: tuple[Remark, ...] = ()
    if (counts := answer_that_counts(now.order)) is not None and counts.at > at:
        remarks = (CONFLICTS["price-answered-twice"].remarked(number=now.order.number),)
    return (ev.ChargeAnswered(consent=consent),), remarks


def _check_bill(command: cmd.ConsentToCharge) -> None:
    bill = command.bill
    if not _CURRENCY.fullmatch(bill.currency):
        raise BadValue("A currency has three capital letters", field="bill")
    if not 1 <= len(bill.charges) <= CHARGES_MAX:
        raise BadValue(f"A price has 1 to {CHARGES_MAX} lines", field="bill")
    for charge in bill.charges:
        amounts = (charge.quantity, charge.unit_minor, charge.net_minor, charge.tax_minor)
        if any(abs(amount) > MINOR_MAX for amount in amounts):
            raise BadValue("An amount of the price is too large", field="bill")
        texts = (charge.code, charge.description)
        if any(len(text) > TEXT_LENGTH_MAX or "\x00" in text for text in texts):
            raise BadValue("A line of the price can't be kept", field="bill")
    if len({charge.code for charge in bill.charges}) < len(bill.charges):
        raise BadValue("A line of the price is there twice", field="bill")


def _check_signature(signature: EvidenceRef) -> None:
    if signature.kind is not EvidenceKind.SIGNATURE:
        raise BadEvidence("That is no signature", field="signature")
    visit.check_file(
        signature.kind, size_bytes=signature.size_bytes, digest=signature.digest, field="signature"
    )
