"""What only this device has, what the office has, and what needs a person."""

from __future__ import annotations

import flet as ft

from mobile import theme, words
from mobile.device.network import accept_update
from mobile.gateway import QueueItem
from mobile.parts.blocks import card, headed, line, mood_box, section, tag, title
from mobile.parts.frame import frame
from mobile.parts.touch import primary, secondary
from mobile.state import SETTINGS, Desk
from mobile.views.status import JobCard, Reason, by_job, clock_warning, in_groups, to_do, when

ACCEPTED_SHOWN = 30
TONES = {
    "saved": (theme.WARN, theme.WARN_BACK, ft.Icons.SAVE_OUTLINED),
    "sending": (theme.CALM, theme.CALM_BACK, ft.Icons.CLOUD_UPLOAD_OUTLINED),
    "accepted": (theme.GOOD, theme.GOOD_BACK, ft.Icons.CLOUD_DONE),
    "held": (theme.BAD, theme.BAD_BACK, ft.Icons.SUPPORT_AGENT),
    "refused_local": (theme.BAD, theme.BAD_BACK, ft.Icons.ERROR_OUTLINE),
    "corrected": (theme.GOOD, theme.GOOD_BACK, ft.Icons.EDIT_NOTE),
    "dismissed": (theme.CALM, theme.CALM_BACK, ft.Icons.DO_NOT_DISTURB_ON_OUTLINED),
}


@ft.component
def SyncStatusScreen(desk: Desk) -> ft.Control:
    status = desk.gateway.status()
    body: list[ft.Control] = []
    if desk.shell.page_facts.update_waiting:
        body.append(mood_box(words.update_ready(status.only_here), "calm"))
        if not status.only_here:
            body.append(secondary(words.UPDATE_NOW, accept_update, icon=ft.Icons.SYSTEM_UPDATE_ALT))
    if status.problem:
        body.append(mood_box(status.problem, "bad" if status.sign_in_needed else "warn"))
    if status.sign_in_needed:
        body.append(secondary(words.SIGN_IN_AGAIN, lambda: desk.go("/sign-in"), icon=ft.Icons.LOGIN))
    if (usage := desk.usage()) and usage.nearly_full:
        body.append(mood_box(words.room(usage.used, usage.total, usage.nearly_full), "warn"))
    if warning := clock_warning(status):
        body.append(mood_box(warning, "warn"))
    body.append(_readiness(desk))
    groups = in_groups(desk.gateway.queue())
    if not groups:
        body.append(line(words.NOTHING_SENT, quiet=True))
    for name, items in groups:
        body.append(title(f"{name} ({len(items)})"))
        if name == words.NEEDS_ATTENTION:
            body += [_job(desk, job) for job in by_job(items)]
        else:
            signed_out = status.sign_in_needed
            body += [_item(desk, item, signed_out=signed_out) for item in items[:ACCEPTED_SHOWN]]
    if status.photos_wait:
        told = words.photos_wait(status.photos_wait, known=status.network_known)
        body.append(mood_box(told, "calm", icon=ft.Icons.WIFI))
        body.append(secondary(words.SEND_PHOTOS, desk.send_photos_now, icon=ft.Icons.CLOUD_UPLOAD_OUTLINED))
    elif status.unsent_photos:
        body.append(line(words.unsent_pictures(status.unsent_photos), bold=True))
    if status.aside:
        body.append(line(words.kept_aside(status.aside), quiet=True))
    body.append(_facts(desk))
    body.append(ft.Container(height=4))
    sending = desk.shell.sending
    return frame(
        desk,
        words.SYNC,
        body,
        second=desk.gateway.profile.name if desk.gateway.profile else "",
        bottom=[
            primary(
                words.SENDING if sending else words.SEND_NOW,
                desk.nudge,
                icon=ft.Icons.CLOUD_UPLOAD,
                disabled=sending,
            )
        ],
    )


