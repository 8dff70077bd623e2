"""One POST to an address that was judged before: no redirects, no proxies, and an end to every wait."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse

from server.outbox.addresses import Target

CONNECT_SECONDS = 5
ADDRESSES_MAX = 3
WHOLE_SECONDS = 12
"""From the first packet to the end of the answer, however slowly it drips."""
ANSWER_BYTES_MAX = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """The status, what the other side asks us to wait, and the beginning of what it said."""

    status: int
    retry_after: timedelta | None
    said: str


class _Pinned(HTTPConnection):
    """Connects to the judged address, whatever the name leads to by now."""

    def __init__(self, target: Target, tls: ssl.SSLContext | None, seconds: float) -> None:
        super().__init__(target.host, target.port, timeout=seconds)
        self._target = target
        self._tls = tls
        if target.scheme == "https":
            self.default_port = 443

    def connect(self) -> None:
        sock = self._first_that_answers()
        sock.settimeout(self.timeout)
        if self._tls is not None:
            try:
                sock = self._tls.wrap_socket(sock, server_hostname=self._target.host)
            except BaseException:
                sock.close()
                raise
        self.sock = sock

    def _first_that_answers(self) -> socket.socket:
        *others, last = self._target.addresses[:ADDRESSES_MAX]
        for address in others:
            with contextlib.suppress(OSError):
                return socket.create_connection((address, self._target.port), CONNECT_SECONDS)
        return socket.create_connection((last, self._target.port), CONNECT_SECONDS)


def post(
    target: Target,
    body: bytes,
    headers: Mapping[str, str],
    *,
    now: datetime,
    tls: ssl.SSLContext,
    seconds: float = WHOLE_SECONDS,
) -> Answer:
    """Raises OSError (also for time-outs and certificates) when no whole answer came."""
    connection = _Pinned(target, tls if target.scheme == "https" else None, seconds)
    try:
        with _ends_after(seconds, connection) as ended:
            try:
                connection.connect()
                if ended.is_set():
                    raise TimeoutError
                connection.request("POST", target.path, body, dict(headers))
                answer = connection.getresponse()
                said = answer.read(ANSWER_BYTES_MAX)
            except (HTTPException, ValueError, OSError) as error:
                # The socket's own clock runs as long as ours, and either may be the first to strike.
                if ended.is_set() or (connection.sock is not None and isinstance(error, TimeoutError)):
                    raise TimeoutError(f"no answer within {seconds:g} s") from error
                if isinstance(error, OSError):
                    raise
                raise OSError(f"the answer is not HTTP: {type(error).__name__}") from error
            if ended.is_set():
                raise TimeoutError(f"no answer within {seconds:g} s")
    finally:
        connection.close()
    text = said.decode("utf-8", "replace").strip()
    return Answer(answer.status, _retry_after(answer, now), "".join(filter(str.isprintable, text)))


@contextmanager
def _ends_after(seconds: float, connection: HTTPConnection) -> Iterator[threading.Event]:
    """A time-out of the socket begins anew with each byte; this one does not."""
    ended = threading.Event()

    def end() -> None:
        ended.set()
        if connection.sock is not None:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield ended
    finally:
        timer.cancel()


def _retry_after(answer: HTTPResponse, now: datetime) -> timedelta | None:
    """Seconds or an HTTP date; what is neither, or lies in the past, asks for nothing."""
    value = (answer.getheader("Retry-After") or "").strip()
    if value.isdigit() and len(value) < 10:
        wanted = timedelta(seconds=int(value))
    else:
        try:
            until = parsedate_to_datetime(value)
        except ValueError:
            return None
        wanted = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return wanted if wanted > timedelta() else None
