"""Every sentence that the app shows, in one place, in English; `mobile/languages/` has the others.

Read them as `words.SAVED` and `words.photos(2)`, never `from mobile.words import …`: `speak` loads this
module again, so that each name stands for a sentence of the language that was chosen.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from mobile import language
from mobile.language import as_written, number, say, say_count
from mobile.rule_words import said
from shared.barcodes import VerdictKind
from shared.barcodes.label import Confidence, LabelPart, Reason
from shared.network_faults import FaultSign, FaultState
from shared.part_requests import PartRequestState
from shared.problems import AssetQuarantined, SerialElsewhere
from shared.timesheet import Activity
from shared.work_orders import (
    PauseReason,
    RemovalCause,
    SkipReason,
    TimePoint,
    UnfinishedReason,
    WorkOrderKind,
    WorkOrderState,
)

APP = "Truckroll"
NO_BREAK = "\N{NO-BREAK SPACE}"


def speak(code: str) -> None:
    """Say everything in one of `language.LANGUAGES` from now on."""
    language.choose(code)
    importlib.reload(sys.modules[__name__])


# days, times
WEEKDAYS_SHORT = say("Mon Tue Wed Thu Fri Sat Sun").split()
WEEKDAYS = say("Monday Tuesday Wednesday Thursday Friday Saturday Sunday").split()
MONTHS = say("January February March April May June July August September October November December").split()
MONTHS_SHORT = say("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec").split()


def day_of_week(day: date) -> str:
    """`Monday 23 November`."""
    names = {"weekday": WEEKDAYS[day.weekday()], "month": MONTHS[day.month - 1]}
    return say("{weekday} {day} {month}", day=day.day, **names)


def short_day(day: date) -> str:
    """`22 Nov`."""
    return say("{day} {month}", day=day.day, month=MONTHS_SHORT[day.month - 1])


def clock(local: datetime) -> str:
    return f"{local:%H:%M}"


def clock_and_day(local: datetime, today: date) -> str:
    """`12:03` today, `22 Nov 12:03` before."""
    if local.date() == today:
        return clock(local)
    return say("{date} {time}", date=short_day(local.date()), time=clock(local))


# navigation
TODAY, STOCK, SYNC = say("Today"), say("Van stock"), say("Sync")
VAN = say("Your van")
BACK = say("Back")
DISMISS = say("Dismiss message")

KINDS = {
    WorkOrderKind.INSTALL: say("New connection"),
    WorkOrderKind.UPGRADE: say("Upgrade"),
    WorkOrderKind.REPAIR: say("Repair"),
    WorkOrderKind.SWAP: say("Swap device"),
    WorkOrderKind.DISCONNECT: say("Disconnect"),
}
STATES = {
    WorkOrderState.UNASSIGNED: say("Not assigned"),
    WorkOrderState.ASSIGNED: say("To do"),
    WorkOrderState.TRAVELLING: say("On the way"),
    WorkOrderState.ON_SITE: say("On site"),
    WorkOrderState.COMPLETED: say("Closed"),
    WorkOrderState.UNFINISHED: say("Not completed"),
    WorkOrderState.CANCELLED: say("Cancelled"),
}
REASONS = {
    UnfinishedReason.CUSTOMER_ABSENT: say("Nobody at home"),
    UnfinishedReason.NO_ACCESS: say("No access to the place"),
    UnfinishedReason.MISSING_PART: say("A part is missing"),
    UnfinishedReason.MISSING_SKILL: say("Needs a colleague with another skill"),
    UnfinishedReason.NETWORK_FAULT: say("The network has a fault"),
    UnfinishedReason.UNSAFE: say("It is not safe"),
    UnfinishedReason.CUSTOMER_REFUSED: say("The customer refused"),
}
EMERGENCY = say("Emergency")
COMMA, DOT = say(", "), say(" · ")

# saved, sent
SAVED = say("Saved on this device")
OFFLINE = say("Offline")


def status(unsent: int, photos_unsent: int, *, online: bool | None, last: str | None, needs_you: int) -> str:
    """One truthful line: what only this device has, and what the server has. Photos follow their commands."""
    sent = say("All sent {when}", when=last) if last else ""
    if needs_you:
        waits = say_count("{count} needs attention", "{count} need attention", needs_you)
        if unsent or photos_unsent:
            return f"{waits}{COMMA}{_not_sent(unsent, photos_unsent)}"
        return f"{waits}. {sent}" if sent else waits
    if unsent or photos_unsent:
        kept = _only_here(unsent, photos_unsent)
        return f"{OFFLINE}. {kept}" if online is False else kept
    if not sent:
        return say("Nothing received from the office yet")
    return f"{OFFLINE}. {sent}" if online is False else sent


def _not_sent(unsent: int, photos: int) -> str:
    if unsent:
        return say_count("{count} not sent", "{count} not sent", unsent)
    return say_count("{count} picture not sent", "{count} pictures not sent", photos)


def _only_here(unsent: int, photos: int) -> str:
    if unsent:
        return say_count(
            "{count} saved on this device, not sent", "{count} saved on this device, not sent", unsent
        )
    return say_count(
        "{count} picture saved on this device, not sent",
        "{count} pictures saved on this device, not sent",
        photos,
    )


# sign in
WELCOME = say("Sign in this device")
WELCOME_TEXT = say("The office gives you a code for this device. It works once.")
CODE = say("Registration code")
CODE_HINT = "ABCD-1234"
SCAN_CODE = say("Scan the office's code")
SCAN_OFFICE_CODE = say("Scan the code on the office's screen")
NO_OFFICE_CODE = say("That is no registration code.")
DEVICE_NAME = say("Name of this device")
SIGN_IN = say("Sign in")
SIGNING_IN = say("Signing in …")
SIGN_IN_AGAIN = say("Sign in again")
SIGN_IN_ANOTHER = say("Sign in somebody else")
CODE_MISSING = say("Type the registration code from the office.")
KEEP_ASIDE = say("Sign in and keep their work")
KEEP_ASIDE_ASK = say("Their work can't be sent now?")
OTHERS_WORK, ANOTHER = say("Unsent work is here"), say("another technician")
NOT_NOW = say("Not now")
SIGN_IN_OFFLINE = say(
    "The server can't be reached. Signing in is the one thing that needs a network: try again."
)


def keep_aside(count: int, name: str) -> str:
    """What becomes of the work of whoever had this device before, said before it is done."""
    return say_count(
        "This device keeps {count} entry of {name} that the office does not have yet. It stays safe here, "
        "nobody sees it on this device, and the app goes on sending it as {name}'s work. What the office "
        "does not take waits until {name} signs in here again.",
        "This device keeps {count} entries of {name} that the office does not have yet. They stay safe here, "
        "nobody sees them on this device, and the app goes on sending them as {name}'s work. What the office "
        "does not take waits until {name} signs in here again.",
        count,
        name=name,
    )


# the lock
LOCKED, UNLOCK, PIN = say("Locked"), say("Unlock"), say("PIN")
LOCKED_TEXT = say("What is not sent is still being sent while the app is locked.")
LOCKED_STARTING = say("Starting: you can enter your PIN in a moment")
FORGOT_PIN = say("I forgot the PIN")
CHECKING_PIN = say("Checking …")
WRONG_PIN = say("That is not the PIN.")
PIN_SHUT = say(
    "That was wrong too often. Ask the office for a new registration code: it opens this device again, and "
    "nothing that is saved here gets lost."
)
FORGOT_TEXT = say(
    "Ask the office for a new registration code. It opens this device again without the PIN, and nothing "
    "that is saved here gets lost."
)
PIN_FORM = say("A PIN has 4 to 8 digits")
PIN_EASY = say("Anybody would try that first: choose another PIN")
PIN_NOW, PIN_NEW, PIN_AGAIN = say("Present PIN"), say("New PIN"), say("New PIN again")
PINS_DIFFER = say("The two are not the same: type them again.")
PIN_SAVE, PIN_REMOVE = say("Save the PIN"), say("Do without a PIN")
PIN_KEPT, PIN_GONE = (
    say("This device asks for the PIN from now on"),
    say("This device asks for no PIN any more"),
)
PIN_TEXT = say("4 to 8 digits, for this device only. The office does not know it and can't read it.")
PIN_PRIVATE = say("It is for this device only. The office does not know it and can't read it.")
PIN_DUE_TEXT = say("What you were doing is still there afterwards. What is not sent is still being sent.")
YOUR_OFFICE = say("Your office")
PIN_IS_NO_SAFE = say(
    "The PIN keeps others from looking into the app. What protects the data if the phone is lost is the "
    "phone's own screen lock: switch that on too."
)
UNLOCK_BY_KEY = say("Unlock by finger or face")
KEY_FAILED = say("That did not work: type the PIN.")
KEY_NOT_MADE = say("This device did not agree: the PIN alone unlocks.")
USE_KEY, DROP_KEY = say("Also unlock by finger or face"), say("Unlock by the PIN only")
KEY_KEPT, KEY_GONE = say("Finger or face unlock too from now on"), say("Only the PIN unlocks from now on")
LOCK, SET_PIN, CHANGE_PIN = say("Lock"), say("Set a PIN"), say("Change the PIN")
LOCK_AFTER = say("Lock after")
LOCK_AT_START = say("Only when the app is started")
LOCK_HIDDEN = say("Also after a minute in the background.")


def lock_minutes(count: int) -> str:
    return say_count("{count} minute without a tap", "{count} minutes without a tap", count)


def pin_required(company: str, count: int) -> str:
    return say(
        "{company} requires a PIN of at least {count} digits on this device.", company=company, count=count
    )


def pin_short(count: int) -> str:
    return say("The PIN needs at least {count} digits here", count=count)


def wrong_pin(left: int) -> str:
    tries = say_count("{count} try is left.", "{count} tries are left.", left)
    return f"{WRONG_PIN} {tries}"


def wait_until(time: str) -> str:
    return say("Try again at {time}.", time=time)


PREPARING = say("Fetching your jobs …")


# today
def progress(done: int, total: int) -> str:
    return say_count("{done} of {count} job done", "{done} of {count} jobs done", total, done=done)


NO_JOBS = say("No jobs for today")
NO_JOBS_TEXT = say("New jobs appear here by themselves as soon as the office plans them.")
DAY_DONE = say("No job is left for today")
NEXT = say("Next")

# the route as a drawing
SKETCH = say("Sketch of the route")
SKETCH_IS_STRAIGHT = say("Straight lines, not roads. Minutes are the plan's.")
NO_SKETCH = say("No place of these jobs has coordinates: there is nothing to draw.")
SHOW_SKETCH, HIDE_SKETCH = say("Show the route"), say("Hide the route")
NORTH = say("N")


def minutes(count: int) -> str:
    return say_count("{count} min", "{count} min", count)


def distance(metres_long: int) -> str:
    if metres_long < 1000:
        return metres(metres_long)
    return say("{count} km", count=number(Decimal(metres_long) / 1000))


# other days
DAY_BEFORE, DAY_AFTER = say("Day before"), say("Day after")
NO_JOBS_THEN = say("No jobs on this day")
BACK_TO_TODAY = say("Back to today")


def chosen_day(day: date) -> str:
    """`Mon 23 Nov`."""
    return say("{weekday} {date}", weekday=WEEKDAYS_SHORT[day.weekday()], date=short_day(day))


def jobs(count: int) -> str:
    return say_count("{count} job", "{count} jobs", count)


def held_here(first: date, last: date) -> str:
    """What is on this device, and with that what is not."""
    return say(
        "On this device: your own jobs from {first} to {last}. Older and later ones, colleagues' jobs and "
        "road maps are not.",
        first=short_day(first),
        last=short_day(last),
    )


# fetching by hand
REFRESH, REFRESHING = say("Fetch what is new"), say("Fetching what is new …")


def up_to_date(clock: str, changes: int) -> str:
    if not changes:
        return say("Up to date at {time}. Nothing new.", time=clock)
    return say_count(
        "Up to date at {time}. {count} entry is new or changed.",
        "Up to date at {time}. {count} entries are new or changed.",
        changes,
        time=clock,
    )


def not_fetched(last: str | None) -> str:
    if last is None:
        return say("No network, and nothing was fetched yet. Try again where there is a network.")
    return say("No network: this is as of {when}. What you save is kept.", when=last)


# what the office changed
NEWS = say("Changed since you last looked")
NEWS_SEEN = say("I have seen this")
NEW_JOB, CANCELLED_JOB = say("New"), say("Cancelled by the office")
GONE_JOB = say("No longer yours: the office gave it to somebody else or plans it anew")
NEW_PARTS, NEW_NOTE = say("What to take has changed"), say("New note from the office")


def moved_job(before: str, after: str) -> str:
    return say("Moved from {before} to {after}", before=before, after=after)


def new_window(before: str, after: str) -> str:
    return say("Promised {after}, no longer {before}", before=before, after=after)


def span(start: str, end: str) -> str:
    return say("{start}–{end}", start=start, end=end)


NO_TIME = say("no time")


def news_of_job(number: str, street: str, changes: Sequence[str]) -> str:
    return f"{listed([number, street])}: {DOT.join(changes)}"


def open_next(street: str) -> str:
    return say("Open next: {street}", street=street)


def go_on(street: str) -> str:
    return say("Continue: {street}", street=street)


def drive(minutes: int) -> str:
    return say_count("{count} min drive", "{count} min drive", minutes)


def work(minutes: int) -> str:
    return say_count("{count} min work", "{count} min work", minutes)


def promised(start: str, end: str) -> str:
    return say("Promised {start}–{end}", start=start, end=end)


def take(things: Sequence[str]) -> str:
    return say("Take {things}", things=DOT.join(map(as_written, things)))


def one_of(models: Sequence[str]) -> str:
    return say(" or ").join(map(as_written, models))


def listed(things: Sequence[str]) -> str:
    """Side by side, with the language's own comma; empty ones are left out."""
    return COMMA.join(map(as_written, filter(None, things)))


