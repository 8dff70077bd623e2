"""The road between a phone and the server, with everything that roads do."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulation.chance import Chance, Dice
from simulation.clockwork import SimulatedLoop
from simulation.host import PAGE_OF_A_PROXY, Fate, Host, NobodyHome, ServerDied
from simulation.schedule import Schedule
from simulation.trace import Trace

from shared.problems import Malformed
from sync.client.replies import problem_in
from sync.client.transport import Answer, NoNetwork
from sync.protocol import decode_request, decode_response, encode

PORTAL = b"<!doctype html><html><body>Welcome! Accept the terms to go online.</body></html>"
PATIENCE_SECONDS = 20.0
REQUEST_V1 = ("app_version", "device_now", "queue_length", "cursor")
COMMAND_V1 = ("id", "seq", "type", "schema", "made_at", "base_version", "body")
RESPONSE_V1 = (
    "protocol", "server_now", "cursor", "receipts", "rows", "gone", "reset", "more", "missing_evidence",
)  # fmt: skip


@dataclass(slots=True)
class Weather:
    """The state of one phone's connection. `dies`: what the phone's own death does to a request."""

    offline: bool = False
    old_protocol: bool = False


class SimulatedTransport:
    """sync.client.transport.Transport for one phone. `die` ends the phone's process."""

    def __init__(
        self,
        who: str,
        host: Host,
        chance: Chance,
        schedule: Schedule,
        trace: Trace,
        step: Callable[[str, str], bool],
        die: Callable[[], None],
        restart_server: Callable[[], None],
    ) -> None:
        self.who = who
        self.weather = Weather()
        self.asked_at = 0.0
        """When it last began to talk to the server about commands, in seconds of the run."""
        self.heard = False
        """Whether the server itself, in so many words, answered that."""
        self.healed = False
        self._host = host
        self._chance = chance
        self._schedule = schedule
        self._trace = trace
        self._step = step
        self._die = die
        self._restart_server = restart_server
        self._strays: set[asyncio.Task[None]] = set()

    async def request(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        name, dice = self._chance.next(f"{self.who}/net")
        if path == "/sync":
            self.asked_at, self.heard = self._loop().time(), False
        self._note("request", name, method, path.split("/")[-1][:8], len(body))
        if self.weather.offline and not self.healed:
            await asyncio.sleep(dice.uniform(0.1, 5))
            raise NoNetwork
        old = self.weather.old_protocol and path == "/sync"
        sent, headers = _older_request(body, headers) if old else (body, headers)
        await asyncio.sleep(dice.uniform(0.02, 1.5))
        answer = await self._deliver(name, dice, method, path, headers, sent)
        await asyncio.sleep(dice.uniform(0.02, 1.5))
        self._note("answer", name, answer.status, len(answer.body))
        if path == "/sync":
            ours = problem_in(answer) if answer.status != 200 else answer.body.startswith(b"{")
            self.heard = answer.status in (200, 403) and bool(ours)
        return _older_answer(answer) if old and answer.status == 200 else answer

    async def _deliver(
        self, name: str, dice: Dice, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        def ask(what: bytes = body) -> Answer:
            return self._ask(name, dice, method, path, headers, what)

        match self._fault(name, dice):
            case "phone_dies_before_send":
                self._die()
                await asyncio.Event().wait()
            case "phone_dies_after_send":
                self._quietly(ask)
                self._die()
                await asyncio.Event().wait()
            case "request_lost":
                await asyncio.sleep(PATIENCE_SECONDS)
                raise NoNetwork
            case "answer_lost":
                self._quietly(ask)
                await asyncio.sleep(dice.uniform(0.1, PATIENCE_SECONDS))
                raise NoNetwork
            case "delayed":
                await asyncio.sleep(dice.uniform(1, PATIENCE_SECONDS - 2))
            case "duplicated":
                self._quietly(ask)
            case "replayed_late":
                self._later(dice.minutes(1, 36 * 60), ask)
            case "overtaken":
                # The phone gives up waiting and asks again, while the first try is still on its way.
                self._later(dice.uniform(PATIENCE_SECONDS, 200), ask)
                await asyncio.sleep(PATIENCE_SECONDS)
                raise NoNetwork
            case "request_cut":
                self._quietly(lambda: ask(body[: dice.randrange(len(body) + 1)]))
                raise NoNetwork
            case "answer_cut":
                answer = ask()
                cut = answer.body[: dice.randrange(len(answer.body) + 1)]
                if dice.happens(0.5) or not answer.body:
                    raise NoNetwork
                return Answer(status=answer.status, headers=answer.headers, body=cut)
            case "captive_portal":
                return Answer(status=200, headers={"content-type": "text/html"}, body=PORTAL)
            case "request_damaged" if path == "/sync":
                return ask(body[: dice.randrange(len(body))])  # and our own server says that it can't read it
            case "too_many":
                self._host.exhaust(headers)
            case "proxy_error":
                if dice.happens(0.5):
                    self._quietly(ask)
                status = dice.pick((502, 502, 403))  # 403: a company's firewall that knows better
                return Answer(status=status, headers={"content-type": "text/html"}, body=PAGE_OF_A_PROXY)
        return ask()

    def _fault(self, name: str, dice: Dice) -> str | None:
        """At most one a request; which one, is drawn even where it is left out."""
        chosen = None
        for fault in ROAD_FAULTS:
            if dice.happens(self._schedule.rate(fault)) and chosen is None:
                chosen = fault
        for fault in LATER_ROAD_FAULTS:
            if chosen is None and self._chance.dice(f"{name}/{fault}").happens(self._schedule.rate(fault)):
                chosen = fault
        if chosen is None or self.healed or not self._step(f"{name}/{chosen}", f"fault {chosen}"):
            return None
        return chosen

    def _ask(
        self, name: str, dice: Dice, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """At the server, which may die of it."""
        fate = Fate()
        for fault, attribute, most in SERVER_FATES:
            hit, number = dice.happens(self._schedule.rate(fault)), dice.randint(1, most)
            if hit and not self.healed and self._step(f"{name}/{fault}", f"fault {fault} {number}"):
                setattr(fate, attribute, number)
                break
        try:
            with self._host.fated(fate):
                return self._host.handle(method, path, headers, body)
        except ServerDied:
            self._restart_server()
            raise NoNetwork from None
        except NobodyHome:
            if dice.happens(0.5):
                raise NoNetwork from None
            return Answer(status=502, headers={"content-type": "text/html"}, body=PAGE_OF_A_PROXY)

    def _quietly(self, ask: Callable[[], Answer]) -> None:
        """The server hears it; nobody hears the server."""
        try:
            answer = ask()
        except NoNetwork:
            return
        self._note("unheard", answer.status, len(answer.body))

    def _later(self, seconds: float, ask: Callable[[], Answer]) -> None:
        async def stray() -> None:
            await asyncio.sleep(seconds)
            self._quietly(ask)

        task = self._loop().create_task(stray(), name=f"{self.who} stray {len(self._strays)}")
        self._loop().watch(task)
        self._strays.add(task)
        task.add_done_callback(self._strays.discard)

    @staticmethod
    def _loop() -> SimulatedLoop:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimulatedLoop)
        return loop

    def _note(self, what: str, *details: object) -> None:
        self._trace.add(asyncio.get_running_loop().time(), self.who, what, *details)


ROAD_FAULTS = (
    "phone_dies_before_send", "phone_dies_after_send", "request_lost", "answer_lost", "delayed", "duplicated",
    "replayed_late", "overtaken", "request_cut", "answer_cut", "captive_portal", "proxy_error",
)  # fmt: skip
LATER_ROAD_FAULTS = ("request_damaged", "too_many")
"""Drawn with dice of their own: see simulation/schedule.py."""
SERVER_FATES = (
    ("server_dies_at_statement", "die_at_statement", 60),
    ("server_dies_before_commit", "die_before_commit", 4),
    ("server_dies_after_commit", "die_after_commit", 4),
    ("server_busy", "busy_at_statement", 40),
)


def _older_request(body: bytes, headers: Mapping[str, str]) -> tuple[bytes, Mapping[str, str]]:
    """What an app of the version before would have said, the commands' own bytes untouched."""
    plain = {name: value for name, value in headers.items() if name.lower() != "content-encoding"}
    new = decode_request(gzip.decompress(body) if len(plain) < len(headers) else body)
    old: dict[str, Any] = {"protocol": 1} | {name: getattr(new, name) for name in REQUEST_V1}
    old["commands"] = [{name: getattr(one, name) for name in COMMAND_V1} for one in new.commands]
    return encode(old), plain


def _older_answer(answer: Answer) -> Answer:
    """What an app of the version before would have understood of it. It kept rows that it could not read."""
    try:
        new = decode_response(answer.body)
    except Malformed:
        return answer  # half of one
    old = {name: getattr(new, name) for name in RESPONSE_V1}
    return Answer(status=200, headers=answer.headers, body=encode(old))
