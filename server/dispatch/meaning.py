"""A command in words, for the people who have to decide about it. Pure; reads commands of any age."""

from __future__ import annotations

from typing import Any

from shared import halves

_WHY = {
    "no_access": "no access",
    "customer_absent": "nobody at home",
    "missing_part": "a part was missing",
    "missing_skill": "another skill is needed",
    "network_fault": "the fault is in the network",
    "unsafe": "it was not safe",
    "customer_refused": "the customer refused",
}

_THINGS = {
    "start_travel": ("start of a trip", "starts of a trip"),
    "arrive": ("arrival", "arrivals"),
    "pause_work": ("pause", "pauses"),
    "resume_work": ("end of a pause", "ends of a pause"),
    "correct_time": ("correction of a time", "corrections of times"),
    "install_asset": ("fitted device", "fitted devices"),
    "remove_asset": ("device taken off", "devices taken off"),
    "put_back_asset": ("device hung up again", "devices hung up again"),
    "swap_asset": ("swap of devices", "swaps of devices"),
    "undo_swap": ("swap undone", "swaps undone"),
    "answer_check": ("answer of a checklist", "answers of checklists"),
    "skip_check": ("point of a checklist left out", "points of checklists left out"),
    "record_check": ("measurement", "measurements"),
    "use_parts": ("entry of used parts", "entries of used parts"),
    "take_back_parts": ("entry of parts taken back", "entries of parts taken back"),
    "add_evidence": ("picture's entry", "pictures' entries"),
    "add_note": ("note", "notes"),
    "correct_contact": ("correction of the contact", "corrections of the contact"),
    "close_work_order": ("close of the job", "closes of the job"),
    "cannot_complete": ("report that it could not be done", "reports that it could not be done"),
    "count_van": ("count of the van", "counts of the van"),
    "hand_over": ("hand-over to another van", "hand-overs to other vans"),
    "take_over": ("take-over from another van", "take-overs from other vans"),
    "ask_for_visit": ("wish for another visit", "wishes for another visit"),
    "consent_to_charge": ("answer to a price", "answers to prices"),
    "ask_for_part": ("request for a part", "requests for parts"),
    "answer_part_request": ("answer to a colleague", "answers to colleagues"),
    "withdraw_part_request": ("request taken back", "requests taken back"),
    "pick_up_parts": ("pick-up at a depot", "pick-ups at a depot"),
    "report_network_fault": ("report of a network fault", "reports of network faults"),
    "photo": ("photo", "photos"),
    "signature": ("signature", "signatures"),
}


def counted(kind: str, count: int) -> str:
    """So many of what a device has not sent, by the command's type: "2 measurements", "close of the job"."""
    plain = _short(kind.replace("_", " "))
    one, many = _THINGS.get(kind, (plain, f"× {plain}"))
    return one if count == 1 else f"{count} {many}"