METRE = say("m")


def metres(count: int) -> str:
    return say("{count} m", count=count)


def times(count: int, name: str, *, by_the_metre: bool) -> str:
    """`2 × Connector`, `30 m Drop cable`."""
    counted = metres(count) if by_the_metre else say("{count} ×", count=count)
    return f"{counted} ".replace(" ", NO_BREAK) + name


def late_now(until: str) -> str:
    return say("Late: promised until {time}", time=until)


def late_soon(arrival: str, until: str) -> str:
    return say("You get there {arrival}, promised until {time}", arrival=arrival, time=until)


def sla_due(until: str) -> str:
    return say("Service due by {time}", time=until)


# job
WORK, BRING, ON_SITE_NOW, TO_CLOSE = (
    say("Work"),
    say("Bring"),
    say("Installed there now"),
    say("Before you close"),
)
NOTHING_INSTALLED = say("No device is booked at this address.")
NOTHING_TO_BRING = say("Nothing special to bring.")
CABINET, MAP, CALL = say("Cabinet"), say("Map"), say("Call")
NOTES = say("Notes")
START_TRAVEL, ARRIVED, CLOSE_JOB, NEXT_JOB = (
    say("Start travel"),
    say("Arrived"),
    say("Close job"),
    say("Back to today"),
)
REVIEW_CLOSE = say("Check and close")
CANNOT = say("Cannot complete")
ADD_NOTE = say("Add a note")
CHANGED_HANDS = say("The office gave this job to a colleague. What you did is kept.")
JOB_GONE = say("This job is no longer on this device.")
NOT_ON_SITE = say("Tap Arrived first: then scan, measure and book parts.")


