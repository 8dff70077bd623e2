"""A push that is cut off anywhere, by the network or by the server's death, books everything once."""

from __future__ import annotations

import asyncio
import gzip
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from real_server import RealServer, free_port
from sqlalchemy import func, select
from world import Job, World

from mobile.gateway import Gateway
from server.access.devices import new_code
from server.billing.models import InvoiceRow, JournalLineRow
from server.clock import utc_now
from server.db.feed_models import CommandRow
from server.stock.models import StockMoveRow
from server.work_orders.models import WorkOrderRow
from sync.client.store import ClientStore
from sync.client.transport import Answer, HttpxTransport, NoNetwork


class Faulty(HttpxTransport):
    """The real transport; `fault` says what happens to the next push that carries commands."""

    fault = ""

    async def request(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        plain = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
        carries = path == "/sync" and b'"commands":[{' in plain
        if not carries or not self.fault:
            return await super().request(method, path, headers=headers, body=body)
        fault, self.fault = self.fault, ""
        if fault == "before send":
            raise NoNetwork
        if fault == "half sent":
            self._send_half(headers, body)
            raise NoNetwork
        await super().request(method, path, headers=headers, body=body)
        raise NoNetwork  # the server committed and answered; the answer got lost

    def _send_half(self, headers: Mapping[str, str], body: bytes) -> None:
        url = self._client.base_url
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        opening = f"POST /sync HTTP/1.1\r\nhost: {url.host}\r\n{head}content-length: {len(body)}\r\n\r\n"
        with socket.create_connection((url.host, url.port or 80)) as wire:
            wire.sendall(opening.encode() + body[: len(body) // 2])


class Field:
    """A world with a real server, and one technician's app that can sync and restart."""

    def __init__(self, url: str, folder: Path) -> None:
        self.world = World(url, now=utc_now(), data_folder=folder)
        settings = replace(self.world.settings, log_level="WARNING")
        self.server = RealServer(settings, free_port(), folder / "server.log")
        self.server.start()
        self.loop = asyncio.new_event_loop()
        self.transport = Faulty(self.server.url, timeout_seconds=30)
        self.file = folder / "phone.db"
        self.open_app()
        with self.world.database.write() as session:
            code = new_code(session, self.world.ana.technician_id, utc_now())
        self.loop.run_until_complete(self.gateway.register(code, "Ana's phone", "test"))

    def open_app(self) -> None:
        self.connection = sqlite3.connect(self.file)
        self.gateway = Gateway(ClientStore(self.connection, lambda: None), self.transport)

    def restart_app(self) -> None:
        self.connection.close()
        self.open_app()

    def sync(self) -> object:
        return self.loop.run_until_complete(self.gateway.sync())

    def do(self, job: Job, serial: str) -> int:
        commands = self.world.visit(job, fit=serial)
        for command in commands:
            self.gateway.send(command)
        return len(commands)

    def counted(self) -> dict[str, int]:
        with self.world.database.read() as session:

            def count(*conditions: object) -> int:
                return int(session.scalar(select(func.count()).where(*conditions)) or 0)  # type: ignore[arg-type]

            return {
                "commands": count(CommandRow.outcome == "accepted"),
                "held": count(CommandRow.outcome == "held"),
                "completed": count(WorkOrderRow.state == "completed"),
                "invoices": count(InvoiceRow.state == "draft"),
                "moves": count(StockMoveRow.work_order_id.is_not(None)),
                "journal": int(session.scalar(select(func.sum(JournalLineRow.amount_minor))) or 0),
            }

    def close(self) -> None:
        self.server.stop()
        self.loop.run_until_complete(self.transport.close())
        self.loop.close()
        self.connection.close()
        self.world.close()


@pytest.fixture
def field(database_url: str, tmp_path: Path) -> Iterator[Field]:
    made = Field(database_url, tmp_path)
    yield made
    made.close()


def everything_once(commands: int, visits: int) -> dict[str, int]:
    """A visit of the test world moves cable, connectors and one device."""
    return {
        "commands": commands,
        "held": 0,
        "completed": visits,
        "invoices": visits,
        "moves": 3 * visits,
        "journal": 0,
    }


class TestAPushThatTheNetworkCuts:
    @pytest.mark.parametrize("fault", ["before send", "half sent", "answer lost"])
    def test_is_sent_again_and_booked_once(self, field: Field, fault: str) -> None:
        job = field.world.order()
        field.sync()
        commands = field.do(job, field.world.ana.ont)
        field.transport.fault = fault
        field.sync()
        after_fault = field.counted()["commands"]
        assert after_fault == (commands if fault == "answer lost" else 0)
        assert field.gateway.status().unsent_commands == commands
        field.restart_app()
        field.sync()
        assert field.counted() == everything_once(commands, visits=1)
        assert field.gateway.status().unsent_commands == 0
        assert {item.state for item in field.gateway.queue()} == {"accepted"}


class TestAServerThatDiesInMidPush:
    @pytest.mark.parametrize("after", [1, 5, 12])
    def test_keeps_what_it_committed_and_books_the_rest_once_when_it_is_back(
        self, field: Field, after: int
    ) -> None:
        jobs = [field.world.order(), field.world.order()]
        field.sync()
        stem = field.world.ana.ont[:-4]
        commands = sum(field.do(job, f"{stem}{number:04d}") for number, job in enumerate(jobs, start=1))
        killer = threading.Thread(target=self._kill_after, args=(field, after))
        killer.start()
        field.sync()
        killer.join()
        committed = field.counted()["commands"]
        assert after <= committed <= commands
        assert field.gateway.status().unsent_commands > 0 or committed == commands
        field.server.start()
        field.sync()
        assert field.counted() == everything_once(commands, visits=2)
        assert field.gateway.status().unsent_commands == 0

    def _kill_after(self, field: Field, commands: int) -> None:
        """SIGKILL as soon as the database holds that many of the push's commands."""
        deadline = time.monotonic() + 60
        while field.counted()["commands"] < commands:
            assert time.monotonic() < deadline, "the push never got that far"
            time.sleep(0.002)
        field.server.kill()
