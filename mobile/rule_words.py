"""What the rules, the barcode reader and the server say in English, said again in the technician's language.

A refusal, a remark or a verdict is an English sentence that is already filled in, on a receipt perhaps weeks
ago and by a server of another version. The catalogue knows the sentence with its {facts}: what fits it is
said anew with the same facts. What fits none stays as it came, as does all that a person wrote.
"""

from __future__ import annotations

import functools
import re
from decimal import Decimal

from mobile.language import ENGLISH, as_written, money, number, say, spoken
from shared.money import Money

RULES = (
    # shared/visit_rules.py
    "Tap Arrived first",
    "{serial} is booked on {place}. If you hold it in your hand, confirm",
    "A serial has 4 to 40 letters and digits: scan it again or type it as printed",
    "A MAC has 12 hex digits, this one has {amount}: check the label",
    "{serial} is installed at {place}: check the label, or take another one",
    "The label says {scanned}, our records of {serial} say {known}: scan both again",
    "{model} does not fit {plan}: it needs {choice}",
    "Choose the model of {serial}: nobody has booked it in",
    "There is no device {sku} in the catalogue: choose its model",
    "{serial} is not booked at this address (booked here: {known})",
    "This job does not ask for {code} (asked: {asked})",
    "{serial} was not taken off on this visit: scan it to fit it",
    "{serial} is the device that comes off: scan the one that takes its place",
    "{name}: {used} used on this visit, so {amount} can't come back",
    "{label} needs a number in {unit}",
    "Choose at least one part",
    "There is no part {sku} in the catalogue",
    "{name} has a serial: scan it instead of counting it",
    "{name}: the quantity must be 1 to {limit}",
    "The {what} is empty: take it again",
    "The {what} has {size} MB, at most {limit} MB can be kept",
    "The {what} has no valid digest: take it again",
    "Write the name of who signed",
    "The note is empty",
    "A note holds {limit} characters, this has {amount}",
    "The {field} is empty",
    "The {field} holds {limit} characters, this has {amount}",
    "Scan and fit the {role}",
    "Scan the device you take away",
    "Record {label} ({limits})",
    "{label} {value} {unit} is outside {limits}: mend it, measure again",
    "Take a photo of the finished work",
    # shared/checklists.py, shared/check_rules.py
    "Answer “{label}”",
    "Take the photo “{label}”",
    "“{label}” is answered with {answer}: mend it, or leave it out with a reason",
    "“{label}” is answered with yes or no",
    "“{label}” has these answers: {answers}",
    "“{label}” needs some words",
    "“{label}” holds {limit} characters, this has {amount}",
    "{label} can't be left out: the job can't be closed without it",
    "Route of the drop cable",
    "Duct",
    "Facade",
    "Aerial",
    "Was there already",
    "Where the cable enters the house",
    "Connectors cleaned and inspected",
    "Wi-Fi speed where the customer uses it",
    "Why the Wi-Fi is slow there",
    "Walls or distance",
    "Many other networks",
    "The customer's own router",
    "The customer's device is old",
    "The label of the ONT",
    "Customer shown how it works",
    "Lights of the ONT",
    "All green",
    "PON blinks",
    "LOS is red",
    "What was wrong",
    "Connector dirty or loose",
    "Splice",
    "Cable damaged",
    "Device",
    "No power",
    "Nothing found",
    "The damage before the repair",
    "Why the old device goes",
    "Broken",
    "Too old for the plan",
    "Recalled by its maker",
    "The customer wanted another one",
    "Line closed at the outlet",
    "Power supply and cables collected too",
    "What is missing",
    "The place as you leave it",
    "yes",
    "no",
    "Have the customer sign",
    # shared/time_rules.py
    "There is nothing to pause: start travel first",
    "{number} is with a colleague now: ask dispatch to note your times",
    "This visit has no such time yet",
    "Say why the time is corrected",
    "The reason holds {limit} characters, this has {amount}",
    "The time lacks its zone",
    "That time is still to come",
    "That is more than a day from what was recorded: look at the date",
    "Times are corrected within {amount} days: tell dispatch",
    "The arrival can't be before the travel began: correct that first",
    "The visit can't end before it began: correct that first",
    "A pause can't end before it began: correct that first",
    "A pause lies between the start and the end of the visit",
    "Two pauses can't be at the same time",
    # shared/found_rules.py, server/books.py
    "Another visit for {number} is a repair or a swap",
    "Say what is to be done there",
    "What is to be done holds {limit} characters, this has {amount}",
    "A visit takes {low} to {high} minutes",
    "{number} does not ask for the skill {text}",
    "The quantity must be 1 to {limit}",
    "Another work order has that id: the app must mint a new one",
    # shared/part_rules.py, shared/stock_rules.py
    "Nobody asks their own van",
    "There is no such van or depot",
    "There is no such work order",
    "Another request has that id: the app must mint a new one",
    "There is no such request for a part",
    "That was asked of somebody else",
    "Somebody else asked for that",
    "The note has more than {limit} characters",
    "There is no such depot",
    "Choose at least one thing to fetch",
    "Each part is fetched once",
    "Each device is fetched once",
    # shared/network_faults.py, server/books.py
    "There is no such cabinet: choose one of the list",
    "The number must be 0 to {limit}",
    "Say in the note what you see",
    "At most {limit} photos",
    "A photo is named that can't be one",
    "Another report has that id: the app must mint a new one",
    "{number} installs this service already",
    # shared/consent_rules.py
    "Write the name of who agreed",
    "The name holds {limit} characters, this has {amount}",
    # shared/work_orders.py
    "at most {high} {unit}",
    "at least {low} {unit}",
    "{low} to {high} {unit}",
    "Optical receive power",
    "Download speed",
    # words that stand in other sentences
    "ONT",
    "ONU",
    "STB",
    "CPE",
    "router",
    "photo",
    "signature",
    "none",
    "ahead",
    "behind",
    "name",
    "phone",
    "access notes",
    # shared/conflicts.py
    "{number} had been given away; it stays with who did the work",
    "{number} went to a colleague who has started it. Your work is kept; dispatch decides",
    "The office cancelled {number}. Your work is kept; dispatch decides what happens with it",
    "The office deleted {number}. Your work is kept; dispatch decides what happens with it",
    "{number} had been moved to {window}; it was done at {done}, and that stands",
    "That part of {number} had been moved to {other}: kept here, dispatch looks at {other}",
    "{number} was done already: this is kept as a second report on it",
    "{number} is closed already. Your work is kept; dispatch looks at it",
    "{number} was never yours: ask dispatch to assign it",
    "{serial} was fitted on another job: dispatch has to look at it",
    "{serial} was booked on {place}",
    "{serial} is not on your van's list. Check the label; if it is right, confirm",
    "{serial} was never booked in: stock control should check it",
    "{serial} is from a batch under recall: take another one",
    "{name}: used {used}, the van's list had {left}: count it",
    "Somebody else had changed that note of {number} too: both versions are kept",
    "{label} of {number} was measured by somebody else too: both are kept, the newest counts",
    "{number} was closed by an app without checklists; open: {items}",
    "The {field} of {number} was changed",
    "The office had changed the {field} of {number} too: yours is kept as a suggestion",
    'Somebody changed the {words} to "{text}" meanwhile: look again',
    "That time of {number} was corrected elsewhere too: both are kept, the newest counts",
    "{number} costs {total}, agreed were {agreed}: {over} is not billed until dispatch decides",
    "The customer of {number} was asked again later: both answers are kept, the newest counts",
    "{number}: that step was taken already, the first time counts",
    "Made while this phone was registered for {owner}, and sent by {sender}. "
    "Nothing is booked until somebody accepts it",
    "The phone's clock was {minutes} minutes {direction}; times were corrected",
    "The phone's clock was set by {minutes} minutes after this was done; times were corrected",
    "{text}: dispatch has to agree",
    "{van}: {serials} not found when it was counted",
    "{serial} was found on {van}, and is {where} by our records",
    "The other side has {theirs}, this one has {ours}: dispatch looks at both",
    "The seals of this transfer are not right: dispatch asks both sides",
    "{name}: {amount} given away, the van's list had {left}: count it",
    "{name}: {amount} fetched, the list of {depot} had {left}: count it",
    # shared/stock_rules.py
    "This transfer is between two others",
    "Nothing is handed to oneself",
    "Choose at least one thing to hand over",
    "Each part is handed over once",
    "{name}: {amount} were offered",
    "A device is taken that was not offered",
    "Count at least one thing",
    "Each part is counted once",
    "{name}: the quantity must be 0 to {limit}",
    "{name}: {amount} counted, {left} listed",
    "installed at {place}",
    "fitted on a job that is not closed",
    "in no list",
    # shared/barcodes/verdict.py
    "This is {kind}, but {wanted} is wanted. Scan another code on the label.",
    "{serial} is already on this job; it is not counted twice.",
    "{serial} is model {model}; this job needs {choice}.",
    "{device} is installed at this customer.",
    "{device} is on your van.",
    "This is the MAC address of {device}, not its serial. Scan the serial.",
    "{serial} is on the van of {holder}. Ask for a transfer, or scan a unit of your own.",
    "{serial} is installed at another customer{where}. Put it aside and tell dispatch.",
    "{serial} is still booked in {place}. Have it moved to your van first.",
    "The product number {text} is not in the catalogue. Keep the unit and tell dispatch.",
    "{device} is not in this device's stock list. Check it against the label, or scan another unit.",
    "another technician",
    "the store",
    # shared/barcodes, what is wrong with a code
    "a serial number",
    "a GPON serial",
    "a MAC address",
    "a GS1 code",
    "a product number (GTIN)",
    "something else",
    "Nothing was read. Scan or type it again.",
    "This code holds {amount} characters: too much for an equipment label.",
    "This could also be a MAC address: check that it is the serial.",
    "This could also be a product number (GTIN): check that it is the serial.",
    "This could also be a serial number: check that it is the MAC address.",
    "This could also be a MAC address: check that it is the GPON serial.",
    "{text} was not given by a maker: check that it is the address on the label.",
    "The number after the maker's letters is all zeros: this unit was never programmed.",
    "This code holds a web or Wi-Fi link, not a serial number.",
    "A serial number has 4 to 40 letters, digits or - . / _ + #, with a digit among them.",
    "A serial number of only zeros names no device.",
    "A MAC is made of 0-9 and A-F; “{letter}” is neither{meant}.",
    "A MAC has 12 hex digits, this has {amount}.",
    "A MAC of only zeros belongs to no device.",
    "A MAC of only F is the broadcast address, no device's own.",
    "{text} is a multicast address, no device's own.",
    " (did you mean 0?)",
    " (did you mean 1?)",
    "{rule} that start with the maker's letters; {text} are no letters.",
    "{rule}; this has {amount} characters.",
    "{rule}; “{letter}” is not a hex digit{meant}.",
    "{rule}; “{text}” is not 4 letters.",
    "A GPON serial has 4 letters and 8 hex digits, or 16 hex digits",
    "A product number (GTIN) holds digits only.",
    "A product number (GTIN) has 8, 12, 13 or 14 digits, this has {amount}.",
    "The product number {text} does not add up: its last digit should be {digit}. Scan it again.",
    "A product number of only zeros names no product.",
    "A UPC-E code has 8 digits and starts with 0 or 1.",
    "This carton label breaks off after its header. Scan it again.",
    "This carton label holds several records; scan the unit's own label.",
    "The field “{text}” of this carton label cannot be read.",
    "The quantity “{text}” on this carton label is no whole number.",
    "This GS1 code breaks off at “{text}”. Scan it again.",
    "“{text}” starts with no GS1 field that we know.",
    "{text} is not a date (year, month, day, two digits each).",
    "The {field} ({code}) has {length} characters, this has {amount}. Scan it again.",
    "The {field} ({code}) holds digits only, this is “{text}”.",
    "The {field} ({code}) holds a character that GS1 does not allow.",
    "The {field} ({code}) {text} has a wrong check digit. Scan it again.",
    "This code gives two different values for its {field} ({code}).",
    "This GS1 code holds no field that we know.",
    "Field ({code}) of this GS1 code is unknown to us and left out.",
    "This code has a serial but no product number, so it does not tell the model.",
    # sync/client
    "The server could not be reached.",
    "The server did not answer in time.",
    "The server answered without getting any further.",
    "The server still asks for photos that were sent.",
    "The server has trouble. Your work is kept and will be sent later.",
    "The server's answer could not be read. Your work is kept and will be sent again.",
    "The server's answer could not be read. Your work is kept and will be sent again. ({why})",
    "Something else than the Truckroll server answered: sign in to this network, or use another one.",
    "This device could not save it ({why}). Free some space, then try again",
    "This device has not fetched its work yet: connect once",
    "That job is not on this device",
    "The data on this device is from a newer app. Update the app.",
    "The office erased this device. To use it again, ask dispatch for a code",
    "Register this device first",
    "This device was registered anew meanwhile",
    # server/access, what a device is told when it signs in
    "That code is not known. Check it, or ask dispatch for a new one",
    "That code is too old. Ask dispatch for a new one",
    "That code was used already. Ask dispatch for a new one",
    "This phone still holds unsent work of {owner}. Let it be sent, then enter this code for {name} again. "
    "If it can't be sent, dispatch signs the phone out first",
    "This device is not signed in. Enter a code from dispatch; your work stays on it",
    "This device's sign-in has run out. Enter a new code; your work stays on it",
    "A newer sign-in has replaced this one. Enter a new code from dispatch; your work stays on it",
    # server, what a device is told of its work and photos
    "This app speaks protocol {known}, the server from {wanted} on. Update the app; "
    "what it had to send was taken",
    "The office signed this device out. Your work stays on it; call dispatch",
    "You are not on the list of technicians. Your work stays here; call dispatch",
    "The office ordered this device to erase what it holds",
    "It was sent by a device that had been signed out. Nothing is booked until somebody accepts it",
    "Too many failed tries from this network. Wait {amount} s",
    "This device asks too often. Nothing is lost; it tries again in {amount} s",
    "More devices are talking than the server can listen to. Nothing is lost",
    "This id came before with another content: the app must mint a new one",
    "The picture is larger than {limit} MB: send it scaled down",
    "The picture is empty: take it again",
    "The bytes do not match their digest: send them again",
    "This is not a JPEG, PNG or WebP picture: take it again",
    "The store of photos is away or full. Nothing was lost; try again later",
    "The database is busy or away. Nothing was lost; try again in a moment",
    "Our server made a mistake, and it is noted. Try again",
    "Our server could not book this. It is kept; dispatch has been told",
)

