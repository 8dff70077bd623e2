"""A dictated note: where the browser can, what it says first, and where the text goes."""

from __future__ import annotations

import asyncio

import pytest
from day_of_work import uid

from mobile.device.network import PageFacts
from mobile.device.speech import DictationFailed
from mobile.state import job_route
from shared.commands import AddNote
from sync.protocol import decode_command

NOTE = job_route(uid(0x101), "note")


class Voice:
    """Says these sentences, and then listens until it is stopped; an exception is what happens."""

    says: tuple[str | Exception, ...] = ()
    says_at_last: tuple[str, ...] = ()
    asked: list[str]

    def __init__(self, language: str) -> None:
        type(self).asked = [language]
        self.stopped = asyncio.Event()

    async def sentences(self):
        for said in self.says:
            if isinstance(said, Exception):
                raise said
            yield said
        await self.stopped.wait()
        for said in self.says_at_last:
            yield said

    def stop(self) -> None:
        self.stopped.set()


@pytest.fixture
def says(monkeypatch):
    def says(*sentences):
        monkeypatch.setattr(Voice, "says", sentences)
        monkeypatch.setattr("mobile.screens.note.Dictation", Voice)

    return says


@pytest.fixture
def note(open_app):
    return open_app(NOTE, page_facts=PageFacts(dictation=True))


def test_goes_behind_what_was_typed_and_can_be_corrected(note, says, gateway):
    says("Gate code 12", "dog is kind")
    note.type_into("Note for the office", "Ring twice.")
    note.tap("Dictate")
    assert note.field("Note for the office").value == "Ring twice. Gate code 12 dog is kind"
    assert Voice.asked == ["en"]
    note.tap("Listening … tap to stop")
    assert "Dictate" in note.names()
    note.type_into("Note for the office", "Gate code 12")
    note.tap("Save note")
    command = decode_command(gateway._store.due()[-1])
    assert isinstance(command, AddNote) and command.text == "Gate code 12"


def test_is_saved_with_the_sentence_that_was_being_said(note, says, gateway, monkeypatch, desk):
    says("Gate code 12")
    monkeypatch.setattr(Voice, "says_at_last", ("dog is kind",))
    note.tap("Dictate")
    note.tap("Save note")
    command = decode_command(gateway._store.due()[-1])
    assert isinstance(command, AddNote) and command.text == "Gate code 12 dog is kind"
    assert (len(gateway.queue()), desk.forms.drafts) == (1, {})


def test_is_saved_without_waiting_for_ever(note, says, gateway, monkeypatch):
    says("Gate code 12")
    monkeypatch.setattr(Voice, "stop", lambda self: None)
    monkeypatch.setattr("mobile.screens.note.LAST_SENTENCE_SECONDS", 0.01)
    note.tap("Dictate")
    note.tap("Save note")
    note.run(asyncio.sleep(0.05))
    command = decode_command(gateway._store.due()[-1])
    assert isinstance(command, AddNote) and command.text == "Gate code 12"


def test_says_first_who_listens(note):
    assert note.sees("The browser sends what you say to its maker, who turns it into text.")


def test_that_fails_says_what_else_there_is(note, says):
    says(DictationFailed("network"))
    note.tap("Dictate")
    assert note.sees("The browser could not turn speech into text.")
    assert "Dictate" in note.names()


def test_ends_with_the_screen(note, says, desk):
    says("Gate code 12")
    note.tap("Dictate")
    note.tap("Back")
    assert desk.forms.drafts == {(NOTE, "text"): "Gate code 12"}


@pytest.mark.parametrize("facts", [PageFacts(), PageFacts(dictation=False)])
def test_is_left_to_the_keyboard_elsewhere(open_app, facts):
    screen = open_app(NOTE, page_facts=facts)
    assert screen.sees("To dictate, use the microphone key of your keyboard.")
    assert "Dictate" not in screen.names()
