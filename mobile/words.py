"""Every sentence that the app shows, in one place, so that it can be translated."""

from __future__ import annotations

from collections.abc import Sequence

from shared.work_orders import UnfinishedReason, WorkOrderKind, WorkOrderState

APP = "Truckroll"
NO_BREAK = "\N{NO-BREAK SPACE}"

# navigation
TODAY, STOCK, SYNC = "Today", "Van stock", "Sync"
BACK = "Back"
DISMISS = "Dismiss message"

KINDS = {
    WorkOrderKind.INSTALL: "New connection",
    WorkOrderKind.UPGRADE: "Upgrade",
    WorkOrderKind.REPAIR: "Repair",
    WorkOrderKind.SWAP: "Swap device",
    WorkOrderKind.DISCONNECT: "Disconnect",
}
STATES = {
    WorkOrderState.UNASSIGNED: "Not assigned",
    WorkOrderState.ASSIGNED: "To do",
    WorkOrderState.TRAVELLING: "On the way",
    WorkOrderState.ON_SITE: "On site",
    WorkOrderState.COMPLETED: "Closed",
    WorkOrderState.UNFINISHED: "Not completed",
    WorkOrderState.CANCELLED: "Cancelled",
}
REASONS = {
    UnfinishedReason.CUSTOMER_ABSENT: "Nobody at home",
    UnfinishedReason.NO_ACCESS: "No access to the place",
    UnfinishedReason.MISSING_PART: "A part is missing",
    UnfinishedReason.MISSING_SKILL: "Needs a colleague with another skill",
    UnfinishedReason.NETWORK_FAULT: "The network has a fault",
    UnfinishedReason.UNSAFE: "It is not safe",
    UnfinishedReason.CUSTOMER_REFUSED: "The customer refused",
}
EMERGENCY = "Emergency"

# saved, sent
SAVED = "Saved on this device"
OFFLINE = "Offline"


def status(unsent: int, photos_unsent: int, *, online: bool | None, last: str | None, needs_you: int) -> str:
    """One truthful line: what only this device has, and what the server has. Photos follow their commands."""
    if needs_you:
        waits = f"{needs_you} need{'s' if needs_you == 1 else ''} attention"
        if unsent or photos_unsent:
            return f"{waits}, {unsent or pictures(photos_unsent)} not sent"
        return f"{waits}. All sent {last}" if last else waits
    if unsent or photos_unsent:
        kept = f"{unsent or pictures(photos_unsent)} saved on this device, not sent"
        return f"{OFFLINE}. {kept}" if online is False else kept
    if last is None:
        return "Nothing received from the office yet"
    return f"{OFFLINE}. All sent {last}" if online is False else f"All sent {last}"


# sign in
WELCOME = "Sign in this device"
WELCOME_TEXT = "The office gives you a code for this device. It works once."
CODE = "Registration code"
CODE_HINT = "ABCD-1234"
DEVICE_NAME = "Name of this device"
SIGN_IN = "Sign in"
SIGNING_IN = "Signing in …"
SIGN_IN_AGAIN = "Sign in again"
SIGN_IN_ANOTHER = "Sign in somebody else"
CODE_MISSING = "Type the registration code from the office."
KEEP_ASIDE = "Sign in and keep their work"
KEEP_ASIDE_ASK = "Their work can't be sent now?"
OTHERS_WORK, ANOTHER = "Unsent work is here", "another technician"
NOT_NOW = "Not now"
SIGN_IN_OFFLINE = "The server can't be reached. Signing in is the one thing that needs a network: try again."


def keep_aside(count: int, name: str) -> str:
    """What becomes of the work of whoever had this device before, said before it is done."""
    what = "1 entry of" if count == 1 else f"{count} entries of"
    it, them = ("It stays", "it") if count == 1 else ("They stay", "them")
    return (
        f"This device keeps {what} {name} that the office does not have yet. {it} safe here, nobody sees "
        f"{them} on this device, and the app goes on sending {them} as {name}'s work. What the office "
        f"does not take waits until {name} signs in here again."
    )


