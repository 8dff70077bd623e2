"""Live changes over a real connection, on both databases: seen within two seconds, each once, none missed."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from console_day import DISPATCHER, PASSWORD, Console, a_console, add_held, add_work_order, served

from server.access.models import SessionRow
from server.dispatch import board_routes


@dataclass
class Event:
    name: str
    id: str
    data: Any
    at: float


class Listener:
    """An open event stream, read by a thread of its own as a browser would."""

    def __init__(self, address: str, cookies: httpx.Cookies, **query: str) -> None:
        self.events: list[Event] = []
        self.comments: list[str] = []
        self.ended = threading.Event()
        self._url, self._cookies, self._query = f"{address}/api/board/events", cookies, query
        self._headers = {"Last-Event-ID": query.pop("last_event_id")} if "last_event_id" in query else {}
        self._open = threading.Event()
        self._client = httpx.Client(cookies=cookies, timeout=30)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        assert self._open.wait(10), "the stream did not open"

    def _listen(self) -> None:
        with contextlib.suppress(httpx.HTTPError):  # cut by `close`, as a tunnel cuts it
            self._read()
        self.ended.set()

    def _read(self) -> None:
        with self._client.stream("GET", self._url, params=self._query, headers=self._headers) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            self._socket = response.extensions["network_stream"].get_extra_info("socket")
            fields: dict[str, str] = {}
            for line in response.iter_lines():
                self._open.set()
                name, _, value = line.partition(": ")
                if not line and "event" in fields:
                    data = json.loads(fields["data"])
                    self.events.append(Event(fields["event"], fields.get("id", ""), data, time.monotonic()))
                if not line:
                    fields = {}
                elif line.startswith(":"):
                    self.comments.append(line[2:])
                else:
                    fields[name] = value

    def wait_for(self, count: int, seconds: float = 5) -> list[Event]:
        wait_until(lambda: len(self.events) >= count, seconds)
        return self.events

    def close(self) -> None:
        """Cut the connection. A reader that waits in another thread notices only this."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        assert self.ended.wait(5)
        self._client.close()


