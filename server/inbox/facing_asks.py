"""Both values of a question about booked work: what the technician says, and what stands beside it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from server.db.feed_models import CommandRow
from server.dispatch.meaning import in_words
from server.inbox.facing import NOTHING, Facing, Reader, the_job
from server.inbox.reading import fields_of
from server.office import OFFICE
from shared.charges import Bill
from shared.checklists import item_of, said, standing
from shared.money import Money
from shared.work_orders import Answer, CheckItem, CheckResult, Consent, ContactField, WorkOrder


def both_sides(
    slug: str, sent: Sequence[CommandRow], order: WorkOrder, other: WorkOrder | None, reader: Reader
) -> tuple[Facing, ...]:
    """`sent`: the commands that were remarked on. Where the sentence has both values already: nothing."""
    match slug:
        case "contact-changed-twice":
            return tuple(dict.fromkeys(_contact(row, order) for row in sent))
        case "split-done-whole" if other is not None:
            theirs = f"done on {order.number}: {_steps(sent)}"
            return (Facing(what=other.number, theirs=theirs, ours=the_job(other, reader)),)
        case "second-report":
            return (Facing(what=order.number, theirs=_steps(sent), ours=the_job(order, reader)),)
        case "note-edited-twice":
            return tuple(_note(row, order) for row in sent)
        case "check-recorded-twice":
            return tuple(_check(row, order, reader) for row in sent)
        case "charge-not-agreed" if order.bill is not None:
            return (_charge(order, order.bill),)
        case "price-answered-twice":
            return tuple(_answer(row, order, reader) for row in sent)
        case "clock-changed" if sent:
            first = sent[0]
            theirs = f"{reader.clock(first.made_at)} by the phone's clock"
            return (Facing(what="When", theirs=theirs, ours=f"{reader.clock(first.happened_at)}, corrected"),)
    return ()


def _charge(order: WorkOrder, bill: Bill) -> Facing:
    """What it costs, and what its customer said to which price."""
    left_out = bill.left_out
    costs = bill.total - Money(left_out.total_minor if left_out else 0, bill.currency)
    answers = [
        f"{item.name or 'the customer'} {'refused' if item.refused else 'agreed to'} {item.bill.total}"
        for item in order.consents
    ]
    return Facing(what="Price", theirs=f"costs {costs}", ours=" / ".join(answers) or "nobody was asked")


def _answer(row: CommandRow, order: WorkOrder, reader: Reader) -> Facing:
    def words(item: Consent) -> str:
        said = "refused" if item.refused else "agreed to"
        return f"{said} {item.bill.total} at {reader.clock(item.at)}"

    own = [item for item in order.consents if item.at == row.happened_at]
    beside = [item for item in order.consents if item not in own]
    return Facing(
        what="The customer's answer to the price",
        theirs=" / ".join(map(words, own)) or NOTHING,
        ours=" / ".join(map(words, beside)) or NOTHING,
    )


def _steps(sent: Sequence[CommandRow]) -> str:
    return "; ".join(dict.fromkeys(in_words(row.type, row.body) for row in sent))


def _contact(row: CommandRow, order: WorkOrder) -> Facing:
    said = fields_of(row.body)
    field = ContactField(said["field"])
    seen = f"{said.get('value', '')} (saw: {said.get('base') or NOTHING})"
    what = field.value.replace("_", " ").capitalize()
    return Facing(what=what, theirs=seen, ours=order.contact_value(field) or NOTHING)


def _note(row: CommandRow, order: WorkOrder) -> Facing:
    said = fields_of(row.body)
    replaced, text = str(said.get("replaces")), str(said.get("text", ""))
    before = next((note.text for note in order.notes if str(note.id) == replaced), None)
    beside = [note.text for note in order.notes if str(note.replaces) == replaced and note.text != text]
    what = f"Note (before: {before})" if before else "Note"
    return Facing(what=what, theirs=text, ours=" / ".join(beside) or NOTHING)


def _check(row: CommandRow, order: WorkOrder, reader: Reader) -> Facing:
    code = str(fields_of(row.body).get("code", ""))
    said_of: list[CheckResult | Answer] = [*order.checks, *order.answers]
    results = [one for one in said_of if one.code == code]
    own = [result for result in results if result.at == row.happened_at]
    item, counts = item_of(order, code), standing(order, code)

    def all_of(found: Sequence[CheckResult | Answer]) -> str:
        return " / ".join(
            f"{_words(one, item)} at {reader.clock(one.at)}"
            + (f" by {'the office' if one.by == OFFICE else reader.name(one.by)}" if one not in own else "")
            + (" (counts)" if one == counts else "")
            for one in found
        )

    beside = [result for result in results if result not in own]
    return Facing(
        what=item.label if item else code.replace("_", " ").capitalize(),
        theirs=all_of(own) or NOTHING,
        ours=all_of(beside) or NOTHING,
    )


def _words(one: CheckResult | Answer, item: CheckItem | None) -> str:
    if isinstance(one, CheckResult):
        return f"{one.value} {one.unit}"
    if one.skipped is not None:
        return f"left out, {one.skipped.value.replace('_', ' ')}"
    return said(item, one.value) if item else one.value