def plan(name: str, mbps: int) -> str:
    return say("{name}, {speed}", name=name, speed=measured(mbps, "Mbit/s"))


# what is known of the place
MESSAGE = say("Message")
VISITS_BEFORE, OTHER_JOBS, FAULTS_HERE = (
    say("Earlier visits here"),
    say("Also open for this customer or place"),
    say("Other open repairs on this cabinet"),
)
FAULTS_HINT = say("If several lines of this cabinet are down, tell dispatch before you open anything.")
NO_VISITS = say("Nobody of us was here before, as far as is known.")
LOT_WARNING = say("Lot in quarantine")


def day_and_year(day: date) -> str:
    """`22 Nov 2026`."""
    return say("{date} {year}", date=short_day(day), year=day.year)


def reading(value: str, *, passed: bool) -> str:
    return value if passed else say("{value} (outside the limits)", value=value)


def band(low: str, high: str) -> str:
    return say("Allowed from {low} to {high}", low=low, high=high)


def open_order(number: str, kind: str, state: str, day: str, *, here: bool) -> str:
    return listed([number, kind, state, day, "" if here else say("another address")])


def fault(number: str, state: str, since: str) -> str:
    return listed([number, state, say("since {when}", when=since)])


def lot_here(serial: str, model: str, lot: str) -> str:
    facts = {"serial": serial, "model": as_written(model), "lot": lot}
    if not lot:
        return say("Installed here: {model} {serial} is in quarantine. Swap it, and bring it back.", **facts)
    return say("Installed here: {model} {serial} is of lot {lot}, which has faults. Ask dispatch.", **facts)


def lot_on_van(serial: str, model: str, lot: str) -> str:
    facts = {"serial": serial, "model": as_written(model), "lot": lot}
    if not lot:
        return say("On your van: {model} {serial} is in quarantine. Don't fit it.", **facts)
    return say("On your van: {model} {serial} is of lot {lot}, which has faults. Fit another one.", **facts)


# where one is
NEARBY = say("Suggest “Arrived” when I am there")
NEARBY_TEXT = say(
    "Off unless you choose it. While you travel, the app compares the phone's position with the job's place. "
    "The position stays on this phone and is sent to nobody; nothing is recorded unless you tap."
)
NEARBY_ON, NEARBY_OFF = say("On"), say("Off")
NEARBY_REFUSED = say("The phone does not give its position. Allow it for this app, then choose it again.")
NEARBY_NOT_HERE = say("This version of the app can't ask the phone for its position.")
ARRIVED_YES, ARRIVED_NO = say("Yes, arrived"), say("No")


def seems_there(street: str) -> str:
    return say("You seem to be at {street}. Arrived?", street=street)


# steps before the close
ROLES = {"ont": say("ONT"), "onu": say("ONU"), "stb": say("STB"), "cpe": say("CPE"), "router": say("router")}


def role(role: str) -> str:
    """`role` as the order has it: `ont` or `router`."""
    return ROLES.get(role.lower(), role.replace("_", " "))


def fit(device: str) -> str:
    return say("Scan the {device}", device=role(device))


def record(label: str) -> str:
    return say("Record {label}", label=_within(said(label)))


def _within(label: str) -> str:
    """`label` in the middle of a sentence."""
    return label if language.spoken().nouns_are_capitals else label.lower()


def fitted(serial: str, model: str) -> str:
    return as_written(f"{model} {serial}")


TAKE_AWAY = say("Scan what you take away")
TAKE_PHOTO_STEP, HAVE_SIGNED = say("Take a photo"), say("Have the customer sign")
PHOTO_STEP, SIGN_STEP, PARTS_STEP = (
    say("Photo of the finished work"),
    say("Customer's signature"),
    say("Parts used"),
)
NOT_YET = say("Not yet")
IF_ANY = say("If you used any")


def photos(count: int) -> str:
    return say_count("{count} photo", "{count} photos", count)


def signed_by(name: str) -> str:
    return say("Signed by {name}", name=name)


def parts_booked(lines: int) -> str:
    return say_count("{count} part booked", "{count} parts booked", lines)


def measured(value: Decimal | int, unit: str) -> str:
    return as_written(f"{number(value)} {unit}")


# scan
SCAN = say("Scan")
SCAN_WANTED = say("Wanted")
OPEN_CAMERA, OPEN_CAMERA_AGAIN, PHOTO_OF_LABEL = (
    say("Open camera"),
    say("Scan another"),
    say("Photo of the label"),
)
CODE_FIELD = say("Scanner or typed code")
CODE_FIELD_HINT = say("Enter reads it")
READ_CODE = say("Read code")
NO_CODE_IN_PHOTO = say("No code found in this photo. Hold still, closer, with more light; or type the code.")
SCAN_TITLE = say("Scan the label")
TYPE_INSTEAD = say("Type the code as printed on the label.")
SCAN_TIMEOUT = say("No code was read in time. Try again closer, or type it.")
FIT_IT = say("Fit this device")
CONFIRM_FIT = say("I hold it: fit it anyway")
TAKE_IT = say("Take this device away")
CHOOSE_MODEL = say("Which model is it?")
LABEL_MODEL_MISSING = say("Choose the model first: nobody has booked this serial in.")
UNDO_FIT, UNDO_REMOVAL = say("Take it back"), say("It hangs there again:")
FITTED_BY_MISTAKE = "fitted by mistake"  # recorded with the device, for the office: always in English
ON_THIS_JOB, TAKEN_OFF_HERE = say("On this job"), say("Taken off on this job")


# swap, and why a device comes off
SWAP, SWAP_NOW, CONFIRM_SWAP = say("Swap a device"), say("Swap"), say("I hold it: swap it anyway")
COMES_OFF, GOES_UP = say("Comes off"), say("Goes up")
SCAN_NEW = say("Scan the device that goes up.")
CHOOSE_OLD = say("Choose the device that comes off first.")
SWAP_IT, FIT_INSTEAD = say("Swap it for another one"), say("It replaces one that hangs here")
SWAP_PHOTO = say("Photo of the swap")
PHOTO_IF_YOU_LIKE = say("If you like: it helps the office and the vendor.")
PHOTO_ALONG = say("It is saved together with the swap.")
WHY_OFF = say("Why does it come off?")
CAUSE_NOTE = say("What did you see? (may stay empty)")
CHOOSE_CAUSE = say("Choose first why it comes off.")
CAUSES = {
    RemovalCause.NO_POWER: say("No power"),
    RemovalCause.NO_LIGHT: say("No light"),
    RemovalCause.WIFI_FAULT: say("Wi-Fi fault"),
    RemovalCause.UNSTABLE: say("Restarts, drops the line"),
    RemovalCause.DEAD_ON_ARRIVAL: say("Dead on arrival"),
    RemovalCause.DAMAGED: say("Damaged"),
    RemovalCause.OTHER_FAULT: say("Another fault"),
    RemovalCause.UPGRADE: say("Better one goes up"),
    RemovalCause.CUSTOMER_LEAVES: say("Customer leaves"),
    RemovalCause.OTHER: say("Works: another reason"),
}


def comes_off(device: str) -> str:
    return say("Comes off: {device}", device=device)


def in_place_of(device: str) -> str:
    return say("in the place of {device}", device=device)


def undo_swap(serial: str) -> str:
    return say("Undo the swap: {serial} hangs there again", serial=serial)


def check_last_four(last: str) -> str:
    return say("Compare with the label: it must end in {last}", last=last)


def model(name: str) -> str:
    return say("Model {name}", name=name)


