"""A TCP proxy that behaves like a bad mobile link, for clients on this machine.

What is lost on a link is packets, and programs never see it: TCP sends them again. What it costs is time.
All bytes behind a lost one wait for it, a round trip when later ones tell of the gap, two and more when it
was the last; and TCP takes each loss for a crowded line and sends less at a time. By the formula of Padhye
and others (1998) an endless stream of the old kind gets about 14 kbit/s through 2 s and 10 %, however wide
the line. So each direction of each connection here has a sender of its own, like that of today's phones:
CUBIC's window (RFC 9438) from 10 segments on, selective acknowledgements, gaps found by three later segments
(RFC 6675), probes and timeouts at twice the round trip, each one twice as long (RFC 8985, 6298).
Acknowledgements are lost too; as on a real line a later one makes up for it.

Loss of packets alone breaks no connection: TCP tries for a quarter of an hour. But where a tenth of them is
lost, the phone also falls through dead spots, changes cells, and gets a new address. So a share of the
exchanges is `cut` besides: somewhere in the request's first bytes, or, if it is shorter than that, as soon as
the answer sets out, which the server has decided by then. Of every other one the phone is told at once (the
socket breaks); of the rest nobody is told: the line is silent for ever, at both ends.

Not modelled: TLS, whose handshake costs each new connection a round trip more; queues that overflow; bytes of
packet headers and acknowledgements.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

SEGMENT = 1_400
CUT_WITHIN_BYTES = 16_384
FIRST_WINDOW = 10
WINDOW_MAX = 45
"""Segments under way: 64 kB, what a receiver of a mobile link lets come."""
GAP_TOLD_BY = 3
SHRINK, CUBIC = 0.7, 0.4
SYN_AGAIN_SECONDS = 1.0


class BadLink:
    """So many bits a second and half of `delay_seconds` each way, `loss` of the segments, `cut` of exchanges.

    `label` names what is being sent. `sent` counts by label the bytes that programs had carried up, those of
    cut requests too, and `bodies` those of them behind the headers; `again` is what TCP carried once more.
    """

    def __init__(
        self, port: int, *, bits_per_second: int, delay_seconds: float, loss: float, cut: float, seed: int
    ) -> None:
        self._target = port
        self._rate = bits_per_second / 8
        self._loss = loss
        self._cut = cut
        self._free_at = {"up": 0.0, "down": 0.0}
        self._chance = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()
        self.one_way = delay_seconds / 2
        self.label = ""
        self.sent: Counter[str] = Counter()
        self.bodies: Counter[str] = Counter()
        self.again: Counter[str] = Counter()
        self.exchanges = self.cuts = 0

    async def __aenter__(self) -> BadLink:
        # A small buffer, so that what has been read here has nearly gone over the link.
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=SEGMENT)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for line in tuple(self._lines):
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def carry(self, way: str, segment: _Segment) -> float:
        """When the last bit has gone: the link carries one segment after the other, of all connections."""
        size = len(segment.data)
        self._free_at[way] = max(self._free_at[way], now()) + size / self._rate
        if way == "up" and segment.tries == 1:
            self.sent[self.label] += size
            self.bodies[self.label] += segment.body_bytes
        elif way == "up":
            self.again[self.label] += size
        return self._free_at[way]

    def loses(self) -> bool:
        return self._chance.random() < self._loss

    def cut_after(self) -> int | None:
        """Draws for the next exchange: after how many bytes of the request it breaks, if it does."""
        self.exchanges += 1
        return self._chance.randrange(CUT_WITHIN_BYTES) if self._chance.random() < self._cut else None

    def _accept(self, near: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        line = asyncio.create_task(self._serve(near, out))
        self._lines.add(line)
        line.add_done_callback(self._lines.discard)

    async def _serve(self, near: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        writers = [out]
        try:
            again = SYN_AGAIN_SECONDS
            while self.loses() or self.loses():  # the call, or its answer
                await asyncio.sleep(again)
                again *= 2
            await asyncio.sleep(2 * self.one_way)
            far, far_out = await asyncio.open_connection("127.0.0.1", self._target, limit=SEGMENT)
            writers.append(far_out)
            await _Line(self, (near, out), (far, far_out)).run()
        except (OSError, asyncio.CancelledError):
            return  # the server is gone, or the benchmark is over
        finally:
            for writer in writers:
                writer.transport.abort()


class _Line:
    """One connection through the link, from its first byte until both ends have closed it, or it breaks."""

    def __init__(
        self,
        link: BadLink,
        phone: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._link = link
        self._ways = (
            _Way(link, "up", phone[0], server[1], self._asked),
            _Way(link, "down", server[0], phone[1], self._answered),
        )
        self._answering = True
        self._heading = False
        self._cut_after: int | None = None
        self._broken = asyncio.Event()

    async def run(self) -> None:
        both = asyncio.gather(*(way.run() for way in self._ways))
        broken = asyncio.ensure_future(self._broken.wait())
        try:
            await asyncio.wait((both, broken), return_when=asyncio.FIRST_COMPLETED)
            if self._broken.is_set() and self._link.cuts % 2 == 0:
                both.cancel()
                await asyncio.Event().wait()  # nobody is told
            if both.done():
                both.result()
        finally:
            for pending in (both, broken):
                pending.cancel()
                with contextlib.suppress(asyncio.CancelledError, OSError):
                    await pending
            for way in self._ways:
                way.stop()

    def _asked(self, data: bytes) -> int:
        """The phone speaks. What it says after an answer is a new exchange, and begins with headers."""
        if self._answering:
            self._answering, self._heading = False, True
            self._cut_after = self._link.cut_after()
        if self._cut_after is not None:
            self._cut_after -= len(data)
            if self._cut_after < 0:
                self._break()
        if not self._heading:
            return len(data)
        _, blank, body = data.partition(b"\r\n\r\n")
        self._heading = not blank
        return len(body)

    def _answered(self, data: bytes) -> int:
        self._answering = True
        if self._cut_after is not None and data:
            self._break()
        return len(data)

    def _break(self) -> None:
        if not self._broken.is_set():
            self._link.cuts += 1
            self._broken.set()
            for way in self._ways:
                way.stop()


@dataclass(slots=True, eq=False)
class _Segment:
    number: int
    data: bytes
    body_bytes: int
    tries: int = 0
    order: int = 0  # of its newest transmission among all
    sent_at: float = 0.0
    arrival: int = 0  # among those that arrived; 0: not yet
    timers: list[asyncio.TimerHandle] = field(default_factory=list)


class _Way:
    """One direction: TCP's sender at the near end, its receiver at the far end. An empty segment ends it."""

    def __init__(
        self,
        link: BadLink,
        name: str,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        heed: Callable[[bytes], int],
    ) -> None:
        self._link = link
        self._name = name
        self._source = source
        self._target = target
        self._heed = heed
        self._flying: dict[int, _Segment] = {}
        self._waiting: dict[int, _Segment] = {}  # arrived before one that comes earlier
        self._wanted = self._orders = self._arrivals = 0
        self._window = self._peak = float(FIRST_WINDOW)
        self._slow_start_to = float(WINDOW_MAX)
        self._shrunk_at = 0.0
        self._recovering_to = 0
        self._round_trip = 2 * link.one_way
        self._room = asyncio.Event()
        self._ended = asyncio.Event()
        self._stopped = False

    async def run(self) -> None:
        number = 0
        while True:
            data = await self._source.read(SEGMENT)
            body_bytes = self._heed(data)
            while len(self._flying) >= max(1, int(self._window)):
                self._room.clear()
                await self._room.wait()
            self._flying[number] = segment = _Segment(number, data, body_bytes)
            self._transmit(segment)
            number += 1
            if not data:
                await self._ended.wait()
                return

    def stop(self) -> None:
        """Nothing arrives any more."""
        self._stopped = True
        for segment in self._flying.values():
            for timer in segment.timers:
                timer.cancel()

    def _transmit(self, segment: _Segment) -> None:
        if self._stopped:
            return
        self._orders += 1
        segment.tries += 1
        segment.order = self._orders
        gone = self._link.carry(self._name, segment)
        segment.sent_at = now()
        patience = 2 * self._round_trip * 2 ** (segment.tries - 1)
        segment.timers = [at(gone + patience, self._late, segment)]
        if not self._link.loses():
            segment.timers.append(at(gone + self._link.one_way, self._arrive, segment))

    def _arrive(self, segment: _Segment) -> None:
        self._arrivals += 1
        if not segment.arrival:
            segment.arrival = self._arrivals
            self._waiting[segment.number] = segment
            while next_one := self._waiting.pop(self._wanted, None):
                self._wanted += 1
                self._hand_over(next_one.data)
        if not self._link.loses():
            at(now() + self._link.one_way, self._acknowledged, self._arrivals, segment)

    def _hand_over(self, data: bytes) -> None:
        if self._stopped or self._target.transport.is_closing():
            return
        if data:
            self._target.write(data)
        else:
            self._target.close()
            self._ended.set()

    def _acknowledged(self, arrival: int, newest: _Segment) -> None:
        """Of all that had arrived by then, which makes up for acknowledgements that were lost."""
        if newest.tries == 1:
            self._round_trip += (now() - newest.sent_at - self._round_trip) / 8
        for segment in [one for one in self._flying.values() if 0 < one.arrival <= arrival]:
            for timer in segment.timers:
                timer.cancel()
            del self._flying[segment.number]
            self._grow()
        for segment in list(self._flying.values()):
            if segment.order <= newest.order - GAP_TOLD_BY and not segment.arrival:
                self._shrink(segment)
                self._again(segment)
        self._room.set()

    def _late(self, segment: _Segment) -> None:
        self._shrink(segment)
        if segment.tries > 1:  # the first was a probe, this is a timeout
            self._slow_start_to, self._window = max(2.0, self._window), 1.0
        self._again(segment)

    def _again(self, segment: _Segment) -> None:
        for timer in segment.timers[:1]:
            timer.cancel()
        self._transmit(segment)

    def _grow(self) -> None:
        if self._window < self._slow_start_to:
            self._window += 1
        else:
            back = (self._peak * (1 - SHRINK) / CUBIC) ** (1 / 3)
            aim = CUBIC * (now() - self._shrunk_at + self._round_trip - back) ** 3 + self._peak
            aim = min(max(aim, self._window), 1.5 * self._window)
            self._window += (aim - self._window) / self._window
        self._window = min(self._window, WINDOW_MAX)

    def _shrink(self, segment: _Segment) -> None:
        """Once for all that was under way together."""
        if segment.order > self._recovering_to:
            self._recovering_to = self._orders
            self._peak, self._shrunk_at = self._window, now()
            self._window = self._slow_start_to = max(2.0, self._window * SHRINK)


def now() -> float:
    return asyncio.get_running_loop().time()


def at(when: float, do: Callable[..., None], *values: object) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_at(when, do, *values)