def in_words(kind: str, body: str) -> str:
    """What the sender of a `kind` command with this JSON `body` wanted: "install device ZTEG1234"."""
    try:
        found = halves.loads(body)
    except ValueError:
        found = None
    values: dict[str, Any] = found if isinstance(found, dict) else {}
    match kind:
        case "start_travel":
            return "set out"
        case "arrive":
            return "note the arrival"
        case "pause_work":
            return f"pause: {_short(values.get('reason')).replace('_', ' ')}"
        case "resume_work":
            return "go on after the pause"
        case "correct_time":
            point = _short(values.get("point")).replace("_", " ")
            return f"correct the time of “{point}” to {_short(values.get('value'))}"
        case "install_asset":
            return f"install device {_short(values.get('serial'))}"
        case "remove_asset":
            return f"take off device {_short(values.get('serial'))}"
        case "put_back_asset":
            return f"hang up device {_short(values.get('serial'))} again"
        case "swap_asset":
            return f"swap device {_short(values.get('old_serial'))} for {_short(values.get('serial'))}"
        case "undo_swap":
            return f"undo the swap of {_short(values.get('old_serial'))} for {_short(values.get('serial'))}"
        case "record_check":
            return f"record {_short(values.get('code')).replace('_', ' ')}: {_short(values.get('value'))}"
        case "answer_check":
            return f"answer {_short(values.get('code')).replace('_', ' ')}: {_short(values.get('value'), 80)}"
        case "skip_check":
            why = _short(values.get("reason")).replace("_", " ")
            words = f" ({_short(values['text'], 80)})" if values.get("text") else ""
            return f"leave out {_short(values.get('code')).replace('_', ' ')}: {why}{words}"
        case "use_parts":
            return f"use {_parts(values.get('lines'))}"
        case "take_back_parts":
            return f"take back {_parts(values.get('lines'))}"
        case "add_evidence":
            item = values.get("check")
            of_item = f" of {_short(item).replace('_', ' ')}" if item else ""
            return f"add a {_short(values.get('kind'))}{of_item}"
        case "add_note":
            return f"note “{_short(values.get('text'), 80)}”"
        case "close_work_order":
            return "close the job"
        case "cannot_complete":
            reason = str(values.get("reason"))
            return f"say it cannot be completed: {_WHY.get(reason, _short(reason))}"
        case "correct_contact":
            return f"correct the {_field(values)} to “{_short(values.get('value'), 80)}”"
        case "ask_for_visit":
            going_on = "a follow-up" if values.get("follow_up") is True else "another visit"
            kind_asked = _short(values.get("kind")).replace("_", " ")
            return f"ask for {going_on} ({kind_asked}): “{_short(values.get('summary'), 80)}”"
        case "consent_to_charge":
            who = _short(values.get("name") or "the customer")
            return f"note that {who} {'refused the price' if values.get('refused') is True else 'agreed'}"
        case "charge_in_full":
            return "charge it in full"
        case "assign_work_order":
            return "assign the job"
        case "unassign_work_order":
            return "take the job off its technician"
        case "cancel_work_order":
            return "cancel the job"
        case "reschedule_work_order":
            return "move the job to another time"
        case "split_work_order":
            return "move part of the job to another order"
        case "delete_work_order":
            return "delete the job"
        case "reopen_work_order":
            return "give the job to who did the work"
        case "charge_call_out":
            return "bill the call-out"
        case "edit_contact":
            return f"write “{_short(values.get('value'), 80)}” as the {_field(values)}"
        case "office_note":
            return f"note “{_short(values.get('text'), 80)}”"
        case "office_check":
            return f"record {_short(values.get('code')).replace('_', ' ')}: {_short(values.get('value'))}"
        case "correct_contact" | "edit_contact":
            return (
                f"change the {_short(values.get('field')).replace('_', ' ')} to {_short(values.get('value'))}"
            )
        case "reschedule_work_order":
            return "move the job to another time"
        case "split_work_order":
            return "make a second job of a part"
        case "delete_work_order":
            return "delete the job"
        case "reopen_work_order":
            return "give the job back to who did the work"
        case "charge_call_out":
            return "charge the call-out"
        case "office_note":
            return f"note “{_short(values.get('text'), 80)}”"
        case "office_check":
            return f"record {_short(values.get('code')).replace('_', ' ')}: {_short(values.get('value'))}"
        case "count_van":
            return f"count the van: {_counted(values)}"
        case "hand_over":
            return f"hand a colleague {_handed(values)}"
        case "take_over":
            return f"take {_handed(values)} from a colleague"
        case "ask_for_part":
            return f"ask for {_short(values.get('quantity'))} × {_short(values.get('sku'))}"
        case "answer_part_request":
            return f"tell a colleague that they can{'' if values.get('can') is True else 'not'} give a part"
        case "withdraw_part_request":
            return "take back a request for a part"
        case "pick_up_parts":
            return f"fetch {_handed({'transfer': values})} at a depot"
        case "report_network_fault":
            sign, cabinet = _short(values.get("sign")).replace("_", " "), _short(values.get("cabinet"))
            unsafe = "" if values.get("safe") is True else ", not safe"
            return f"report a fault of cabinet {cabinet}: {sign}{unsafe}"
    return f"something this server does not know ({_short(kind)})"


def _field(values: dict[str, Any]) -> str:
    return _short(values.get("field")).replace("_", " ")


def _counted(values: dict[str, Any]) -> str:
    parts = values.get("parts")
    named = [
        f"{line.get('counted')} × {line.get('sku')} (listed: {line.get('listed')})"
        for line in (parts if isinstance(parts, list) else ())
        if isinstance(line, dict)
    ]
    seen = values.get("seen")
    devices = [f"{len(seen)} devices"] if isinstance(seen, list) and seen else []
    return _short(", ".join([*named, *devices]), 120) or "nothing"


def _handed(values: dict[str, Any]) -> str:
    found = values.get("transfer")
    transfer = found if isinstance(found, dict) else {}
    lines, devices = transfer.get("lines"), transfer.get("devices")
    named = [_parts(lines)] if isinstance(lines, list) and lines else []
    for device in devices if isinstance(devices, list) else ():
        named.append(_short(device.get("serial") if isinstance(device, dict) else device))
    return _short(", ".join(named), 120) or "nothing"


def _parts(lines: object) -> str:
    if not isinstance(lines, list):
        return "parts"
    named = [f"{line.get('quantity')} × {line.get('sku')}" for line in lines if isinstance(line, dict)]
    return _short(", ".join(named), 120) or "parts"


def _short(value: object, letters_max: int = 40) -> str:
    text = "?" if value is None else " ".join(str(value).split())
    return text if len(text) <= letters_max else text[: letters_max - 1] + "…"
