"""The texts that two phones show each other: what is read is what was meant, and nothing else is taken."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
import zxingcpp
from PIL import Image

from mobile.parts.qr import picture
from mobile.views.handover import (
    TEXT_BYTES_MAX,
    answer_of,
    given,
    held_out,
    read_answer,
    read_offer,
    taken,
)
from shared.problems import BadValue
from shared.transfers import HandedDevice, Offer, Transfer, seal_offer, seal_taken
from shared.work_orders import PartLine

DEVICES = (HandedDevice(serial="ANA0001", sku="ONT-A"), HandedDevice(serial="ANA0002", sku="ONT-A"))
OFFER = Offer(
    id=UUID(int=1 << 100),
    giver_id=UUID(int=2),
    giver_van_id=UUID(int=3),
    offered_at=datetime(2026, 11, 28, 10, 15, tzinfo=UTC),
    lines=(PartLine(sku="CONN", quantity=5),),
    devices=DEVICES,
)
FEWER = Transfer(
    offer=OFFER,
    taker_id=UUID(int=4),
    taker_van_id=UUID(int=5),
    lines=(PartLine(sku="CONN", quantity=3),),
    devices=DEVICES[1:],
)


class TestAnOffer:
    def test_is_read_as_it_was_made(self):
        held = held_out(OFFER, "key", "Aïno “A” Virtanen")
        assert read_offer(f"  {held.as_text()}\n") == held
        assert held.seal == seal_offer("key", OFFER)

    def test_fits_into_a_code_that_a_camera_reads(self):
        many = tuple(PartLine(sku=f"CONNECTOR-{number:02}", quantity=120) for number in range(20))
        devices = tuple(HandedDevice(serial=f"ALCLB1A2C{n:03}", sku="ONT-A") for n in range(10))
        text = held_out(replace(OFFER, lines=many, devices=devices), "key", "Aino Virtanen").as_text()
        assert 800 < len(text.encode()) <= TEXT_BYTES_MAX
        [code] = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture(text))).convert("L"))
        assert code.text == text

    def test_with_too_much_in_it_is_refused(self):
        many = tuple(PartLine(sku=f"CONNECTOR-{number:02}", quantity=120) for number in range(60))
        with pytest.raises(BadValue, match="too much for one code"):
            held_out(replace(OFFER, lines=many), "key", "Aino")


class TestAnAnswer:
    def test_makes_both_halves_alike(self):
        held = held_out(OFFER, "giver's", "Aino")
        theirs = taken(held, FEWER, "taker's")
        answer = answer_of(theirs, "Ben")
        assert read_answer(answer.as_text()) == answer
        mine = given(held, answer)
        assert (mine.transfer, mine.giver_seal, mine.taker_seal) == (
            theirs.transfer,
            theirs.giver_seal,
            theirs.taker_seal,
        )
        assert mine.taker_seal == seal_taken("taker's", FEWER, held.seal)

    def test_to_another_offer_is_refused(self):
        held = held_out(OFFER, "key", "Aino")
        other = held_out(replace(OFFER, id=UUID(int=9)), "key", "Aino")
        with pytest.raises(BadValue, match="answers another offer"):
            given(other, answer_of(taken(held, FEWER, "key"), "Ben"))

    @pytest.mark.parametrize("place", [-1, 2])
    def test_that_names_a_device_which_was_not_offered_is_refused(self, place: int):
        held = held_out(OFFER, "key", "Aino")
        answer = replace(answer_of(taken(held, FEWER, "key"), "Ben"), devices=(place,))
        with pytest.raises(BadValue):
            given(held, answer)


class TestWhateverElseIsScanned:
    HELD = held_out(OFFER, "key", "Aino")
    ANSWER = answer_of(taken(HELD, FEWER, "key"), "Ben")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "ALCLB1A2C001",
            "{}",
            "[]",
            "null",
            '["TR-offer-1"]',
            '["TR-answer-1",1,2,3,4,5,6,7]',
            '["TR-offer-1",1,2,3,4,5,6,7,8]',
            HELD.as_text()[:-10],
        ],
    )
    def test_is_neither_an_offer_nor_an_answer(self, text: str):
        with pytest.raises(BadValue):
            read_offer(text)
        with pytest.raises(BadValue):
            read_answer(text)

    def test_one_is_not_the_other(self):
        with pytest.raises(BadValue, match="no code of a colleague"):
            read_offer(self.ANSWER.as_text())
        with pytest.raises(BadValue, match="no answer"):
            read_answer(self.HELD.as_text())

    def test_nor_what_has_one_field_of_another_kind(self):
        for text, read in ((self.HELD.as_text(), read_offer), (self.ANSWER.as_text(), read_answer)):
            said = json.loads(text)
            for place in range(1, 4):
                with pytest.raises(BadValue):
                    read(json.dumps([*said[:place], {}, *said[place + 1 :]]))
