"""What happens when the world moved on while somebody worked offline: the rules as a table.

One row a conflict. The rules raise and remark through these rows, the inbox reads them, docs/conflicts.md is
held equal to them, and tests/shared/test_conflicts.py runs a case of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared import problems as why
from shared.problems import Problem
from shared.remarks import Remark


class Outcome(StrEnum):
    """What becomes of the command that met the conflict."""

    ACCEPTED = "accepted"
    REMARKED = "accepted with a remark"
    HELD = "held"  # kept whole, a dispatcher decides
    REFUSED = "refused"  # to a person who is online and can look again; never to queued work


class Proposal(StrEnum):
    """What a dispatcher is offered. All of them are one click."""

    BILL = "bill"  # reopen for who did the work, decide it all again, bill it
    ACCEPT_ANYWAY = "accept_anyway"  # the same where nobody had decided against billing
    ACCEPT_AS_REPORT = "accept_as_report"  # keep it beside the work that stands; stock moves, money doesn't
    CALL_OUT_FEE = "call_out_fee"  # bill the drive and no more
    CORRECT = "correct"  # mend the value, decide it again
    TRY_AGAIN = "try_again"  # decide it again as it is
    TAKE_VALUE = "take_value"  # put the suggested value in the place of the one that stands
    CANCEL_OTHER = "cancel_other"  # the other order's work is done
    COUNT_STOCK = "count_stock"  # have the van counted
    BOOK_COUNT = "book_count"  # what was counted is right, however far off the list was
    CHARGE_IN_FULL = "charge_in_full"  # bill what the customer had not agreed to on site as well
    BOOK_IN = "book_in"  # receive the device after the fact
    DISMISS = "dismiss"  # it stays on record, nothing is booked for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """`sentence` is what the technician reads, with {names} to be filled in.

    `kept`: what survives; `shown`: where the value that lost can be seen. `proposals`: the best one first.
    Held by one of `problems`, or marked by `remark`; both are slugs of docs/problems.md.
    """

    slug: str
    case: str
    rule: str
    outcome: Outcome
    kept: str
    shown: str
    sentence: str
    proposals: tuple[Proposal, ...] = ()
    problems: tuple[type[Problem], ...] = ()
    remark: str | None = None

    def refusal(self, *, field: str | None = None, subject: str | None = None, **words: object) -> Problem:
        """The Problem to raise, with the sentence filled in."""
        return self.problems[0](self.sentence.format(**words), field=field, subject=subject)

    def remarked(self, **words: object) -> Remark:
        """The remark to make, with the sentence filled in."""
        assert self.remark is not None, f"{self.slug} is not remarked"
        return Remark(self.remark, self.sentence.format(**words))


_ROWS = (
    Conflict(
        slug="reassigned-not-started",
        case="The office gave the job to a colleague, who has not set out; the first one did it offline.",
        rule="Work really done stays done: the job goes back to who did it, with the stock promised to it.",
        outcome=Outcome.REMARKED,
        kept="All of the work; the colleague stays among those who had the job.",
        shown="The remark on the receipt and on the job; the colleague's phone drops it at once.",
        sentence="{number} had been given away; it stays with who did the work",
        remark="reassigned",
    ),
    Conflict(
        slug="reassigned-started",
        case="The office gave the job to a colleague, who has set out; the first one did it offline.",
        rule="Two people may have worked there: nothing is booked until a dispatcher says whose work stands.",
        outcome=Outcome.HELD,
        kept="Every command whole, with its photos; the colleague's work goes on untouched.",
        shown="In the inbox, beside what the colleague has recorded.",
        sentence="{number} went to a colleague who has started it. Your work is kept; dispatch decides",
        proposals=(Proposal.ACCEPT_AS_REPORT, Proposal.ACCEPT_ANYWAY, Proposal.DISMISS),
        problems=(why.Reassigned,),
    ),
    Conflict(
        slug="cancelled",
        case="The office cancelled the job; its technician did it offline.",
        rule="Nothing is billed against a cancellation until a person decides.",
        outcome=Outcome.HELD,
        kept="Every command whole; what had been used before the cancellation stays used.",
        shown="In the inbox, with the time of the cancellation.",
        sentence="The office cancelled {number}. Your work is kept; dispatch decides what happens with it",
        proposals=(Proposal.BILL, Proposal.CALL_OUT_FEE, Proposal.ACCEPT_AS_REPORT, Proposal.DISMISS),
        problems=(why.WorkOrderCancelled,),
    ),
    Conflict(
        slug="deleted",
        case="The office deleted the job; its technician did it offline.",
        rule="A deleted job is a tombstone: it leaves every phone, and what comes in about it is held whole.",
        outcome=Outcome.HELD,
        kept="Every command whole, notes too, and the tombstone with its number.",
        shown="In the inbox, with the time of the deletion.",
        sentence="The office deleted {number}. Your work is kept; dispatch decides what happens with it",
        proposals=(Proposal.BILL, Proposal.ACCEPT_AS_REPORT, Proposal.DISMISS),
        problems=(why.WorkOrderDeleted,),
    ),
    Conflict(
        slug="rescheduled",
        case="The office moved the window or the day; the technician did the job offline at the first time.",
        rule="Work really done stays done and is billed at the time it was done.",
        outcome=Outcome.REMARKED,
        kept="Both times: the promised one and the one before.",
        shown="The earlier times are on the job; the remark says when it was done.",
        sentence="{number} had been moved to {window}; it was done at {done}, and that stands",
        remark="rescheduled",
    ),
    Conflict(
        slug="split",
        case="The office moved part of the work to a second order; the technician did all of it offline.",
        rule="The part is kept on the order where it was done; the second order is not touched by itself.",
        outcome=Outcome.REMARKED,
        kept="All of the work, and the second order as it is.",
        shown="The remark names the second order; the first one lists what was split off.",
        sentence="That part of {number} had been moved to {other}: kept here, dispatch looks at {other}",
        proposals=(Proposal.CANCEL_OTHER, Proposal.DISMISS),
        remark="split-done-whole",
    ),
    Conflict(
        slug="done-already",
        case="Somebody completed the job; a second technician, or a second device, reports work on it.",
        rule="The first close decides state and money; the second becomes a visit report on the same job.",
        outcome=Outcome.REMARKED,
        kept="The steps, parts, devices and tests of both; stock moves for both, the customer pays once.",
        shown="In the job's reports, beside the visit that closed it.",
        sentence="{number} was done already: this is kept as a second report on it",
        proposals=(Proposal.COUNT_STOCK, Proposal.DISMISS),
        remark="second-report",
    ),
    Conflict(
        slug="unfinished-already",
        case="Somebody said that the job could not be completed; another did it offline.",
        rule="The two contradict each other: nothing is booked until a dispatcher decides.",
        outcome=Outcome.HELD,
        kept="Every command whole, and the reason why it could not be completed.",
        shown="In the inbox, beside that reason.",
        sentence="{number} is closed already. Your work is kept; dispatch looks at it",
        proposals=(Proposal.ACCEPT_ANYWAY, Proposal.ACCEPT_AS_REPORT, Proposal.DISMISS),
        problems=(why.AlreadyClosed,),
    ),
    Conflict(
        slug="not-theirs",
        case="Work comes in on a job that its sender never had.",
        rule="Only who has or had a job may work on it; a wrong number must not close somebody else's.",
        outcome=Outcome.HELD,
        kept="Every command whole.",
        shown="In the inbox, with the sender and with whose job it is.",
        sentence="{number} was never yours: ask dispatch to assign it",
        proposals=(Proposal.ACCEPT_ANYWAY, Proposal.DISMISS),
        problems=(why.NotYourJob,),
    ),
    Conflict(
        slug="serial-twice",
        case="Two technicians fit the same serial on two jobs.",
        rule="A serial is in one place: the first that arrives has it, the other one is held.",
        outcome=Outcome.HELD,
        kept="Both claims, each with its job, its time and its photos.",
        shown="In the inbox: where the register has the device, and where it was claimed.",
        sentence="{serial} was fitted on another job: dispatch has to look at it",
        proposals=(Proposal.CORRECT, Proposal.TRY_AGAIN, Proposal.DISMISS),
        problems=(why.SerialElsewhere,),
    ),
    Conflict(
        slug="serial-from-elsewhere",
        case="The device that was fitted is booked on another van or in the depot.",
        rule="Who holds it in the hand and confirms is right; the register follows.",
        outcome=Outcome.REMARKED,
        kept="Where it was booked before.",
        shown="The remark, and the stock move from that place.",
        sentence="{serial} was booked on {place}",
        proposals=(Proposal.COUNT_STOCK, Proposal.DISMISS),
        remark="taken-from-elsewhere",
    ),
    Conflict(
        slug="serial-unknown",
        case="The serial that was scanned is in no list, and nobody confirmed it.",
        rule="Most unknown serials are misread: it waits for a person.",
        outcome=Outcome.HELD,
        kept="The serial as it was scanned.",
        shown="In the inbox.",
        sentence="{serial} is not on your van's list. Check the label; if it is right, confirm",
        proposals=(Proposal.CORRECT, Proposal.BOOK_IN, Proposal.DISMISS),
        problems=(why.SerialUnknown,),
    ),
    Conflict(
        slug="serial-unreceived",
        case="The device was never booked in, and the technician confirmed its label and model.",
        rule="It is on the wall, so it is booked, out of the place of the unreceived.",
        outcome=Outcome.REMARKED,
        kept="The device, and a place with minus one until stock control receives it.",
        shown="The remark, and the balance of the unreceived.",
        sentence="{serial} was never booked in: stock control should check it",
        proposals=(Proposal.BOOK_IN, Proposal.DISMISS),
        remark="unreceived-serial",
    ),
    Conflict(
        slug="recalled",
        case="The device came under recall while it was being fitted offline.",
        rule="It must not stay there unseen: it is held until a person decides.",
        outcome=Outcome.HELD,
        kept="Which device was fitted where.",
        shown="In the inbox, with the job.",
        sentence="{serial} is from a batch under recall: take another one",
        proposals=(Proposal.CORRECT, Proposal.DISMISS),
        problems=(why.AssetQuarantined,),
    ),
    Conflict(
        slug="stock-below-zero",
        case="More was used than the van's list had: somebody else took or counted it meanwhile.",
        rule="It was used, so it is booked; the list goes below zero and the van is counted.",
        outcome=Outcome.REMARKED,
        kept="What was used, and what the list had.",
        shown="The remark, and the negative balance.",
        sentence="{name}: used {used}, the van's list had {left}: count it",
        proposals=(Proposal.COUNT_STOCK, Proposal.DISMISS),
        remark="stock-below-zero",
    ),
    Conflict(
        slug="count-far-off",
        case="A count of the van differs from its list by more units than the office lets pass.",
        rule="A slip of the finger must not write off stock: the whole count waits for a dispatcher.",
        outcome=Outcome.HELD,
        kept="The count whole: what was in hand, and what the list had said then.",
        shown="In the inbox, each counted part beside what the ledger has now.",
        sentence="{differences}: dispatch has to agree",
        proposals=(Proposal.BOOK_COUNT, Proposal.CORRECT, Proposal.DISMISS),
        problems=(why.CountFarOff,),
    ),
    Conflict(
        slug="count-missing",
        case="A count of the van did not find devices that are booked on it.",
        rule="A device with a serial is not written off for not being seen: somebody looks for it.",
        outcome=Outcome.REMARKED,
        kept="Where the device is booked.",
        shown="The remark, on the receipt and in the inbox.",
        sentence="{van}: {serials} not found when it was counted",
        proposals=(Proposal.COUNT_STOCK, Proposal.DISMISS),
        remark="count-missing",
    ),
    Conflict(
        slug="count-elsewhere",
        case="A count of the van found a device that is at a customer or fitted by our records, or in none.",
        rule="One of the two is wrong, and nobody knows which: it stays where it is booked until one looks.",
        outcome=Outcome.REMARKED,
        kept="Where the device is booked, and on which van it was seen.",
        shown="The remark, on the receipt and in the inbox.",
        sentence="{serial} was found on {van}, and is {where} by our records",
        proposals=(Proposal.BOOK_IN, Proposal.DISMISS),
        remark="count-elsewhere",
    ),
    Conflict(
        slug="transfer-disagrees",
        case="Giver and taker of a transfer between vans report different things under one transfer.",
        rule="What was booked first stands, so no unit is moved twice; the other waits for a person.",
        outcome=Outcome.HELD,
        kept="Both lists, with who sent which.",
        shown="In the inbox, one beside the other.",
        sentence="The other side has {theirs}, this one has {ours}: dispatch looks at both",
        proposals=(Proposal.CORRECT, Proposal.DISMISS),
        problems=(why.TransferDisagrees,),
    ),
    Conflict(
        slug="transfer-unsealed",
        case="A transfer between vans comes in whose seals are not those of its giver and its taker.",
        rule="Nobody's van changes on somebody else's word alone.",
        outcome=Outcome.HELD,
        kept="The transfer whole, with both seals.",
        shown="In the inbox, with what it would move.",
        sentence="The seals of this transfer are not right: dispatch asks both sides",
        proposals=(Proposal.CORRECT, Proposal.DISMISS),
        problems=(why.UnsealedTransfer,),
    ),
    Conflict(
        slug="transfer-below-zero",
        case="A technician gave a colleague more of a part than their van's list had.",
        rule="The colleague has it, so it is booked; the list goes below zero and the van is counted.",
        outcome=Outcome.REMARKED,
        kept="What was given, and what the list had.",
        shown="The remark, and the negative balance.",
        sentence="{name}: {amount} given away, the van's list had {left}: count it",
        proposals=(Proposal.COUNT_STOCK, Proposal.DISMISS),
        remark="transfer-below-zero",
    ),
    Conflict(
        slug="depot-below-zero",
        case="A technician fetched more of a part at a depot than the depot's list had.",
        rule="It is on the van, so it is booked; the list goes below zero and the depot is counted.",
        outcome=Outcome.REMARKED,
        kept="What was fetched, and what the list had.",
        shown="The remark, and the negative balance.",
        sentence="{name}: {amount} fetched, the list of {depot} had {left}: count it",
        proposals=(Proposal.COUNT_STOCK, Proposal.DISMISS),
        remark="depot-below-zero",
    ),
    Conflict(
        slug="note-edited-twice",
        case="Office and technician each wrote a new version of the same note.",
        rule="Notes are only ever added: both versions stand, beside what they replace.",
        outcome=Outcome.REMARKED,
        kept="Both versions and the first text.",
        shown="On the job, one under the other.",
        sentence="Somebody else had changed that note of {number} too: both versions are kept",
        proposals=(Proposal.DISMISS,),
        remark="note-edited-twice",
    ),
    Conflict(
        slug="check-recorded-twice",
        case="Office and technician, or two technicians, each recorded the same test.",
        rule="The one that was measured last counts, by corrected time, whoever arrived first.",
        outcome=Outcome.REMARKED,
        kept="Both results, with who measured and when.",
        shown="On the job, the other one below the one that counts.",
        sentence="{label} of {number} was measured by somebody else too: both are kept, the newest counts",
        proposals=(Proposal.DISMISS,),
        remark="check-recorded-twice",
    ),
    Conflict(
        slug="checklist-not-shown",
        case="An app from before there were checklists closed a job that has one.",
        rule="Nobody is refused for what their app could not ask: the close stands, and the office knows.",
        outcome=Outcome.REMARKED,
        kept="The close, and the checklist with what was answered of it.",
        shown="The remark names what is open; the job shows it too.",
        sentence="{number} was closed by an app without checklists; open: {items}",
        proposals=(Proposal.DISMISS,),
        remark="checklist-not-shown",
    ),
    Conflict(
        slug="contact-one-side",
        case="A contact field was corrected on site while the office changed other fields.",
        rule="Each field by itself: only one side changed this one, so the change goes in.",
        outcome=Outcome.ACCEPTED,
        kept="Both changes.",
        shown="Nothing lost: the old value is in the command log.",
        sentence="The {field} of {number} was changed",
    ),
    Conflict(
        slug="contact-both-sides",
        case="A contact field (name, phone, access notes, gate code) was changed in the office and on site.",
        rule="The office's value stays; the other one becomes a suggestion, never dropped in silence.",
        outcome=Outcome.REMARKED,
        kept="What stood first, the office's value and the technician's.",
        shown="In the inbox as a suggestion, and on the job.",
        sentence="The office had changed the {field} of {number} too: yours is kept as a suggestion",
        proposals=(Proposal.TAKE_VALUE, Proposal.DISMISS),
        remark="contact-changed-twice",
    ),
    Conflict(
        slug="edited-by-two-dispatchers",
        case="Two dispatchers change the same contact field; the second has not seen the first one's value.",
        rule="Both are online: the second is told, sees the new value and decides.",
        outcome=Outcome.REFUSED,
        kept="The value that stands; what was typed stays in the form.",
        shown="In the sentence.",
        sentence='Somebody changed the {words} to "{value}" meanwhile: look again',
        problems=(why.ChangedMeanwhile,),
    ),
    Conflict(
        slug="time-corrected-twice",
        case="One technician corrects the same time on two devices, neither with the other's value in sight.",
        rule="Both corrections stand beside what was recorded; the one that was made last counts.",
        outcome=Outcome.REMARKED,
        kept="What was recorded, and both corrections with their reasons.",
        shown="On the job and in the timesheet.",
        sentence="That time of {number} was corrected elsewhere too: both are kept, the newest counts",
        proposals=(Proposal.DISMISS,),
        remark="time-corrected-twice",
    ),
    Conflict(
        slug="charge-not-agreed",
        case="A visit costs more than its customer agreed to on site; they refused, or nobody asked them.",
        rule="Nothing above what was agreed is billed until a person decides; the draft has a credit for it.",
        outcome=Outcome.REMARKED,
        kept="Every charge, the credit, and each answer of the customer with what they had been shown.",
        shown="On the draft, on the customer's receipt, and in the inbox with both amounts.",
        sentence="{number} costs {total}, agreed were {agreed}: {over} is not billed until dispatch decides",
        proposals=(Proposal.CHARGE_IN_FULL, Proposal.DISMISS),
        remark="charge-not-agreed",
    ),
    Conflict(
        slug="price-answered-twice",
        case="The customer's answer to a price comes in after a newer one, from another phone.",
        rule="Both are kept; the answer that was given last counts, whoever sent it first.",
        outcome=Outcome.REMARKED,
        kept="Both answers, each with what was shown and who asked.",
        shown="On the job, one below the other.",
        sentence="The customer of {number} was asked again later: both answers are kept, the newest counts",
        proposals=(Proposal.DISMISS,),
        remark="price-answered-twice",
    ),
    Conflict(
        slug="repeated-step",
        case="One technician works on two devices, and both send the same step.",
        rule="Both queues are decided as they come; a step that was taken already changes nothing.",
        outcome=Outcome.REMARKED,
        kept="The time of the second tap.",
        shown="In the job's reports. It asks nobody for anything.",
        sentence="{number}: that step was taken already, the first time counts",
        remark="repeated-step",
    ),
    Conflict(
        slug="handed-over-device",
        case="A device with unsent work is registered for another technician.",
        rule="Work belongs to who did it, and each command says who: another's sign-in does not book it.",
        outcome=Outcome.HELD,
        kept="Every command whole, with the name of who made it.",
        shown="In the inbox, under the first technician's name.",
        sentence=(
            "Made while this phone was registered for {owner}, and sent by {sender}. "
            "Nothing is booked until somebody accepts it"
        ),
        proposals=(Proposal.ACCEPT_ANYWAY, Proposal.DISMISS),
        problems=(why.OthersWork,),
    ),
    Conflict(
        slug="depends-on-held",
        case="A step was held, and a later one of the same visit needed it.",
        rule="Each command is decided by itself; what needs a held one is held with it, in its place.",
        outcome=Outcome.HELD,
        kept="Every command whole, in the order of the device.",
        shown="In the inbox, with the step it waits for.",
        sentence="{missing}",
        proposals=(Proposal.TRY_AGAIN, Proposal.CORRECT, Proposal.DISMISS),
        problems=(
            why.MissingEquipment,
            why.MissingChecks,
            why.MissingRemoval,
            why.MissingSignature,
            why.NotStarted,
        ),
    ),
    Conflict(
        slug="clock-skew",
        case="The device's clock was more than five minutes off.",
        rule="The server's time is the truth: the time is corrected at the contact, with a stated error.",
        outcome=Outcome.REMARKED,
        kept="The time by the device's clock, beside the corrected one.",
        shown="In the command log; the remark says by how much.",
        sentence="The phone's clock was {minutes} minutes {direction}; times were corrected",
        remark="clock-skew",
    ),
    Conflict(
        slug="clock-changed",
        case="Somebody set the device's clock between the tap and the contact.",
        rule="Within one run of the device the clock that nobody can set gives the time.",
        outcome=Outcome.REMARKED,
        kept="Both clocks' readings, at the tap and at the contact.",
        shown="In the command log; the remark says by how much.",
        sentence="The phone's clock was set by {minutes} minutes after this was done; times were corrected",
        proposals=(Proposal.DISMISS,),
        remark="clock-changed",
    ),
)

CONFLICTS: dict[str, Conflict] = {row.slug: row for row in _ROWS}
"""By the row's own slug."""

_BY_PROBLEM = {problem.slug: row for row in reversed(_ROWS) for problem in row.problems}
_BY_REMARK = {row.remark: row for row in _ROWS if row.remark}


def conflict_of(slug: str | None, *, held: bool = True) -> Conflict | None:
    """The row behind the slug of a held command or, with `held` false, of a remark; None for other slugs."""
    return (_BY_PROBLEM if held else _BY_REMARK).get(slug or "")
