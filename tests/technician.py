"""What people do in browsers: a technician with the app, a dispatcher with the board. For journeys, pictures
and benchmarks.

    technician = Technician(open_app(browser, f"{server.url}/app/"), album)
    technician.register(code)
    technician.open_job("WO-0001")
    technician.travel_and_arrive()

With an album (a folder), each named moment is kept as a picture.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from browser import STEP_SECONDS, AppDriver, FilePayload
from checklist_answers import good_answer, good_value
from playwright.sync_api import BrowserContext, Page

from shared.checklists import said
from shared.work_orders import CheckItem, ItemKind

NOT_SENT = re.compile(r"(\d+) saved on this device, not sent")
SENT = re.compile(r"^Sync: All sent ")
SYNC_SECONDS = 60


class Album:
    """Numbered pictures of a run, in a folder; without one, none are taken."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._count = 0
        if folder:
            folder.mkdir(parents=True, exist_ok=True)

    def keep(self, page: Page, name: str) -> None:
        if self.folder:
            self._count += 1
            page.screenshot(path=self.folder / f"{self._count:02d}-{name}.png")


class Technician:
    """Somebody with the app in hand. Every step ends when the screen says that it is done."""

    def __init__(self, app: AppDriver, album: Album | None = None) -> None:
        self.app = app
        self.album = album or Album()

    def look(self, name: str) -> None:
        """Keep a picture of the screen as it stands."""
        if self.album.folder:
            self.app.settle()
            self.album.keep(self.app.page, name)

    def register(self, code: str, device: str = "Journey phone") -> None:
        self.app.type_into("Registration code", code)
        self.app.type_into("Name of this device", device)
        self.look("sign-in")
        self.app.tap("Sign in")
        self.app.see(re.compile(r"\d+ of \d+ jobs? done"), seconds=SYNC_SECONDS)

    def route(self) -> list[str]:
        """The jobs of today, each as its card says it, from the top."""
        cards = self.app.page.get_by_role("button", name=re.compile(r"^WO-"))
        return [str(name) for name in cards.evaluate_all("all => all.map(" + NAME_OF + ")")]

    def open_job(self, number: str) -> None:
        self.app.tap(re.compile(rf"^{number},"))
        self.app.see(re.compile(rf"^{number}, "))

    def travel_and_arrive(self) -> None:
        self.travel()
        self.look("travelling")
        self.arrive()

    def travel(self) -> None:
        self.app.tap("Start travel")
        self.app.see(re.compile(r"On the way\. Saved on this device"))

    def arrive(self) -> None:
        self.app.tap("Arrived")
        self.app.see(re.compile(r"On site\. Saved on this device"))

    def fit(self, *labels: bytes, first: str = "ONT") -> None:
        """Read the pictures of labels and fit the devices they name: all that the job asks for."""
        self.app.tap(f"Scan the {first}")
        for label in labels:
            self.app.see("Wanted")
            self.app.choose_file("Photo of the label", jpeg(label, "label.jpg"))
            self.app.see("Fit this device")
            self.look("scan-verdict")
            self.app.tap("Fit this device")
        self.app.see("Before you close")

    def fit_typed(self, serial: str) -> None:
        """Fit a device whose serial is typed."""
        self._enter_code(re.compile("^Scan the ONT"), serial)
        self.app.see("Fit this device")
        self.app.tap("Fit this device")
        self._leave_scan("On this job")

    def swap_typed(self, serial: str, cause: str) -> None:
        """Put the device `serial` in the place of the only one that hangs there."""
        self.app.tap("Swap a device")
        self.app.see("Scan the device that goes up.")
        self._type_code(serial)
        self.app.tap(cause)
        self.app.tap("Swap")
        self.app.see("Before you close")

    def take_away(self, serial: str, cause: str) -> None:
        self._enter_code(re.compile("^Scan what you take away"), serial)
        self.app.see("Take this device away")
        self.app.tap(cause)
        self.app.tap("Take this device away")
        self._leave_scan("Taken off on this job")

    def _leave_scan(self, done: str) -> None:
        """Back to the job; the app goes there by itself when no other device is wanted."""
        self.app.see(re.compile(f"Before you close|{done}"))
        self.app.settle()  # it may be on its way
        if "Before you close" not in self.app.texts():
            self.app.tap("Back")
            self.app.see("Before you close")

    def _enter_code(self, step: re.Pattern[str], serial: str) -> None:
        self.app.tap(step)
        self.app.see("Wanted")
        self._type_code(serial)

    def _type_code(self, serial: str) -> None:
        self.app.settle()  # the field takes the focus by itself, and what is typed until then is lost
        self.app.type_into("Scanner or typed code", serial)
        self.app.tap("Read code")
        self.look("scan-verdict")

    def cannot_complete(self, reason: str) -> None:
        self.app.tap("Cannot complete")
        self.app.tap(reason)
        self.app.tap("Report and leave")
        self.app.see("goes back to the office")

    def measure(self, values: Mapping[str, str]) -> None:
        """`values` by the label of the field."""
        first = next(iter(values))
        self.app.tap(f"Record {first.lower()}")
        for name, value in values.items():
            self.app.type_into(name, value)
        self.look("checks")
        self.app.tap("Save measurements")
        self.app.see("Before you close")
        for name, value in values.items():
            self.app.see(f"{name}, {value}")

    def answer_checklist(self, items: Sequence[CheckItem], picture: bytes) -> None:
        """Say what will do to each of `items`, all that apply; `picture` is taken where a photo is wanted."""
        self.app.tap(re.compile(r"^Checklist,"))
        self.app.see(re.compile(r"^0 of \d+ points done"))
        for item in items:
            match item.kind:
                case ItemKind.NUMBER:
                    self.app.type_into(item.label, str(good_value(item)))
                    self.look("checks")
                    self.app.tap("Save")
                case ItemKind.TEXT:
                    self.app.type_into(item.label, good_answer(item))
                    self.app.tap("Save")
                case ItemKind.PHOTO:
                    self.app.choose_file("Take photo", jpeg(picture, "item.jpg"))
                case _:
                    shown = said(item, good_answer(item)).capitalize()
                    self.app.tap(f"{item.label}, {shown}")
        self.app.tap("Back to the job")
        self.app.see("Before you close")

    def use_parts(self, counts: Mapping[str, int]) -> None:
        self.app.tap(re.compile(r"^Parts used,"))
        for name, count in counts.items():
            self.app.type_into(f"How many {name}", str(count))
        self.look("parts")
        self.app.tap(re.compile(r"^Save \d+ parts?$"))
        self.app.see("Before you close")

    def ask_for_visit(self, summary: str) -> None:
        """Tell the office, from a job, what else is to be done here; all else as the screen proposes."""
        self.app.tap("More work here")
        self.app.see("What is to be done?")
        self.app.type_into("What is to be done?", summary)
        self.app.tap("Ask for this visit")
        self.app.see("Before you close")

    def offer(self, count: int, name: str) -> str:
        """Hold out so many of a part to a colleague; returns what the code on the screen says."""
        self.go("Van stock")
        self.app.tap("Hand over")
        for _ in range(count):
            self.app.tap(f"More {name}")
        self.app.tap("Show the code")
        self.app.see("Your colleague scans this")
        return self._code_shown()

    def take_over(self, offer: str, giver: str, *, less: str) -> str:
        """Take what a colleague holds out, one `less` of a part; returns the answer's code."""
        self.go("Van stock")
        self.app.tap("Take over")
        self.app.paste_into("Your colleague's code", offer)
        self.app.tap("Read code")
        self.app.see(f"{giver} hands you")
        self.app.tap(f"Less {less}")
        self.app.tap("I have this in hand")
        self.app.see("Now your colleague scans this")
        answer = self._code_shown()
        self.app.tap("My colleague has scanned it")
        return answer

    def hand_over(self, answer: str) -> None:
        """With the offer still on the screen, read what the colleague's screen shows."""
        self.app.paste_into("Your colleague's answer", answer)
        self.app.tap("Read code")
        self.app.see("Handed over, and saved here")

    def _code_shown(self) -> str:
        """What the other phone's camera would read, from the text below it."""
        return next(text for text in self.app.texts() if text.startswith('["TR-'))

    def left_on_van(self, name: str) -> int:
        """What the stock screen says is left of a part."""
        self.app.see(f"{name}, ")
        self.app.settle()
        said = next(text for text in self.app.texts() if text.startswith(f"{name}, "))
        found = re.search(r"(\d+) on the van", said)
        assert found, said
        return int(found[1])

    def photograph(self, picture: bytes) -> None:
        self.app.tap("Take a photo")
        self.app.choose_file("Take photo", jpeg(picture, "photo.jpg"))
        self.app.see("1 photo")
        self.app.see("Take another photo")
        self.look("photo")
        self.app.tap("Back")
        self.app.see("Before you close")

    def have_signed(self) -> None:
        self.app.tap("Have the customer sign")
        self.app.see("Sign here with a finger")
        self.app.draw("Sign here with a finger", SIGNATURE)
        self.look("signature")
        self.app.tap("Save signature")
        self.app.see("Before you close")

    def agree_on_price(self) -> None:
        """The customer, whose language is English or one that we lack, agrees with a tap."""
        self.app.tap("Show the customer the price")
        self.app.see("What this visit costs")
        self.look("price")
        self.app.tap(re.compile("^I agree: "))
        self.app.see("Before you close")

    def close(self) -> None:
        """Ends at the list; where something is charged, by way of the receipt, which is for the customer."""
        self.app.tap("Check and close")
        self.app.see("What happens next")
        self.look("close")
        self.app.tap("Close job")
        self.app.see(re.compile(r"closed\. Saved on this device|Receipt$"))
        if any(text.endswith("Receipt") for text in self.app.texts()):
            self.look("receipt")
            self.app.tap("Back to today")
            self.app.see(re.compile(r"jobs done$"))

    def unsent(self) -> int:
        """What the line under the title says that only this device has."""
        said = next((found for text in self.app.texts() if (found := NOT_SENT.search(text))), None)
        return int(said[1]) if said else 0

    def go(self, tab: str) -> None:
        """To one of the three top screens: Today, Van stock, Sync."""
        self.app.page.get_by_role("tab", name=re.compile(f"^{tab}")).click()


