"""What a dispatcher is offered for a held command: the table of conflicts, in buttons."""

from __future__ import annotations

from dataclasses import dataclass

from shared.conflicts import Proposal, conflict_of

__all__ = ["Offer", "Proposal", "offers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One button. `sure`: asked before the click counts, because money or stock moves; empty otherwise."""

    proposal: Proposal
    words: str
    means: str
    sure: str = ""


OFFERS = {
    offer.proposal: offer
    for offer in (
        Offer(
            proposal=Proposal.TRY_AGAIN,
            words="Book it",
            means="It is decided again, as it came, by the rules and by what stands now.",
        ),
        Offer(
            proposal=Proposal.BILL,
            words="Reopen and book it",
            means="The job is given back to who did the work, and the work is booked and billed.",
            sure="This reopens the job: stock moves and the customer is billed.",
        ),
        Offer(
            proposal=Proposal.ACCEPT_ANYWAY,
            words="Give them the job and book it",
            means="The job is given to who did the work, and the work is booked.",
            sure="This gives the job to who did the work: stock may move and the customer may be billed.",
        ),
        Offer(
            proposal=Proposal.ACCEPT_AS_REPORT,
            words="Keep as a second report",
            means="It is kept beside the work that stands; parts leave the van, nobody is billed.",
            sure="Parts and devices that were used leave the van's stock.",
        ),
        Offer(
            proposal=Proposal.CALL_OUT_FEE,
            words="Charge the call-out",
            means="The drive is billed and no more; the visit stays on record.",
            sure="The customer is billed a call-out fee, and nothing else of this visit is booked.",
        ),
        Offer(
            proposal=Proposal.CORRECT,
            words="Correct it",
            means="The wrong value is mended and it is decided again; what came stays on record.",
        ),
        Offer(
            proposal=Proposal.BOOK_IN,
            words="The label is right: choose its model",
            means="The device is booked although nobody received it; stock control gets a remark.",
        ),
        Offer(
            proposal=Proposal.BOOK_COUNT,
            words="Book what was counted",
            means="The difference is booked as it was counted, however large it is.",
            sure="What is too few is written off, and what is too many is added to the van.",
        ),
        Offer(
            proposal=Proposal.DISMISS,
            words="Set aside",
            means="It stays on record with your reason, which its technician reads; nothing is booked.",
        ),
    )
}
ASKED = {
    offer.proposal: offer
    for offer in (
        Offer(
            proposal=Proposal.TAKE_VALUE,
            words="Take",
            means="It is written in the place of the one that stands; every phone gets it.",
        ),
        Offer(
            proposal=Proposal.CANCEL_OTHER,
            words="Cancel",
            means="What had been moved there is done already.",
            sure="That order is cancelled, with all that is still to be done on it.",
        ),
        Offer(
            proposal=Proposal.CHARGE_IN_FULL,
            words="Charge it in full",
            means="What had not been agreed to is billed as well; the customer sees it on their page.",
            sure="The customer is billed more than they agreed to on site.",
        ),
        Offer(
            proposal=Proposal.COUNT_STOCK,
            words="Counted",
            means="The van was counted, and its list is right again.",
        ),
        Offer(
            proposal=Proposal.BOOK_IN,
            words="Booked in",
            means="Stock control has received the device.",
        ),
        Offer(
            proposal=Proposal.DISMISS,
            words="Seen",
            means="It is as it should be; nothing more is to be done.",
        ),
    )
}
"""For what was booked and asks somebody for something."""

_OTHERWISE = (Proposal.TRY_AGAIN, Proposal.CORRECT, Proposal.DISMISS)
_MENDED = (Proposal.CORRECT, Proposal.DISMISS)


def offers(slug: str, *, fits: bool, readable: bool) -> tuple[Offer, ...]:
    """The best one first. `slug`: what forbids it now; `fits`: nothing does any more."""
    if not readable:
        chosen: tuple[Proposal, ...] = _MENDED
    elif fits:
        chosen = _OTHERWISE
    else:
        row = conflict_of(slug)
        found = row.proposals if row else _MENDED
        # Decided again as it is, it would be refused again: what stands now has just been asked.
        chosen = tuple(item for item in found if item in OFFERS and item is not Proposal.TRY_AGAIN)
    return tuple(OFFERS[item] for item in chosen)