def confirm_in_hand(sentence: str) -> str:
    return f"{sentence} {say('If it is in your hand and the label is right, confirm.')}"


VERDICT_TITLES = {
    "good": say("Good"),
    "warn": say("Look twice"),
    "bad": say("Not this one"),
    "calm": say("Read"),
}
SCAN_TITLES = {
    "quarantined-lot": say("Quarantined lot"),
    VerdictKind.MINE: say("On your van"),
    VerdictKind.INSTALLED_HERE: say("Installed here"),
    VerdictKind.ANOTHER_VAN: say("Another van's"),
    VerdictKind.ANOTHER_CUSTOMER: say("Another customer's"),
    VerdictKind.IN_STORE: say("Still in the store"),
    VerdictKind.UNKNOWN: say("Unknown"),
    VerdictKind.WRONG_MODEL: say("Wrong model for this plan"),
    VerdictKind.WRONG_KIND: say("Another code is wanted"),
    VerdictKind.ALREADY_ON_JOB: say("Already on this job"),
    AssetQuarantined.slug: say("Quarantined"),
    SerialElsewhere.slug: say("Another customer's"),
    "label-disagrees": say("MAC and serial disagree"),
}
"""What a verdict of each kind is called; kinds without a name are called by their mood."""

ONE_LABEL = say("Scan one label at a time; if it is one label, put the device aside and tell dispatch.")


def another_serial(scanned: str, serial: str) -> str:
    """`scanned` stands on the label beside a number of the device `serial`."""
    sentence = say(
        "The label says serial {scanned}, but its other number belongs to {serial}.",
        scanned=scanned,
        serial=serial,
    )
    return f"{sentence} {ONE_LABEL}"


def another_mac(scanned: str, serial: str, known: str) -> str:
    sentence = say(
        "The label says MAC {scanned}, our records of {serial} say {known}.",
        scanned=scanned,
        serial=serial,
        known=known,
    )
    return f"{sentence} {ONE_LABEL}"


def quarantined_lot(serial: str, lot: str) -> str:
    return say(
        "{serial} is of lot {lot}, and another device of that lot is in quarantine. Ask first.",
        serial=serial,
        lot=lot,
    )


ON_LABEL = say("On the label")
COMPARE_ONCE = say("Compare these with the label once; then go on.")
LABEL_PARTS = {
    LabelPart.SERIAL: say("Serial"),
    LabelPart.GPON_SERIAL: say("GPON serial"),
    LabelPart.MAC: say("MAC"),
    LabelPart.GTIN: say("Product number"),
    LabelPart.MODEL: say("Model"),
    LabelPart.LOT: say("Lot"),
}
CONFIDENCE = {
    Confidence.SURE: say("sure"),
    Confidence.LIKELY: say("compare once"),
    Confidence.GUESS: say("a guess: compare each character"),
}
LABEL_REASONS = {
    Reason.ERROR_CORRECTED: say("the code corrects itself"),
    Reason.FRAMES_AGREE: say("two looks agree"),
    Reason.CODES_AGREE: say("two codes agree"),
    Reason.NUMBERS_AGREE: say("GPON serial and MAC end alike"),
    Reason.CHECK_CHARACTER: say("read once"),
    Reason.NO_CHECK: say("such codes are often misread"),
    Reason.SMEARED: say("the bars are blurred"),
    Reason.BY_SHAPE: say("told by its look alone"),
    Reason.ONLY_SERIAL: say("no other serial on the label"),
    Reason.CONTRADICTED: say("another code says otherwise"),
    Reason.IN_CATALOGUE: say("from the catalogue"),
}


def printed(part: str, value: str) -> str:
    """`MAC: AC:12:2F:00:1B:9E`."""
    return f"{part}: {as_written(value)}"


def believed(confidence: Confidence, reasons: Sequence[Reason]) -> str:
    """`sure (two looks agree)`."""
    return f"{CONFIDENCE[confidence]} ({COMMA.join(LABEL_REASONS[reason] for reason in reasons)})"


# checks
CHECKS = say("Measurements")
SAVE_CHECKS = say("Save measurements")
CHANGE_SIGN = say("Change sign")


def limits(text: str) -> str:
    """`text` as `CheckSpec.limits` has it."""
    return say("Allowed: {limits}", limits=said(text))


def not_a_number(text: str, label: str) -> str:
    return say(
        "“{text}” is no number: type {label} with digits, such as {example}",
        text=text,
        label=_within(said(label)),
        example=Decimal("12.5"),
    )


def outside(value: Decimal, unit: str, allowed: str) -> str:
    facts = {"value": measured(value, unit), "limits": said(allowed)}
    if " to " in allowed:  # as the rules say it: -27 to -8 dBm, at least 90 Mbit/s
        return say("{value} is outside {limits}. Mend the line, then measure again.", **facts)
    return say("{value} is not {limits}. Mend the line, then measure again.", **facts)


def sign_missing(value: Decimal, unit: str) -> str:
    return say(
        "Not saved: did you mean {value}? Tap ± to change the sign.",
        value=measured(-value, unit),
    )


def saved_measurement(label: str, value: Decimal, unit: str) -> str:
    return f"{said(label)} {measured(value, unit)}. {SAVED}"


def beside_the_aim(value: Decimal, unit: str, allowed: str) -> str:
    """Of what is only to be known: it stops nothing."""
    return say("{value}, wanted: {limits}.", value=measured(value, unit), limits=said(allowed))


# checklist
CHECKLIST = say("Checklist")
BEGIN_CHECKLIST, GO_ON_CHECKLIST = say("Begin the checklist"), say("Go on with the checklist")
BACK_TO_JOB = say("Back to the job")
YES, NO = say("Yes"), say("No")
SAVE = say("Save")
NOTHING_TYPED = say("Type something first.")
PHOTO_TOO = say("It needs a photo too.")
LEAVE_OUT, LEAVE_IT_OUT, DO_NOT_LEAVE_OUT = say("Leave out"), say("Leave it out"), say("Do not leave it out")
WHY_LEAVE_OUT = say("Why do you leave it out?")
IN_YOUR_WORDS = say("In your words")
SKIP_REASONS = {
    SkipReason.NOT_APPLICABLE: say("Does not apply here"),
    SkipReason.NOT_POSSIBLE: say("Can't be done here"),
    SkipReason.NO_TOOL: say("I lack the tool"),
    SkipReason.CUSTOMER_REFUSED: say("The customer does not want it"),
    SkipReason.UNSAFE: say("It is not safe"),
    SkipReason.OTHER: say("Another reason"),
}


def points_done(done: int, total: int) -> str:
    return say_count("{done} of {count} point done", "{done} of {count} points done", total, done=done)


def left_out(reason: SkipReason, text: str) -> str:
    why = SKIP_REASONS[reason]
    return say("left out: {reason}", reason=f"{why} ({as_written(text)})" if text else why)


def earlier(value: str, time: str) -> str:
    return say("Before: {value} at {time}", value=value, time=time)


def saved_answer(title: str, answer: str) -> str:
    return f"{title}: {answer}. {SAVED}"


def photo_of(label: str) -> str:
    return say("Photo: {item}", item=said(label))


NOTHING_MEASURED = say("Type at least one measurement.")
NO_CHECKS = say("This job asks for no measurements.")

# parts
PARTS = say("Parts used")
NO_PARTS = say("Your van carries no counted parts.")
NEEDED_HERE, ALSO_ON_VAN = say("Planned for this job"), say("Also on your van")


def on_van(count: str) -> str:
    return say("{amount} on the van", amount=count)


USED_HERE = say("Used on this job")


def take_back(count: str, name: str) -> str:
    return say("Take back {amount} {name}", amount=count, name=name)


def used_here(count: str) -> str:
    return say("{amount} already booked here", amount=count)


def less(name: str) -> str:
    return say("Less {name}", name=name)