PREPARING = "Fetching your jobs …"


# today
def progress(done: int, total: int) -> str:
    return f"{done} of {total} jobs done"


NO_JOBS = "No jobs for today"
NO_JOBS_TEXT = "New jobs appear here by themselves as soon as the office plans them."
DAY_DONE = "No job is left for today"
NEXT = "Next"


def open_next(street: str) -> str:
    return f"Open next: {street}"


def go_on(street: str) -> str:
    return f"Continue: {street}"


def drive(minutes: int) -> str:
    return f"{minutes} min drive"


def work(minutes: int) -> str:
    return f"{minutes} min work"


def promised(start: str, end: str) -> str:
    return f"Promised {start}–{end}"


def take(things: Sequence[str]) -> str:
    return "Take " + " · ".join(things)


def one_of(models: Sequence[str]) -> str:
    return " or ".join(models)


def times(count: str, name: str) -> str:
    """`2 × Connector`, `30 m Drop cable`."""
    counted = count if count.endswith(" m") else f"{count} ×"
    return f"{counted} ".replace(" ", NO_BREAK) + name


def late_now(until: str) -> str:
    return f"Late: promised until {until}"


def late_soon(arrival: str, until: str) -> str:
    return f"You get there {arrival}, promised until {until}"


def sla_due(until: str) -> str:
    return f"Service due by {until}"


# job
PLACE, WORK, BRING, ON_SITE_NOW, TO_CLOSE = (
    "Place",
    "Work",
    "Bring",
    "Installed there now",
    "Before you close",
)
NOTHING_INSTALLED = "No device is booked at this address."
NOTHING_TO_BRING = "Nothing special to bring."
CABINET, MAP, CALL = "Cabinet", "Map", "Call"
NOTES = "Notes"
START_TRAVEL, ARRIVED, CLOSE_JOB, NEXT_JOB = "Start travel", "Arrived", "Close job", "Back to today"
REVIEW_CLOSE = "Check and close"
CANNOT = "Cannot complete"
ADD_NOTE = "Add a note"
CHANGED_HANDS = "The office gave this job to a colleague. What you did is kept."
JOB_GONE = "This job is no longer on this device."
NOT_ON_SITE = "Tap Arrived first: then scan, measure and book parts."


def plan(name: str, mbps: int) -> str:
    return f"{name}, {mbps} Mbit/s"


# steps before the close
ABBREVIATIONS = {"ont", "onu", "stb", "cpe"}


def fit(role: str) -> str:
    """`role` as the order has it: `ont` or `router`."""
    return f"Scan the {role.upper() if role.lower() in ABBREVIATIONS else role.replace('_', ' ')}"


def record(label: str) -> str:
    return f"Record {label.lower()}"


def fitted(serial: str, model: str) -> str:
    return f"{model} {serial}"


TAKE_AWAY = "Scan what you take away"
TAKE_PHOTO_STEP, HAVE_SIGNED = "Take a photo", "Have the customer sign"
PHOTO_STEP, SIGN_STEP, PARTS_STEP = "Photo of the finished work", "Customer's signature", "Parts used"
NOT_YET = "Not yet"
IF_ANY = "If you used any"


def photos(count: int) -> str:
    return f"{count} photo{'' if count == 1 else 's'}"


def pictures(count: int) -> str:
    return f"{count} picture{'' if count == 1 else 's'}"


def signed_by(name: str) -> str:
    return f"Signed by {name}"


def parts_booked(lines: int) -> str:
    return f"{lines} part{'' if lines == 1 else 's'} booked"


def measured(value: str, unit: str) -> str:
    return f"{value} {unit}"