def wait_until(done: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@dataclass
class Open:
    console: Console
    address: str
    http: httpx.Client

    def listen(self, **query: str) -> Listener:
        return Listener(self.address, self.http.cookies, **query)

    def board(self) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get("/api/board").json()
        return found


@pytest.fixture
def opened(database_url: str, tmp_path: Path) -> Iterator[Open]:
    with (
        a_console(database_url, tmp_path) as console,
        served(console.app) as address,
        httpx.Client(base_url=address) as http,
    ):
        answer = http.post("/api/session", json={"email": DISPATCHER, "password": PASSWORD})
        http.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        yield Open(console, address, http)


class TestALiveBoard:
    def test_shows_a_change_within_two_seconds_of_its_commit(self, opened: Open):
        order = opened.console.work_order(
            technician=opened.console.technician(), planned_start=opened.console.at(12)
        )
        listener = opened.listen(after=opened.board()["feed"])
        opened.console.change(order, "WorkOrderCompleted", state="completed", finished_at=opened.console.now)
        committed = time.monotonic()
        (event,) = listener.wait_for(1)
        listener.close()
        assert event.at - committed < 2
        assert event.name == "work_order"
        assert event.data["card"]["id"] == str(order)
        assert event.data["card"]["state"] == "completed"
        assert event.data["topics"] == ["WorkOrderCompleted"]

    def test_catches_up_after_a_break_with_nothing_twice(self, opened: Open):
        orders = [opened.console.work_order() for _ in range(3)]
        first = opened.listen(after=opened.board()["feed"])
        opened.console.change(orders[0])
        seen = first.wait_for(1)[0].id
        first.close()
        opened.console.change(orders[1])
        again = opened.listen(after="0.0", last_event_id=seen)  # the header says more than the address
        again.wait_for(1)
        opened.console.change(orders[2])
        events = again.wait_for(2)
        time.sleep(0.6)  # two more looks at the feed
        again.close()
        assert [event.data["card"]["id"] for event in events] == [str(orders[1]), str(orders[2])]

    def test_misses_nothing_between_the_snapshot_and_the_stream(self, opened: Open):
        order = opened.console.work_order()
        after = opened.board()["feed"]
        opened.console.change(order)
        listener = opened.listen(after=after)
        assert listener.wait_for(1)[0].data["card"]["id"] == str(order)
        listener.close()

    def test_says_when_a_job_leaves_the_day(self, opened: Open):
        console = opened.console
        order = console.work_order(technician=console.technician(), planned_start=console.at(12))
        listener = opened.listen(after=opened.board()["feed"])
        console.change(order, planned_start=console.at(12).replace(year=console.today.year + 1))
        (event,) = listener.wait_for(1)
        listener.close()
        assert (event.name, event.data) == ("work_order_gone", {"id": str(order)})

    def test_brings_held_work_and_takes_it_away(self, opened: Open):
        console = opened.console
        aino = console.technician()
        listener = opened.listen(after=opened.board()["feed"])
        with console.database.write() as session:
            command = add_held(session, aino, add_work_order(session, technician=aino), console.now).id
        assert listener.wait_for(1)[0].data["wanted"] == "install device ZTEGC0DE1234"
        said = {"reason": "tried twice"}
        assert opened.http.post(f"/api/inbox/{command}/dismiss", json=said).status_code == 200
        gone = listener.wait_for(2)[1]
        listener.close()
        assert (gone.name, gone.data["id"]) == ("held_gone", str(command))

    def test_tells_a_page_from_another_history_to_load_itself_again(self, opened: Open):
        listener = opened.listen(after=f"{2**40}.{2**40}")
        assert listener.wait_for(1)[0].name == "reload"
        assert listener.ended.wait(5)
        listener.close()

    def test_ends_when_its_person_is_signed_out(self, opened: Open, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(board_routes, "IDLE_SECONDS", 0.3)
        listener = opened.listen()
        wait_until(lambda: "still here" in listener.comments)
        with opened.console.database.write() as session:
            session.query(SessionRow).delete()
        assert listener.ended.wait(5)
        listener.close()

    def test_is_not_shown_to_strangers(self, opened: Open):
        answer = httpx.get(f"{opened.address}/api/board/events")
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"


class TestAHandOnTheBoard:
    def test_moves_a_job_and_every_open_board_sees_it_at_once(self, opened: Open):
        console = opened.console
        aino, eetu = console.technician("Aino Virtanen"), console.technician("Eetu Korhonen")
        order = console.work_order(
            technician=aino, planned_start=console.at(9), planned_end=console.at(10), requirements={}
        )
        listener = opened.listen(after=opened.board()["feed"])
        body = {"technician_id": str(eetu), "planned_start": console.at(13).isoformat()}
        asked = time.monotonic()
        answer = opened.http.post(f"/api/work-orders/{order}/assign", json=body)
        assert (answer.status_code, answer.json()["done"]) == (200, "assign_work_order")
        card = listener.wait_for(1)[0].data["card"]
        listener.close()
        assert listener.events[0].at - asked < 2
        assert card["technician_id"] == str(eetu)
        assert card["version"] == 2

    def test_cannot_move_a_started_job_and_is_told_why(self, opened: Open):
        console = opened.console
        aino, eetu = console.technician("Aino Virtanen"), console.technician("Eetu Korhonen")
        order = console.work_order(
            technician=aino,
            state="on_site",
            number="WO-7",
            planned_start=console.at(9),
            planned_end=console.at(10),
        )
        body = {"technician_id": str(eetu), "planned_start": console.at(13).isoformat()}
        answer = opened.http.post(f"/api/work-orders/{order}/assign", json=body)
        assert answer.status_code == 409
        assert "WO-7 is under way" in answer.json()["detail"]
        (card,) = opened.board()["work_orders"]
        assert (card["technician_id"], card["state"]) == (str(aino), "on_site")

    def test_takes_a_job_off_and_cancels_another(self, opened: Open):
        console = opened.console
        aino = console.technician()
        off, gone = (
            console.work_order(
                technician=aino, planned_start=console.at(hour), planned_end=console.at(hour + 1)
            )
            for hour in (13, 14)
        )
        assert opened.http.post(f"/api/work-orders/{off}/unassign").status_code == 200
        refused = opened.http.post(f"/api/work-orders/{gone}/cancel", json={"reason": "  "})
        assert (refused.status_code, refused.json()["field"]) == (422, "reason")
        opened.http.post(f"/api/work-orders/{gone}/cancel", json={"reason": "Customer moved away"})
        states = {card["id"]: card["state"] for card in opened.board()["work_orders"]}
        assert states[str(off)] == "unassigned"
        detail = opened.http.get(f"/api/work-orders/{gone}").json()
        assert detail["order"]["state"] == "cancelled"
        assert [(deed["who"], deed["wanted"]) for deed in detail["deeds"]] == [
            ("Dora Dispatcher", "cancel the job")
        ]
