"""The ways out: webhooks by HTTP, messages to customers by Apprise. Each says what came of one try."""

from __future__ import annotations

import logging
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from server.outbox.addresses import Boundary, Forbidden
from server.outbox.courier import ARRIVED, Message, Outcome, Sender
from server.outbox.happenings import as_bytes
from server.outbox.models import WEBHOOK
from server.outbox.post import WHOLE_SECONDS, Answer, post
from server.outbox.signing import headers
from server.settings import Settings

if TYPE_CHECKING:
    from apprise import Apprise

USER_AGENT = "Truckroll-Webhooks/1"
TOO_LATE = {"on_the_way": timedelta(hours=1)}
TOO_LATE_OTHERWISE = timedelta(hours=24)
"""A message that says less than nothing after so long is not sent unless a person asks for it."""


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """A signed CloudEvent by POST; 2xx is success, 410 means never again."""

    boundary: Boundary
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    seconds: float = WHOLE_SECONDS

    def send(self, message: Message, now: datetime) -> Outcome:
        body = as_bytes(message.event)
        head = headers(message.secret, message.id, now, body) | {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "User-Agent": USER_AGENT,
        }
        try:
            target = self.boundary.target(message.url)
            answer = post(target, body, head, now=now, tls=self.tls, seconds=self.seconds)
        except Forbidden as error:
            return Outcome(error=str(error), refused=True)
        except OSError as error:
            return Outcome(error=f"No connection: {error}", away=True)
        return _judge(answer)


def _judge(answer: Answer) -> Outcome:
    status = answer.status
    if 200 <= status < 300:
        return ARRIVED
    said = f"Answered {status}" + (f": {answer.said}" if answer.said else "")
    if status == 410:
        return Outcome(error=said, gone=True)
    if status in (408, 429) or status >= 500:
        return Outcome(error=said, away=True, retry_after=answer.retry_after)
    return Outcome(error=said, refused=True)  # a redirect too: we follow none


@dataclass(frozen=True, slots=True)
class NoticeSender:
    """One channel of messages to customers. `template`: an Apprise URL with {recipient} and maybe {id}."""

    template: str
    title: str = ""

    def send(self, message: Message, now: datetime) -> Outcome:
        if not message.again and now - message.queued_at > TOO_LATE.get(message.topic, TOO_LATE_OTHERWISE):
            return Outcome(error="Too old to be told: it waited too long for a sender", final=True)
        if not message.recipient:
            return Outcome(error="The customer has no number or address for this", final=True)
        apprise = _apprise()
        if not apprise.add(address(self.template, message.recipient, str(message.id))):
            return Outcome(error="Apprise can't read the address made for this customer", refused=True)
        with _complaints() as heard:
            arrived = apprise.notify(body=message.body, title=self.title)
        if arrived:
            return ARRIVED
        reason = "; ".join(heard).replace(message.recipient, "…") or "Apprise could not send it"
        return Outcome(error=reason)


def address(template: str, recipient: str, message_id: str) -> str:
    return template.replace("{recipient}", quote(recipient, safe="@")).replace("{id}", message_id)


def _apprise() -> Apprise:
    """Loaded late: it is slow to load, and an extra that not everybody installs. Raises ImportError."""
    from apprise import Apprise

    return Apprise()


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What Apprise logs as warning or error in this thread meanwhile: it answers only yes or no."""
    heard: list[str] = []
    mine = threading.get_ident()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == mine:
                heard.append(record.getMessage())

    listener, logger = Listener(logging.WARNING), logging.getLogger("apprise")
    logger.addHandler(listener)
    try:
        yield heard
    finally:
        logger.removeHandler(listener)


def senders_of(settings: Settings) -> dict[str, Sender]:
    """Channel → sender, as far as the settings name one. Raises ValueError for what can't work."""
    senders: dict[str, Sender] = {WEBHOOK: WebhookSender(Boundary(settings.webhook_networks))}
    for channel, template in notice_templates(settings).items():
        if not template:
            continue
        _try(channel, template)
        # A subject is for mail; in front of a short message it would be noise.
        senders[channel] = NoticeSender(template, settings.company if channel == "email" else "")
    return senders


def notice_templates(settings: Settings) -> dict[str, str]:
    """Channel of notices → Apprise URL, empty where messages stay queued."""
    return {"sms": settings.notify_sms, "email": settings.notify_email}


def _try(channel: str, template: str) -> None:
    name = f"TRUCKROLL_NOTIFY_{channel.upper()}"
    if "{recipient}" not in template:
        raise ValueError(f"{name} has no {{recipient}}: every message would go to the same place")
    example = "someone@example.org" if channel == "email" else "+3584012345678"
    try:
        # The first address loads all its parts, of which the one for PGP imports imghdr.
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            understood = _apprise().add(address(template, example, "0"))
    except ImportError as error:
        raise ValueError(f"{name} needs Apprise: pip install 'truckroll[notify]'") from error
    if not understood:
        raise ValueError(f"{name} is no URL that Apprise understands")