# scan
SCAN = "Scan"
SCAN_WANTED = "Wanted"
OPEN_CAMERA, OPEN_CAMERA_AGAIN, PHOTO_OF_LABEL = "Open camera", "Scan another", "Photo of the label"
CODE_FIELD = "Scanner or typed code"
CODE_FIELD_HINT = "Enter reads it"
READ_CODE = "Read code"
NO_CODE_IN_PHOTO = "No code found in this photo. Hold still, closer, with more light; or type the code."
SCAN_TITLE = "Scan the label"
TYPE_INSTEAD = "Type the code as printed on the label."
SCAN_TIMEOUT = "No code was read in time. Try again closer, or type it."
FIT_IT = "Fit this device"
CONFIRM_FIT = "I hold it: fit it anyway"
TAKE_IT = "Take this device away"
CHOOSE_MODEL = "Which model is it?"
LABEL_MODEL_MISSING = "Choose the model first: nobody has booked this serial in."
UNDO_FIT = "Take it back"
FITTED_BY_MISTAKE = "fitted by mistake"
TAKEN_AWAY = "replaced on this visit"
ON_THIS_JOB = "On this job"


def check_last_four(last: str) -> str:
    return f"Compare with the label: it must end in {last}"


VERDICT_TITLES = {
    "good": "Good",
    "warn": "Look twice",
    "bad": "Not this one",
    "calm": "Read",
}

# checks
CHECKS = "Measurements"
SAVE_CHECKS = "Save measurements"
CHANGE_SIGN = "Change sign"


def limits(text: str) -> str:
    return f"Allowed: {text}"


def not_a_number(text: str, label: str) -> str:
    return f"“{text}” is no number: type {label.lower()} with digits, such as 12.5"


def outside(value: str, unit: str, allowed: str) -> str:
    wrong = "is outside" if " to " in allowed else "is not"  # -27 to -8 dBm, at least 90 Mbit/s
    return f"{value} {unit} {wrong} {allowed}. Mend the line, then measure again."


def sign_missing(value: str, unit: str) -> str:
    return f"Not saved: did you mean -{value} {unit}? Tap ± to change the sign."


def saved_measurement(label: str, value: str, unit: str) -> str:
    return f"{label} {value} {unit}. {SAVED}"


NOTHING_MEASURED = "Type at least one measurement."
NO_CHECKS = "This job asks for no measurements."

# parts
PARTS = "Parts used"
NO_PARTS = "Your van carries no counted parts."
NEEDED_HERE, ALSO_ON_VAN = "Planned for this job", "Also on your van"


def on_van(count: str) -> str:
    return f"{count} on the van"


def used_here(count: str) -> str:
    return f"{count} already booked here"


def less(name: str) -> str:
    return f"Less {name}"


def more(name: str) -> str:
    return f"More {name}"


def how_many(name: str) -> str:
    return f"How many {name}"


def not_whole(text: str, unit: str) -> str:
    return f"“{text}” can't be booked: type whole {unit}"


def save_parts(count: int) -> str:
    return f"Save {count} part{'' if count == 1 else 's'}" if count else "Nothing chosen yet"


# evidence
PHOTO = "Photo"
TAKE_PHOTO, TAKE_ANOTHER = "Take photo", "Take another photo"
NO_PHOTO = "No photo yet. Show the device, its cable and where it hangs."
WORKING_ON_PHOTO = "Saving the photo …"
SIGNATURE = "Signature"
SIGNER = "Name of who signs"
SIGN_HERE = "Sign here with a finger"
CLEAR = "Clear"
SAVE_SIGNATURE = "Save signature"
SIGNATURE_EMPTY = "The field is empty: have the customer sign in it."
SIGNATURE_TEXT = "I confirm that the work was done."


def photo_number(number: int) -> str:
    return f"Photo {number}"


# close
CLOSE = "Close job"
DONE_HERE = "Done on this visit"
WHAT_NEXT = "What happens next"
STILL_MISSING = "Still missing"
PLANNED_NOT_BOOKED = "Planned, not booked"
BOOK_PARTS = "Book parts"