def more(name: str) -> str:
    return say("More {name}", name=name)


def how_many(name: str) -> str:
    return say("How many {name}", name=name)


def not_whole(text: str, *, by_the_metre: bool) -> str:
    if by_the_metre:
        return say("“{text}” can't be booked: type whole metres", text=text)
    return say("“{text}” can't be booked: type whole pieces", text=text)


def save_parts(count: int) -> str:
    if not count:
        return say("Nothing chosen yet")
    return say_count("Save {count} part", "Save {count} parts", count)


# evidence
PHOTO = say("Photo")
TAKE_PHOTO, TAKE_ANOTHER = say("Take photo"), say("Take another photo")
NO_PHOTO = say("No photo yet. Show the device, its cable and where it hangs.")
WORKING_ON_PHOTO = say("Saving the photo …")
SIGNATURE = say("Signature")
SIGNER = say("Name of who signs")
SIGN_HERE = say("Sign here with a finger")
CLEAR = say("Clear")
SAVE_SIGNATURE = say("Save signature")
SIGNATURE_EMPTY = say("The field is empty: have the customer sign in it.")
SIGNATURE_TEXT = say("I confirm that the work was done.")


def photo_number(place: int) -> str:
    return say("Photo {number}", number=place)


def remove(what: str) -> str:
    """`what` is a serial or a photo that was entered by mistake."""
    return say("Remove {what}", what=what)


# close
CLOSE = say("Close job")
DONE_HERE = say("Done on this visit")
WHAT_NEXT = say("What happens next")
STILL_MISSING = say("Still missing")
PLANNED_NOT_BOOKED = say("Planned, not booked")
BOOK_PARTS = say("Book parts")


def after_close(kind: WorkOrderKind) -> tuple[str, ...]:
    """What the office's system does with the close, in the order in which people notice it."""
    match kind:
        case WorkOrderKind.DISCONNECT:
            service = say("The service ends as of now, also if it is sent later.")
        case WorkOrderKind.REPAIR:
            service = say("The service goes on; the repair is on record, also if it is sent later.")
        case _:
            service = say("The service is active as of now, also if it is sent later.")
    return (
        say("The close is saved on this device at once; you can drive on."),
        service,
        say("Devices and parts move from your van to the customer."),
        say("The invoice is drafted and the customer gets a message."),
    )


# the price
PRICE, RECEIPT = say("Price"), say("Receipt")
SHOW_PRICE, SHOW_RECEIPT = say("Show the customer the price"), say("Show the receipt")
ASK_CUSTOMER = say("Ask the customer")
PRICE_UNKNOWN = say("The price is not known on this device yet: connect once.")
NOTHING_CHARGED = say("This visit costs the customer nothing.")
NOT_CLOSED_YET = say("There is a receipt once the job is closed.")
NOT_AGREED_MORE = say("What is not agreed is not billed until dispatch decides.")
ANSWER_AGREED, ANSWER_REFUSED = say("The customer agreed"), say("The customer refused")


def not_asked(amount: str) -> str:
    return say("{amount}, not agreed yet", amount=amount)


def price_agreed(amount: str, name: str) -> str:
    return say("{name} agreed to {amount}", amount=amount, name=name)


def price_refused(amount: str) -> str:
    return say("The customer refused {amount}", amount=amount)


def more_than_agreed(amount: str) -> str:
    return say("{amount} more than agreed", amount=amount)


def did_answer(amount: str, *, refused: bool) -> str:
    return price_refused(amount) if refused else say("The customer agreed to {amount}", amount=amount)


def closed(order: str) -> str:
    return f"{say('{number} closed', number=order)}. {SAVED}"


# another visit
MORE_WORK = say("More work here")
MORE_WORK_TEXT = say(
    "Ask the office for another visit to this place. It is saved here and sent when it can be."
)
WHAT_FOR = say("What for?")
SAME_WORK = say("The same work goes on")
OTHER_WORK = say("Other work, found here")
WHICH_KIND = say("What kind of visit?")
WHAT_TO_DO = say("What is to be done?")
HOW_LONG = say("How long will it take?")
BRING_PARTS = say("Parts to bring")
MISSING_SKILL = say("Skill that is needed")
ASK_FOR_VISIT = say("Ask for this visit")
SAY_WHAT_TO_DO = say("Say what is to be done")
ASKED_FOR = say("Asked for")
WAITS_FOR_OFFICE = say("waiting for the office")
REPORT_AND_ASK = say("Report, and ask for a follow-up visit")


def asked_for(kind: str, summary: str, stands: str) -> str:
    """`stands`: the new order's number, or that the office has not got it yet."""
    return say("{kind}: {summary} ({state})", kind=kind, summary=summary, state=stands)


def did_ask(kind: str) -> str:
    return say("Asked for another visit: {kind}", kind=kind)


# cannot complete
WHY = say("Why not?")
CANNOT_TEXT = say("Parts you used stay booked. Devices you fitted go back to your van.")
CANNOT_NOTE = say("What should the next one know?")
REPORT = say("Report and leave")
CHOOSE_REASON = say("Choose a reason")


def reported(order: str) -> str:
    return f"{say('{number} goes back to the office', number=order)}. {SAVED}"


# time
MY_TIME, VISIT_TIMES = say("My time"), say("Times of this visit")
PAUSE, RESUME = say("Pause"), say("Go on after the pause")
WHY_PAUSE = say("Why do you pause?")
NOTHING_TO_PAUSE = say("Nothing goes on that could pause.")
PAUSE_REASONS = {
    PauseReason.BREAK: say("Break"),
    PauseReason.WAITING_CUSTOMER: say("Waiting for the customer"),
    PauseReason.WAITING_NETWORK: say("Waiting for the network"),
    PauseReason.FETCHING_PART: say("Fetching a part"),
    PauseReason.OTHER: say("Another reason"),
}
ACTIVITIES = {Activity.TRAVEL: say("Travel"), Activity.WORK: say("Work"), Activity.PAUSE: PAUSE}
POINTS = {
    TimePoint.TRAVEL_STARTED: say("Set out"),
    TimePoint.ARRIVED: say("Arrived"),
    TimePoint.FINISHED: say("Finished"),
    TimePoint.PAUSE_STARTED: say("Pause began"),
    TimePoint.PAUSE_ENDED: say("Pause ended"),
}
TOTAL, GOES_ON, CORRECTED = say("Total"), say("now"), say("Corrected")
NOTHING_RECORDED = say("Nothing was recorded on this day.")
NO_TIMES_YET = say("This visit has no times yet.")
TAP_TO_CORRECT = say("Tap to correct")
CORRECTION_TEXT = say("What you tapped stays on record. Bills and services stay as they were booked.")
RIGHT_TIME, WHY_CORRECTED = say("Right time, such as 9:20"), say("Why is it corrected?")
SAVE_TIME = say("Save the right time")


def paused_since(time: str, reason: PauseReason) -> str:
    return say("Paused since {time}: {reason}", time=time, reason=PAUSE_REASONS[reason])