class Dispatcher:
    """Somebody at the board. The page notes when a job becomes done, by the clock of the machine."""

    def __init__(self, browser: BrowserContext, url: str) -> None:
        self.page = browser.pages[0] if browser.pages else browser.new_page()
        self._url = url

    def sign_in(self, email: str, password: str, day: str) -> None:
        self.page.goto(f"{self._url}/board?day={day}")
        self.page.get_by_label("Mail address").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.locator("body[data-loaded=yes]").wait_for(timeout=STEP_SECONDS * 1000)
        self.wait_until_live()
        self.page.evaluate(NOTE_DONE)

    def wait_until_live(self) -> None:
        self.page.locator("#live[data-state=on]").wait_for(timeout=SYNC_SECONDS * 1000)

    def job(self, order_id: object) -> str:
        """What the box of a job says."""
        box = self.page.locator(f"#timeline [data-job='{order_id}']")
        return str(box.get_attribute("aria-label"))

    def wait_until_done(self, order_id: object, *, seconds: float = STEP_SECONDS) -> float:
        """The moment at which the board first showed the job as done: seconds since 1970."""
        shown = self.page.wait_for_function(
            "id => window.shownDone?.[id]", arg=str(order_id), timeout=seconds * 1000
        )
        return float(shown.json_value()) / 1000


def jpeg(content: bytes, name: str) -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


# A wave and a stroke, in parts of the field's width and height.
SIGNATURE: Sequence[Sequence[tuple[float, float]]] = (
    [(0.1, 0.6), (0.18, 0.25), (0.22, 0.7), (0.3, 0.35), (0.36, 0.65), (0.44, 0.4), (0.5, 0.6), (0.62, 0.45)],
    [(0.55, 0.7), (0.7, 0.62), (0.85, 0.66)],
)

NAME_OF = "element => element.getAttribute('aria-label') ?? element.textContent"

NOTE_DONE = """() => {
  window.shownDone = {};
  const note = () => {
    for (const box of document.querySelectorAll('#timeline [data-job].s-completed')) {
      window.shownDone[box.dataset.job] ??= Date.now();
    }
  };
  new MutationObserver(note).observe(document.getElementById('timeline'), {
    subtree: true, childList: true, attributes: true, attributeFilter: ['class'],
  });
  note();
}"""