def _item(desk: Desk, item: QueueItem, *, signed_out: bool) -> ft.Control:
    ink, back, icon = TONES[item.state]
    made = when(item.made_at, desk.now(), desk.zone)
    sentences = [
        sentence for sentence in (item.detail, *item.remarks, to_do(item, signed_out=signed_out)) if sentence
    ]
    state = words.QUEUE_STATES[item.state]
    return ft.Semantics(
        container=True,
        label=words.listed([item.title, item.order_number, made, state, *sentences]),
        exclude_semantics=True,
        content=card(
            headed(item.title, tag(state, ink=ink, back=back, icon=icon)),
            line(words.listed([item.order_number, made]), quiet=True, size=theme.SMALL),
            *(line(sentence) for sentence in sentences),
            edge=ink if item.state in ("held", "refused_local") else theme.LINE,
        ),
    )


def _job(desk: Desk, job: JobCard) -> ft.Control:
    """All that waits of one job: the office decides once, so it is one card."""
    ink, back, icon = TONES[job.state]
    made = when(job.made_at, desk.now(), desk.zone)
    state, alone = words.QUEUE_STATES[job.state], job.steps == 1
    heading = job.reasons[0].titles[0] if alone else job.order_number
    below = words.listed([job.order_number if alone else words.steps(job.steps), made])
    said = [reason.text if alone else _in_words(reason, len(job.reasons)) for reason in job.reasons]
    shown = ft.Semantics(
        container=True,
        label=words.listed([heading, below, state, *said, job.to_do]),
        exclude_semantics=True,
        content=card(
            headed(heading, tag(state, ink=ink, back=back, icon=icon)),
            line(below, quiet=True, size=theme.SMALL),
            *(
                part
                for reason in job.reasons
                for part in (
                    *([line(reason.text)] if reason.text else []),
                    *(
                        []
                        if alone
                        else [line(_which(reason, len(job.reasons)), quiet=True, size=theme.SMALL)]
                    ),
                )
            ),
            *([line(job.to_do, quiet=True)] if job.to_do else []),
            edge=ink,
        ),
    )
    id = job.work_order_id
    if id is None or desk.gateway.order(id) is None:
        return shown
    look = secondary(
        words.OPEN_JOB, lambda: desk.open_job(id), icon=ft.Icons.ARROW_FORWARD
    )  # fmt: skip
    return ft.Column([shown, look], spacing=6, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def _in_words(reason: Reason, reasons: int) -> str:
    return ": ".join(filter(None, (reason.text.rstrip("."), _which(reason, reasons))))


def _which(reason: Reason, reasons: int) -> str:
    """Their number too, where it is not that of the whole card."""
    which = words.which_steps(reason.titles)
    return f"{words.steps(len(reason.titles))}: {which}" if reasons > 1 else which


def _readiness(desk: Desk) -> ft.Control:
    ready = desk.readiness()
    return mood_box(
        "\n".join([ready.sentence, *ready.missing]),
        "warn" if ready.missing else "good",
        heading=words.READINESS,
    )


def _facts(desk: Desk) -> ft.Control:
    status = desk.gateway.status()
    contact = when(status.last_contact, desk.now(), desk.zone) if status.last_contact else words.NEVER
    kept = desk.shell.page_facts.storage_is_persistent
    storage = (
        words.STORAGE_FILE if desk.storage == "file" else words.STORAGE_KEPT if kept else words.STORAGE_LOOSE
    )
    usage = desk.usage()
    rows = (
        (words.LAST_CONTACT, contact),
        (words.STORAGE, storage),
        *([(words.ROOM, words.room(usage.used, usage.total, usage.nearly_full))] if usage else []),
        *([(words.ROOM_LEFT, words.room_left(usage.left))] if usage else []),
        (words.VERSION, words.listed([status.app_version, desk.build])),
        (words.DATA, words.data_version(status.protocol, status.tables, status.whole)),
    )
    return section(
        words.DEVICE,
        *(
            ft.Column([line(name, quiet=True, size=theme.SMALL), line(value)], spacing=0)
            for name, value in rows
        ),
        secondary(words.SETTINGS, lambda: desk.go(SETTINGS), icon=ft.Icons.SETTINGS),
        secondary(words.SIGN_IN_ANOTHER, lambda: desk.go("/sign-in"), icon=ft.Icons.SWITCH_ACCOUNT),
    )