def duration(minutes: int) -> str:
    if minutes < 60:
        return say("{minutes} min", minutes=minutes)
    return say("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60)


def from_to(start: str, end: str) -> str:
    return as_written(f"{start}–{end}")


def nth(title: str, place: int) -> str:
    """`Pause began 2`."""
    return f"{title} {number(place)}"


def said_since(value: str, at: str, reason: str) -> str:
    return say("{value}, corrected at {time}: {reason}", value=value, time=at, reason=reason)


def tapped(time: str) -> str:
    return say("{time} was tapped", time=time)


def corrected(job: str, title: str, said: Sequence[str]) -> str:
    return f"{listed([job, title])}: {DOT.join(said)}"


def correct_it(what: str) -> str:
    return say("Correct: {what}", what=what)


def not_a_time(text: str) -> str:
    return say("“{text}” is no time: type hours and minutes, such as 9:20", text=text)


# note
NOTE = say("Note")
DICTATE, DICTATE_STOP = say("Dictate"), say("Listening … tap to stop")
DICTATE_TEXT = say("The browser sends what you say to its maker, who turns it into text.")
KEYBOARD_DICTATES = say("To dictate, use the microphone key of your keyboard.")
DICTATE_FAILED = say(
    "The browser could not turn speech into text. Type it, or use the keyboard's microphone."
)
NOTE_FIELD = say("Note for the office")
SAVE_NOTE = say("Save note")

# stock
REFILL, DEVICES, COUNTED = say("Refill"), say("Devices"), say("Parts")
LOW = say("Low")
STOCK_EMPTY = say("Nothing is booked on your van yet.")


def reserved(count: str) -> str:
    return say("{amount} promised to jobs", amount=count)


def unbooked(count: str) -> str:
    return say("{amount} used, booked when the job closes", amount=count)


def keep_at_least(count: str) -> str:
    return say("should be {amount}", amount=count)


def take_along(count: str) -> str:
    """What is missing to par: load it at the depot."""
    return say("take {amount} along", amount=count)


# from van to van
GIVE, TAKE = say("Hand over"), say("Take over")
GIVE_HOW = say(
    "Choose what you hand to a colleague. Your phone shows a code, theirs answers with another one. Both "
    "lists change at once, also without a network."
)
TAKE_HOW = say("Scan the code on your colleague's phone, or paste it here. It works without a network.")
TAKE_LESS = say("Check what you hold in your hand. You can take less than is offered.")
SHOW_OFFER, OFFER_READY = say("Show the code"), say("Let your colleague scan it")
OFFER_HEADING, ANSWER_HEADING = say("Your colleague scans this"), say("Now your colleague scans this")
OFFER_CODE, ANSWER_CODE = say("The code of your offer"), say("The code of your answer")
CODE_AS_TEXT = say("The code as text")
OFFER_FIELD, ANSWER_FIELD = say("Your colleague's code"), say("Your colleague's answer")
SCAN_OFFER, SCAN_ANSWER = say("Scan the code"), say("Scan the answer")
WITHDRAW = say("Withdraw the offer")
WITHDRAWN = say(
    "Offer withdrawn. If your colleague has taken it already, the office learns it from their phone"
)
HANDED_OVER, OFFER_READ = say("Handed over, and saved here"), say("The code was read")
IN_HAND, LEFT = say("I have this in hand"), say("Nothing was taken over")
SHOWN = say("My colleague has scanned it")
NO_OFFER = say("That is no code of a colleague who hands something over")
NO_ANSWER = say("That is no answer to an offer")
ANSWERS_ANOTHER = say("That answers another offer: let your colleague scan this one")
OWN_OFFER = say("That is your own code: your colleague must scan it")
TOO_MUCH_AT_ONCE = say("That is too much for one code: hand it over in two parts")
NO_SEALING_KEY = say("This needs one contact with the office first: connect once")


def offered_by(name: str) -> str:
    return say("{name} hands you", name=name)


def offered(count: str) -> str:
    return say("{amount} offered", amount=count)


# count
COUNT = say("Count the van")
COUNT_GOES = say(
    "Scan each device, and say how many of each part there are. What you leave out stays as it is. Sending "
    "it corrects the list; devices that are missing are looked for."
)
SEND_COUNT = say("Send the count")
FOUND, MISSING, EXTRA = say("Found"), say("Missing"), say("Not booked on this van")
NO_DEVICE = say("That code names no device. Scan the serial on the label.")


def count_of(found: int, expected: int) -> str:
    return say("{found} of {expected} found", found=found, expected=expected)


def counted(serial: str, found: int, expected: int) -> str:
    return f"{as_written(serial)}: {count_of(found, expected)}"


def counted_before(serial: str) -> str:
    return say("{serial} is counted already", serial=serial)


def not_booked(serial: str) -> str:
    return say("{serial} is not booked on this van. It is listed", serial=serial)


def count_part(name: str, listed: str) -> str:
    """On a button: the list is right, or nearly."""
    return say("Count {name}: {amount} by the list", name=name, amount=listed)


def list_says(listed: str) -> str:
    return say("{amount} by the list", amount=listed)


def count_differs(difference: str, more: bool) -> str:
    if more:
        return say("{amount} more than listed", amount=difference)
    return say("{amount} fewer than listed", amount=difference)


def not_counted(name: str) -> str:
    """Heard on a button: leave this part out of the count."""
    return say("Leave out {name}", name=name)


def uncount(serial: str) -> str:
    return say("Undo {serial}", serial=serial)


# sync
SEND_NOW, SENDING = say("Send now"), say("Sending …")
QUEUE_STATES = {
    "saved": say("Saved here"),
    "sending": say("Sending"),
    "accepted": say("Accepted"),
    "held": say("Needs dispatch"),
    "refused_local": say("Needs you"),
    "corrected": say("Corrected"),
    "dismissed": say("Dismissed"),
}
NOT_SENT, WITH_OFFICE, NEEDS_ATTENTION = (
    say("Only on this device"),
    say("Answered by the office"),
    say("Needs attention"),
)
STEPS_SHOWN = 4
NOTHING_SENT = say("What you record appears here until the office has it.")
LAST_CONTACT, DEVICE, VERSION, STORAGE = say("Last contact"), say("Device"), say("Version"), say("Storage")
NEVER = say("never")
ROOM = say("Room for our data")
STORAGE_KEPT = say("The browser keeps our data")
STORAGE_LOOSE = say("The browser may clear our data when the phone is full: send often")
STORAGE_FILE = say("In a file of this app")
UPDATE_NOW = say("Change to it now")
PHOTO_REFUSED = say("The server could not keep a photo or signature: see the list")
NOT_REGISTERED = say("Register this device first: ask dispatch for a code")


# what to do about an entry
TO_DO = {
    "saved": say("Nothing to do: it goes by itself as soon as there is a network."),
    "held": say("Nothing to do for you now: dispatch decides. Go on with your work."),
    "refused_local": say("Look at the job. This is sent all the same, and dispatch decides."),
}
SIGN_IN_FIRST = say("Sign in again: then it goes by itself.")
LOOK_AT_STOCK = say("Look at the van's stock. This is sent all the same, and dispatch decides.")
PICTURE_AGAIN = say("Take the picture again: the office could not keep it.")
OPEN_JOB = say("Open the job")

# is all here for the coming jobs
READINESS = say("Ready to work without a network?")
NOTHING_FETCHED = say("Nothing was fetched from the office yet. Connect once.")
FETCH_UNDER_WAY = say("Not everything has come yet. Stay connected until it has.")
APP_NOT_KEPT = say("The app itself is not kept on this device yet: leave it open while there is a network.")


def ready(count: int) -> str:
    if not count:
        return say("Ready. No open jobs are on this device.")
    return say_count("Ready for {count} job", "Ready for {count} jobs", count)


def not_ready(count: int) -> str:
    return say_count("Not ready: {count} thing is missing", "Not ready: {count} things are missing", count)


def data_is_old(last: str) -> str:
    return say("The data is of {when}. Connect once before you drive.", when=last)


def products_missing(order: str, skus: Sequence[str]) -> str:
    return say("{order}: no catalogue entry for {skus}", order=order, skus=listed(skus))


def places_missing(orders: Sequence[str]) -> str:
    return say("No coordinates for {orders}: they are not on the sketch", orders=listed(orders))


def briefs_missing(orders: Sequence[str]) -> str:
    return say("No earlier visits and faults for {orders}", orders=listed(orders))


def devices_missing(name: str, here: int, expected: int) -> str:
    return say("{name}: {here} of {expected} serials are here", name=name, here=here, expected=expected)


DATA = say("Data")


def data_version(protocol: int, tables: int, whole: bool) -> str:
    state = say("complete") if whole else say("still coming")
    return say("protocol {protocol}, tables {tables}, {state}", protocol=protocol, tables=tables, state=state)


ROOM_LEFT = say("Room left")


def room_left(count: int) -> str:
    """`count` in bytes."""
    unit, size = ("GB", 1e9) if count >= 1e9 else ("MB", 1e6)
    return f"{number(round(Decimal(count / size), 1))} {unit}"


def room(used: int, total: int, nearly_full: bool) -> str:
    """`used` and `total` in bytes."""
    unit, size = ("GB", 1e9) if total >= 1e9 else ("MB", 1e6)
    taken, whole = number(round(Decimal(used / size), 1)), number(round(Decimal(total / size), 1))
    if nearly_full:
        return say(
            "{taken} of {whole} {unit} used. Nearly full: photos that the office has go first",
            taken=taken,
            whole=whole,
            unit=unit,
        )
    return say("{taken} of {whole} {unit} used", taken=taken, whole=whole, unit=unit)


def update_ready(unsent: int) -> str:
    if not unsent:
        return say("A new version is ready")
    return say_count(
        "A new version is ready. It waits until {count} unsent entry is sent",
        "A new version is ready. It waits until {count} unsent entries are sent",
        unsent,
    )


def as_of(clock: str) -> str:
    """Over the list that the page shows while the app starts."""
    return say("As of {clock}. Starting: you can tap in a moment", clock=clock)


def clock_off(minutes: int) -> str:
    if minutes > 0:
        return say_count(
            "This device's clock is {count} min ahead. Times are corrected; set it right.",
            "This device's clock is {count} min ahead. Times are corrected; set it right.",
            minutes,
        )
    return say_count(
        "This device's clock is {count} min behind. Times are corrected; set it right.",
        "This device's clock is {count} min behind. Times are corrected; set it right.",
        -minutes,
    )


def steps(count: int) -> str:
    return say_count("{count} step", "{count} steps", count)


def which_steps(titles: Sequence[str]) -> str:
    """The first few by name; ten of them would hide the reason."""
    if len(titles) <= STEPS_SHOWN + 1:
        return listed(titles)
    rest = len(titles) - STEPS_SHOWN
    shown = listed(titles[:STEPS_SHOWN])
    return say_count("{titles} and {count} more", "{titles} and {count} more", rest, titles=shown)


def kept_aside(count: int) -> str:
    return say_count(
        "{count} entry of whoever had this device before is still to send",
        "{count} entries of whoever had this device before are still to send",
        count,
    )


def unsent_pictures(count: int) -> str:
    """Signatures are pictures too."""
    return say_count("{count} picture still to send", "{count} pictures still to send", count)


# what was done, in the list of what is sent
DONE = {
    "start_travel": say("Set out"),
    "arrive": say("Arrived"),
    "resume_work": say("Went on after the pause"),
    "close_work_order": say("Closed the job"),
}


def did_fit(serial: str) -> str:
    return say("Fitted {serial}", serial=serial)


def did_take_off(serial: str) -> str:
    return say("Took off {serial}", serial=serial)


def did_put_back(serial: str) -> str:
    return say("Hung up {serial} again", serial=serial)


def did_swap(old: str, serial: str) -> str:
    return say("Swapped {old} for {serial}", old=old, serial=serial)


def did_undo_swap(old: str, serial: str) -> str:
    return say("Undid the swap of {old} for {serial}", old=old, serial=serial)


def did_take_back(parts: Sequence[str]) -> str:
    return say("Took back {parts}", parts=listed(parts))


def did_count(parts: int, devices: int) -> str:
    """`Counted the van: 3 parts, 12 devices`."""
    kinds = say_count("{count} part", "{count} parts", parts)
    seen = say_count("{count} device", "{count} devices", devices)
    return say("Counted the van: {parts}, {devices}", parts=kinds, devices=seen)


def device_of(name: str, serial: str) -> str:
    return f"{name} {as_written(serial)}"


def did_hand_over(things: Sequence[str]) -> str:
    return say("Handed to a colleague: {things}", things=listed(things))


def did_take_over(things: Sequence[str]) -> str:
    return say("Taken from a colleague: {things}", things=listed(things))


def did_use(parts: Sequence[str]) -> str:
    return say("Used {parts}", parts=listed(parts))


def metres_of(count: int, name: str) -> str:
    return say("{count} m of {name}", count=count, name=name)


def pieces_of(count: int, name: str) -> str:
    return say("{count} × {name}", count=count, name=name)


def signature_of(name: str) -> str:
    return say("Signature of {name}", name=name)


def noted(text: str) -> str:
    return say("Note: {text}", text=text)


def could_not(reason: UnfinishedReason) -> str:
    return say("Could not complete: {reason}", reason=_within(REASONS[reason]))


def ruled(outcome: str, local: datetime, today: date, detail: str) -> str:
    """What dispatch made of it; `detail` is in the words of who ruled, or empty."""
    if local.date() == today:
        at = say("at {time}", time=clock(local))
    else:
        at = say("on {date} at {time}", date=short_day(local.date()), time=clock(local))
    match outcome, detail:
        case "accepted", "":
            return say("Dispatch booked this {when}", when=at)
        case "accepted", _:
            return say("Dispatch booked this {when}, {detail}", when=at, detail=detail)
        case "corrected", "":
            return say("Dispatch corrected it and booked it {when}", when=at)
        case "corrected", _:
            return say("Dispatch corrected {detail} and booked it {when}", when=at, detail=detail)
        case _, "":
            return say("Dispatch looked at it: not booked")
    return say("Dispatch looked at it: not booked, because {detail}", detail=detail)


# settings
SETTINGS = say("Settings")
LANGUAGE, THEME, TEXT_SIZE = say("Language"), say("Appearance"), say("Text size")
AS_DEVICE = say("As on this device")
THEMES = {
    "system": AS_DEVICE,
    "light": say("Light"),
    "dark": say("Dark"),
    "sunlight": say("Sunlight"),
}
SUNLIGHT_TEXT = say("Sunlight: black on white, larger, with thick lines.")


def percent(size: int) -> str:
    return say("{size} %", size=size)


# which network photos take
PHOTOS = say("Photos")
PHOTOS_BY = {"any": say("Send at once"), "wifi": say("Only on Wi-Fi")}
PHOTOS_TEXT = say("Everything else is always sent at once. Photos never hold up a job.")
PHOTOS_BY_HAND = say(
    "This device does not say whether it is on Wi-Fi. Photos then wait until you tap “Send photos now” on "
    "the Sync screen. Everything else is always sent at once."
)
SEND_PHOTOS = say("Send photos now")


def photos_wait(count: int, *, known: bool) -> str:
    if known:
        return say_count(
            "{count} photo waits for Wi-Fi. Everything else is sent.",
            "{count} photos wait for Wi-Fi. Everything else is sent.",
            count,
        )
    return say_count(
        "{count} photo waits here until you send it. Everything else is sent.",
        "{count} photos wait here until you send them. Everything else is sent.",
        count,
    )


PLACE_OF_PHOTOS = say("Where a photo was taken")
PLACE_BY = {"no": say("Not kept"), "yes": say("Kept with the photo")}
PLACE_TEXT = say("The office then sees how far from the address a photo was taken. Nothing else is located.")
PLACE_REFUSED = say("This device did not say where it is. Allow it in the browser's settings, or do without.")
NO_PLACE = say("Its place was not found in time")

# the device
OPEN_ELSEWHERE = say("Truckroll is open in another tab. Close it there, then try again.")
NO_STORAGE = say(
    "This browser can't keep data on the device. Use a current Chrome, Edge, Firefox or Safari, "
    "and not a private window."
)
NO_PICTURE_FORMAT = say("That file is not a picture this phone can open.")
PHOTO_EMPTY = say("The photo is empty. Take it again.")
NO_PHOTOS_HERE = say("This device can't process photos.")
NO_LIVE_SCANNER = say("There is no live scanner on this device. Take a photo or type the code.")
NO_CODES_FROM_PHOTOS = say("This device can't read codes from photos. Type the code.")
CAMERA_REFUSED = say("The browser may not use the camera. Allow it in the address bar, or type the code.")
CAMERA_MISSING = say("This device has no camera. Use a photo, or type the code.")
CAMERA_BUSY = say("Another app is using the camera. Close it and try again, or type the code.")
LIVE_SCANNER = {"light": say("Light on"), "cancel": say("Cancel"), "type": say("Type instead")}


def photo_too_big(megabytes: int, most: int) -> str:
    return say(
        "The photo is too big ({size} MB, at most {most} MB). Take a smaller one.", size=megabytes, most=most
    )


def camera_trouble(text: str) -> str:
    return say("The camera did not start ({why}). Use a photo, or type the code.", why=text)


def not_a_picture(kind: str) -> str:
    """`kind` is `photo` or `signature`."""
    return say("That file is no picture: take the {what} again", what=said(kind))


def unsent_of(count: int, name: str) -> str:
    return say_count(
        "This device still holds {count} unsent entry of {name}. Let it be sent first, then enter the code "
        "again",
        "This device still holds {count} unsent entries of {name}. Let them be sent first, then enter the "
        "code again",
        count,
        name=name,
    )


STORAGE_PROBLEM = say("The app can't open its data")
TRY_AGAIN = say("Try again")


def planned(count: str) -> str:
    return say("{amount} planned", amount=count)


# parts that others have
ASK_PART = say("Ask for a part")
PART_MISSING = say("Not all of it is on your van")
ASKED_PARTS = say("Parts asked for")
WHICH_PART = say("Which part")
ANOTHER_PART = say("Another part")
WHO_HAS_IT = say("Who has it")
NOBODY_HAS_IT = say("As far as this device knows, no other van and no depot has any. Ask dispatch.")
SUPPLY_UNKNOWN = say("This device does not know yet who has parts. Connect once.")
CROW_FLIGHT = say("Distances are as the crow flies: the road is longer.")
CROW_FLIGHT_FROM_STOP = say("Distances are as the crow flies, from your next stop: the road is longer.")
USE_MY_PLACE = say("From where I am")
DEPOT = say("Depot")
DISTANCE_UNKNOWN = say("distance unknown")
CHOOSE_WHOM = say("Choose whom to ask")
ASK_NOTE = say("Note for them (may be empty)")
ASKED_OF_YOU = say("Asked of you")
YOU_ASKED = say("You asked")
NOTHING_ASKED = say("Nothing is asked for at the moment.")
NO_PROMISE = say("To ask moves no stock: it is booked when it is handed over or fetched.")
CAN_GIVE, CANNOT_GIVE = say("Yes, I can give it"), say("No, I can't")
HAND_IT_OVER = say("Hand it over")
TAKE_IT_OVER = say("Take it over")
NEED_NO_MORE = say("I need it no more")
FETCHED = say("Fetched at the depot")
PUT_ON_VAN = say("Put on my van")
FETCH_DEVICES = say("Scan or type each device that you take")
REQUEST_GONE = say("This request is no longer on this device.")
ANSWER_SAVED_YES = say("You said yes")
ANSWER_SAVED_NO = say("You said no")
REQUEST_NOT_SENT = say("not sent yet")
PART_REQUEST_STATES = {
    PartRequestState.ASKED: say("no answer yet"),
    PartRequestState.PROMISED: say("promised"),
    PartRequestState.DECLINED: say("not possible"),
    PartRequestState.SUPPLIED: say("it came"),
    PartRequestState.WITHDRAWN: say("taken back"),
}


def free_there(amount: str) -> str:
    return say("{amount} free", amount=amount)


def far_away(metres: float) -> str:
    """`about 3.4 km`: a van's place is known to a kilometre."""
    kilometres = round(Decimal(metres) / 1000, 1 if metres < 10_000 else 0)
    return say("about {count} km", count=number(kilometres))


def known_at(when: str) -> str:
    return say("As the office knew it at {when}", when=when)


def open_at(hours: str) -> str:
    return say("Open: {hours}", hours=as_written(hours))


def asks_you(name: str, things: str) -> str:
    return say("{name} asks for {things}", name=as_written(name), things=as_written(things))


def you_asked(holder: str, things: str) -> str:
    return say("{things} of {name}", name=as_written(holder), things=as_written(things))


def came_so_far(amount: str) -> str:
    return say("{amount} came so far", amount=amount)


def asked_waiting(count: int) -> str:
    return say_count("{count} colleague asks you for a part", "{count} colleagues ask you for a part", count)


def parts_open(count: int) -> str:
    return say_count("{count} open", "{count} open", count)


def for_job(number_: str) -> str:
    return say("for {number}", number=as_written(number_))


def did_ask_part(things: str) -> str:
    return say("Asked for {things}", things=as_written(things))


def did_fetch(things: Sequence[str]) -> str:
    return say("Fetched {things} at the depot", things=COMMA.join(things))


DID_WITHDRAW = say("Took back a request for a part")


# faults of street cabinets
REPORT_FAULT = say("Report a network fault")
WHICH_CABINET = say("Which cabinet")
NO_CABINET = say("No job on this device hangs on a street cabinet. Call dispatch.")
WHAT_YOU_SEE = say("What you see")
PORTS_DARK = say("Ports without light")
CUSTOMERS_HIT = say("Customers hit, as far as you see")
IS_IT_SAFE = say("Is it safe there?")
IT_IS_SAFE, IT_IS_NOT_SAFE = say("Safe"), say("Not safe")
NOT_SAFE_HINT = say("Keep away, keep others away, and call dispatch.")
SEND_REPORT = say("Send the report")
SAY_IF_SAFE = say("Say whether it is safe")
SAY_WHAT_YOU_SEE = say("Choose what you see")
WRITE_WHAT_YOU_SEE = say("Write what you see in the note")
FAULT_NOTE = say("Note")
TAKE_FAULT_PHOTO = say("Take a photo")
SAY_PLACE_OF_FAULT = say("Say where I stand")
PLACE_IS_SENT = say("Your place is sent with the report.")
SEND_NO_PLACE = say("Do not send my place")
REPORTED_HERE = say("Reported faults of this cabinet")
JOINS_FAULT = say("This cabinet has an open fault. Your report is added to it.")
FAULT_SIGNS = {
    FaultSign.NO_LIGHT: say("No light"),
    FaultSign.DAMAGED: say("Damaged"),
    FaultSign.WATER: say("Water inside"),
    FaultSign.POWER: say("No power there"),
    FaultSign.VANDALISM: say("Vandalism"),
    FaultSign.OTHER: say("Something else"),
}
FAULT_STATES = {
    FaultState.SUBMITTED: say("reported"),
    FaultState.ACKNOWLEDGED: say("confirmed by the office"),
    FaultState.RESOLVED: say("resolved"),
    FaultState.REJECTED: say("it was none"),
}


def cabinet(name: str) -> str:
    return say("Cabinet {name}", name=as_written(name))


def ports_dark(count: int) -> str:
    return say_count("{count} port without light", "{count} ports without light", count)


def customers_hit(count: int) -> str:
    return say_count("{count} customer hit", "{count} customers hit", count)


def reports(count: int) -> str:
    return say_count("{count} report", "{count} reports", count)


def did_report(name: str) -> str:
    return say("Reported a fault of cabinet {name}", name=as_written(name))
