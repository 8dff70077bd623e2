"""One question to a routing server: every wait ends, it is tried again, and one that is down gets a rest."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TypeVar
from urllib.parse import urlsplit

from msgspec import MsgspecError

from scheduler.travel.protocol import NoAnswer

T = TypeVar("T")

TRIES = 3
PAUSE_SECONDS = 0.25
FAILURES_MAX = 2
REST_SECONDS = 30.0
ANSWER_BYTES_MAX = 64 * 2**20

Read = Callable[[int, bytes], T]
"""Status and body → what was asked for. Raises Unreadable or MsgspecError."""


class Unreadable(ValueError):
    """An answer that is not of the shape we know; the text says how."""


class _Failed(Exception):
    """One try came to nothing; another may not."""


class RoadServer:
    """An HTTP server at `url` (http or https, a path may follow).

    seconds: how long one try may take, from the connection to the answer's last byte; all tries together take
    at most twice that. After FAILURES_MAX questions without an answer in a row it is left alone for
    REST_SECONDS, so that planners don't wait for it in vain. Safe for several threads.
    """

    def __init__(
        self,
        url: str,
        *,
        seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Raises ValueError when `url` is no address of a server."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{url} is no address of a server; write http://host:port")
        # Drives are remembered under it: two profiles behind one host must not share them.
        address = parts.hostname + (f":{parts.port}" if parts.port else "") + parts.path.rstrip("/")
        self.place = f"https://{address}" if parts.scheme == "https" else address
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._prefix = parts.path.rstrip("/")
        self._seconds, self._clock, self._sleep, self._chance = seconds, clock, sleep, chance
        self._lock = threading.Lock()
        self._failures, self._rest_until = 0, 0.0

    def ask(self, path: str, read: Read[T], body: bytes | None = None) -> T:
        """GET `path`, or POST `body` there. Raises NoAnswer with the reason."""
        self._awake()
        until = self._clock() + 2 * self._seconds
        for attempt in range(TRIES):
            try:
                answer = self._try(path, read, body)
            except _Failed as error:
                reason = str(error)
                pause = self._chance() * PAUSE_SECONDS * 2**attempt
                if attempt + 1 == TRIES or self._clock() + pause >= until:
                    break
                self._sleep(pause)
            else:
                with self._lock:
                    self._failures = 0
                return answer
        with self._lock:
            self._failures += 1
            self._rest_until = self._clock() + REST_SECONDS
        raise NoAnswer(reason)

    def _awake(self) -> None:
        with self._lock:
            left = self._rest_until - self._clock()
            if self._failures >= FAILURES_MAX and left > 0:
                raise NoAnswer(f"did not answer and is left alone for another {left:.0f} s")

    def _try(self, path: str, read: Read[T], body: bytes | None) -> T:
        try:
            status, said = self._exchange(path, body)
        except TimeoutError:
            raise _Failed(f"did not answer within {self._seconds:g} s") from None
        except (OSError, HTTPException) as error:
            raise _Failed(f"did not answer: {error or type(error).__name__}") from error
        if status == 429 or status >= 500:
            raise _Failed(f"answered {status}")
        try:
            return read(status, said)
        except (Unreadable, MsgspecError) as error:
            raise _Failed(f"gave an answer that we can't read: {error}") from error

    def _exchange(self, path: str, body: bytes | None) -> tuple[int, bytes]:
        kind = HTTPSConnection if self._secure else HTTPConnection
        connection = kind(self._host, self._port, timeout=self._seconds)
        with closing(connection), self._ending(connection) as ended:
            try:
                headers = {"Accept": "application/json", "User-Agent": "Truckroll", "Connection": "close"}
                if body is not None:
                    headers["Content-Type"] = "application/json"
                connection.request("GET" if body is None else "POST", self._prefix + path, body, headers)
                with connection.getresponse() as response:
                    said = response.read(ANSWER_BYTES_MAX + 1)
                    if len(said) > ANSWER_BYTES_MAX:
                        raise HTTPException("the answer does not end")
                    # read(n) does not notice that there should have been more.
                    if response.length:
                        raise HTTPException("the answer broke off")
                    return response.status, said
            except (OSError, HTTPException, ValueError, AttributeError):
                if ended.is_set():
                    raise TimeoutError from None
                raise

    @contextmanager
    def _ending(self, connection: HTTPConnection) -> Iterator[threading.Event]:
        """Breaks the connection off when the time is over, however slowly the answer drips."""
        ended = threading.Event()

        def end() -> None:
            ended.set()
            if (sock := connection.sock) is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(2)

        alarm = threading.Timer(self._seconds, end)
        alarm.daemon = True
        alarm.start()
        try:
            yield ended
        finally:
            alarm.cancel()