NUMBERS = {"amount", "digit", "high", "left", "length", "limit", "low", "minutes", "size", "used", "value"}

AMOUNTS = {"agreed", "over", "total"}
"""Of money, as `str(Money)` writes them."""


def said(text: str) -> str:
    """`text` in the language of the moment, where the catalogue knows it."""
    return _said(spoken().code, text)


@functools.lru_cache(maxsize=512)
def _said(code: str, text: str) -> str:
    if code == ENGLISH.code or not text:
        return text
    for pattern, sentence in _patterns():
        if match := pattern.fullmatch(text):
            return say(sentence, **{name: _fact(name, found) for name, found in match.groupdict().items()})
    several = text.split("; ")  # what is missing before a close comes as one sentence
    return "; ".join(_said(code, one) for one in several) if len(several) > 1 else text


def _fact(name: str, found: str) -> str:
    if name in NUMBERS:
        return number(Decimal(found.replace(",", "")))
    if name in AMOUNTS:
        try:
            return money(Money.read(found))
        except ValueError:  # a server of another version has other digits after the point
            return as_written(found)
    if name == "choice":
        return say(" or ").join(map(as_written, found.split(" or ")))
    return said(found)


@functools.cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The sentences as patterns; the one with most words of its own is tried first."""
    by_length = sorted(RULES, key=lambda rule: len(re.sub(r"\{\w+\}", "", rule)), reverse=True)
    return tuple((_pattern(rule), rule) for rule in by_length)


def _pattern(sentence: str) -> re.Pattern[str]:
    seen: set[str] = set()

    def group(match: re.Match[str]) -> str:
        name = match[1]
        if name in seen:
            return f"(?P={name})"
        seen.add(name)
        if name in NUMBERS:
            return rf"(?P<{name}>-?\d[\d,]*(?:\.\d+)?)"
        return rf"(?P<{name}>\S+)" if name == "unit" else rf"(?P<{name}>(?:(?!; ).)*?)"

    # Labels stand in a sentence with a small letter.
    return re.compile(re.sub(r"\\\{(\w+)\\\}", group, re.escape(sentence)), re.DOTALL | re.IGNORECASE)