def after_close(kind: WorkOrderKind) -> tuple[str, ...]:
    """What the office's system does with the close, in the order in which people notice it."""
    service = {
        WorkOrderKind.DISCONNECT: "The service ends as of now",
        WorkOrderKind.REPAIR: "The service goes on; the repair is on record",
    }.get(kind, "The service is active as of now")
    return (
        "The close is saved on this device at once; you can drive on.",
        f"{service}, also if it is sent later.",
        "Devices and parts move from your van to the customer.",
        "The invoice is drafted and the customer gets a message.",
    )


def closed(number: str) -> str:
    return f"{number} closed. {SAVED}"


# cannot complete
WHY = "Why not?"
CANNOT_TEXT = "Parts you used stay booked. Devices you fitted go back to your van."
CANNOT_NOTE = "What should the next one know?"
REPORT = "Report and leave"
CHOOSE_REASON = "Choose a reason"


def reported(number: str) -> str:
    return f"{number} goes back to the office. {SAVED}"


# note
NOTE = "Note"
NOTE_FIELD = "Note for the office"
SAVE_NOTE = "Save note"

# stock
REFILL, DEVICES, COUNTED = "Refill", "Devices", "Parts"
LOW = "Low"
STOCK_EMPTY = "Nothing is booked on your van yet."


def reserved(count: str) -> str:
    return f"{count} promised to jobs"


def unbooked(count: str) -> str:
    return f"{count} used, booked when the job closes"


def keep_at_least(count: str) -> str:
    return f"should be {count}"


# sync
SEND_NOW, SENDING = "Send now", "Sending …"
QUEUE_STATES = {
    "saved": "Saved here",
    "sending": "Sending",
    "accepted": "Accepted",
    "held": "Needs dispatch",
    "refused_local": "Needs you",
    "corrected": "Corrected",
    "dismissed": "Dismissed",
}
NOT_SENT, WITH_OFFICE, NEEDS_ATTENTION = "Only on this device", "Answered by the office", "Needs attention"
STEPS_SHOWN = 4
NOTHING_SENT = "What you record appears here until the office has it."
LAST_CONTACT, DEVICE, VERSION, STORAGE = "Last contact", "Device", "Version", "Storage"
NEVER = "never"
ROOM = "Room for our data"
STORAGE_KEPT = "The browser keeps our data"
STORAGE_LOOSE = "The browser may clear our data when the phone is full: send often"
STORAGE_FILE = "In a file of this app"
UPDATE_NOW = "Change to it now"


def room(used: int, total: int, nearly_full: bool) -> str:
    """`used` and `total` in bytes."""
    unit, size = ("GB", 1e9) if total >= 1e9 else ("MB", 1e6)
    said = f"{used / size:.1f} of {total / size:.1f} {unit} used"
    return f"{said}. Nearly full: photos that the office has go first" if nearly_full else said


def update_ready(unsent: int) -> str:
    return "A new version is ready" + (f". It waits until the {unsent} unsent are sent" if unsent else "")


def as_of(clock: str) -> str:
    """Over the list that the page shows while the app starts."""
    return f"As of {clock}. Starting: you can tap in a moment"


def clock_off(minutes: int) -> str:
    direction = "ahead" if minutes > 0 else "behind"
    return f"This device's clock is {abs(minutes)} min {direction}. Times are corrected; set it right."


def steps(count: int) -> str:
    return f"{count} step{'' if count == 1 else 's'}"


def which_steps(titles: Sequence[str]) -> str:
    """The first few by name; ten of them would hide the reason."""
    if len(titles) <= STEPS_SHOWN + 1:
        return ", ".join(titles)
    return f"{', '.join(titles[:STEPS_SHOWN])} and {len(titles) - STEPS_SHOWN} more"


def kept_aside(count: int) -> str:
    whose = "of whoever had this device before"
    return f"1 entry {whose} is still to send" if count == 1 else f"{count} entries {whose} are still to send"


def unsent_pictures(count: int) -> str:
    """Signatures are pictures too."""
    return f"{pictures(count)} still to send"


STORAGE_PROBLEM = "The app can't open its data"
TRY_AGAIN = "Try again"


def planned(count: str) -> str:
    return f"{count} planned"
