"""Write an accepted report about the network: the fault, the report, and who is told of it."""

from __future__ import annotations

from uuid import UUID

from server.books import Books
from server.db import feed
from server.faults import records as faults
from shared.network_faults import NetworkDecision


def book_network(books: Books, decision: NetworkDecision, technician_id: UUID, actor: str) -> None:
    """In the transaction of `books`. Whoever has a job on that cabinet sees it in the place's brief."""
    for event in decision.events:
        books.keep_report(event, decision.after, technician_id)
        if event.again:
            continue
        for photo in event.report.photos:
            books.await_evidence(technician_id, photo.digest, photo.size_bytes, None)
        topic = type(event).__name__
        facts = {"cabinet": event.report.cabinet, "opens": event.opens, "report": str(event.report.report_id)}
        books.tell([feed.BOARD], faults.KIND, str(event.fault_id), topic, actor=actor, facts=facts)
        books.tell_cabinet(event.report.cabinet, topic, actor)
