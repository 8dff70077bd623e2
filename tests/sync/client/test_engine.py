from __future__ import annotations

from dataclasses import replace

import pytest
from fake_server import MORNING
from hypothesis import given
from hypothesis import strategies as st

from sync.client.engine import STALLS_MAX, Doing, State, retry_seconds, step
from sync.client.messages import (
    Advanced,
    BadBytes,
    CountRefusal,
    Garbled,
    Heard,
    Hush,
    KeepRefusal,
    Listen,
    Lost,
    MarkOffered,
    Message,
    NotStored,
    Offered,
    Refused,
    Retry,
    Store,
    Stored,
    Talk,
    Upload,
    Wake,
    Wipe,
    Withheld,
)
from sync.protocol import SyncResponse

ANSWER = SyncResponse(protocol=1, server_now=MORNING, cursor="c1")
IDLE, TALKING, STORING = State(), State(doing=Doing.TALKING), State(doing=Doing.STORING)
UPLOADING = State(doing=Doing.UPLOADING, uploads=("a", "b"))
WAITING = State(doing=Doing.WAITING, turn=1)
WELL = State(online=True)


class TestTheStepTable:
    @pytest.mark.parametrize(
        ("state", "message", "after", "effects"),
        [
            (IDLE, Wake(), replace(TALKING, turn=1), (Talk(200, 1),)),
            (TALKING, Wake(), replace(TALKING, again=True), ()),
            (TALKING, Heard(ANSWER), STORING, (Store(ANSWER),)),
            (STORING, Stored(more=False, moved=True), WELL, ()),
            (
                STORING,
                Stored(more=True, moved=True),
                replace(WELL, doing=Doing.TALKING, turn=1),
                (Talk(200, 1),),
            ),
            (
                STORING,
                Stored(more=False, moved=False, pushed=200, answered=200, unsent=50),
                replace(WELL, doing=Doing.TALKING, turn=1),
                (Talk(200, 1),),
            ),
            (
                replace(STORING, again=True),
                Stored(more=False, moved=False),
                replace(WELL, doing=Doing.TALKING, turn=1),
                (Talk(200, 1),),
            ),
            (UPLOADING, Withheld(), State(), ()),
            (replace(UPLOADING, again=True), Withheld(), replace(TALKING, turn=1), (Talk(200, 1),)),
            (
                replace(UPLOADING, offered=frozenset("a")),
                Withheld(),
                replace(TALKING, turn=1, offered=frozenset("a")),
                (Talk(200, 1),),
            ),
            (
                STORING,
                Stored(more=False, moved=True, uploads=("a", "b")),
                replace(UPLOADING, online=True),
                (Upload("a"),),
            ),
            (
                UPLOADING,
                Offered("a"),
                replace(UPLOADING, uploads=("b",), offered=frozenset("a"), gained=True),
                (MarkOffered("a"), Upload("b")),
            ),
            (
                replace(UPLOADING, failures=4),
                Advanced("a", True),
                replace(UPLOADING, gained=True),
                (Upload("a"),),
            ),
            (replace(UPLOADING, gained=True), Lost("no way"), UPLOADING, (Upload("a"),)),
            (
                replace(UPLOADING, gained=True, again=True),
                Lost("no way"),
                replace(TALKING, turn=1),
                (Talk(200, 1),),
            ),
            (
                replace(UPLOADING, uploads=("b",)),
                Offered("b"),
                replace(TALKING, offered=frozenset("b"), turn=1),
                (MarkOffered("b"), Talk(200, 1)),
            ),
            (
                UPLOADING,
                BadBytes("a", "no picture"),
                replace(UPLOADING, uploads=("b",), offered=frozenset("a"), trouble="no picture"),
                (CountRefusal("a", "no picture"), Upload("b")),
            ),
            (
                TALKING,
                Lost("no way"),
                State(online=False, trouble="no way", failures=1),
                (Retry(2.0),),
            ),
            (
                UPLOADING,
                Lost("no way"),
                State(online=False, trouble="no way", failures=1),
                (Retry(2.0),),
            ),
            (
                replace(TALKING, failures=3),
                Garbled(200, "a portal"),
                State(online=False, trouble="a portal", failures=4),
                (Retry(16.0),),
            ),
            (
                TALKING,
                Garbled(500, "trouble"),
                State(online=False, trouble="trouble", failures=1, batch=100),
                (Retry(2.0),),
            ),
            (
                TALKING,
                Refused(503, "busy"),
                State(online=True, trouble="busy", failures=1),
                (Retry(2.0),),
            ),
            (
                TALKING,
                Refused(422, "malformed"),
                State(online=True, trouble="malformed", failures=1, batch=100),
                (Retry(2.0),),
            ),
            (
                TALKING,
                Refused(403, "revoked"),
                State(online=True, trouble="revoked"),
                (KeepRefusal("revoked"),),
            ),
            (
                STORING,
                NotStored("disk full"),
                State(online=True, trouble="disk full", failures=1),
                (Retry(2.0),),
            ),
            (
                STORING,
                Stored(more=False, moved=True, pushed=3, answered=0, unsent=3),
                State(online=True, trouble="The server answered without getting any further.", failures=1),
                (Retry(2.0),),
            ),
            (
                STORING,
                Stored(more=True, moved=False),
                State(online=True, trouble="The server answered without getting any further.", failures=1),
                (Retry(2.0),),
            ),
            (
                replace(STORING, offered=frozenset("a")),
                Stored(more=False, moved=False, uploads=("a",)),
                State(
                    online=True,
                    trouble="The server still asks for photos that were sent.",
                    failures=1,
                    offered=frozenset("a"),
                ),
                (Retry(2.0),),
            ),
            (
                replace(STORING, batch=0, failures=8, trouble="trouble"),
                Stored(more=False, moved=True, unsent=3),
                State(online=True, batch=1, failures=8, trouble="trouble"),
                (Retry(256.0),),
            ),
            (IDLE, Listen(55), WAITING, (Talk(0, 1, 55),)),
            (WAITING, Heard(ANSWER, 1), replace(STORING, turn=1), (Store(ANSWER),)),
            (WAITING, Wake(), replace(TALKING, turn=2), (Talk(200, 2),)),
            (WAITING, Hush(), State(turn=2), ()),
            (
                WAITING,
                Lost("no way", 1),
                State(online=False, trouble="no way", failures=1, turn=1),
                (Retry(2.0),),
            ),
            (replace(TALKING, turn=2), Heard(ANSWER, 1), replace(TALKING, turn=2), ()),
            (replace(TALKING, turn=2), Lost("late", 1), replace(TALKING, turn=2), ()),
            (TALKING, Hush(), TALKING, ()),
            (TALKING, Listen(55), TALKING, ()),
            (UPLOADING, Advanced("a", True), replace(UPLOADING, gained=True), (Upload("a"),)),
            (UPLOADING, Advanced("a", False), replace(UPLOADING, stalls=1), (Upload("a"),)),
            (
                replace(UPLOADING, stalls=2),
                Advanced("a", True),
                replace(UPLOADING, gained=True),
                (Upload("a"),),
            ),
            (UPLOADING, Advanced("a", True, fresh=True), replace(TALKING, turn=1), (Talk(200, 1),)),
            (
                replace(UPLOADING, again=True),
                Advanced("a", True),
                replace(TALKING, turn=1),
                (Talk(200, 1),),
            ),
            (
                replace(UPLOADING, again=True),
                Offered("a"),
                replace(TALKING, turn=1, offered=frozenset("a")),
                (MarkOffered("a"), Talk(200, 1)),
            ),
            (
                replace(UPLOADING, stalls=STALLS_MAX),
                Advanced("a", False),
                State(online=True, trouble="The server answered without getting any further.", failures=1),
                (Retry(2.0),),
            ),
            (
                TALKING,
                Refused(503, "busy", "busy", 30.0),
                State(online=True, trouble="busy", failures=1),
                (Retry(30.0, 30.0),),
            ),
            (
                replace(TALKING, failures=7),
                Garbled(503, "a proxy", 30.0),
                State(online=False, trouble="a proxy", failures=8),
                (Retry(256.0, 30.0),),
            ),
            (
                TALKING,
                Refused(422, "update", "app-too-old"),
                State(online=True, trouble="update", failures=1),
                (Retry(2.0),),
            ),
            (
                TALKING,
                Refused(403, "erase", "wipe-device"),
                State(online=True, trouble="erase"),
                (Wipe("erase"),),
            ),
            (IDLE, Heard(ANSWER), IDLE, ()),
            (IDLE, Lost("late"), IDLE, ()),
            (TALKING, Offered("a"), TALKING, ()),
            (STORING, Heard(ANSWER), STORING, ()),
        ],
    )
    def test_says_what_follows(
        self, state: State, message: Message, after: State, effects: tuple[object, ...]
    ):
        assert step(state, message) == (after, effects)

    def test_waits_double_each_time_up_to_five_minutes(self):
        assert [retry_seconds(failures) for failures in (1, 2, 3, 8, 9, 500)] == [2, 4, 8, 256, 300, 300]

    def test_pushes_double_again_after_success(self):
        after, _ = step(replace(STORING, batch=25), Stored(more=False, moved=True, pushed=25, answered=25))
        assert after.batch == 50


messages = st.one_of(
    st.just(Wake()),
    st.just(Heard(ANSWER)),
    st.builds(
        Stored,
        more=st.booleans(),
        moved=st.booleans(),
        pushed=st.integers(0, 3),
        answered=st.integers(0, 3),
        unsent=st.integers(0, 3),
        uploads=st.sampled_from([(), ("a",), ("a", "b")]),
    ),
    st.builds(Lost, st.just("lost")),
    st.builds(Garbled, st.sampled_from([200, 500]), st.just("garbled")),
    st.builds(Refused, st.sampled_from([401, 403, 413, 422, 500, 503]), st.just("refused")),
    st.just(Listen(55)),
    st.just(Hush()),
    st.builds(Advanced, st.sampled_from("ab"), st.booleans(), st.booleans()),
    st.builds(Offered, st.sampled_from("ab")),
    st.builds(BadBytes, st.sampled_from("ab"), st.just("bad")),
    st.just(NotStored("full")),
    st.just(Withheld()),
)


class TestWhateverHappens:
    @given(st.lists(messages, max_size=40))
    def test_it_waits_for_exactly_what_it_asked_for(self, arrived: list[Message]):
        state = State()
        asked: object = None
        for message in arrived:
            state, effects = step(state, message)
            open_ends = [effect for effect in effects if isinstance(effect, Talk | Store | Upload)]
            assert len(open_ends) <= 1
            asked = open_ends[0] if open_ends else asked
            match state.doing:
                case Doing.TALKING:
                    assert isinstance(asked, Talk) and asked.turn == state.turn
                case Doing.WAITING:
                    assert isinstance(asked, Talk) and asked == Talk(0, state.turn, 55)
                case Doing.STORING:
                    assert isinstance(asked, Store)
                case Doing.UPLOADING:
                    assert isinstance(asked, Upload) and asked.digest == state.uploads[0]
                case Doing.NOTHING:
                    assert not open_ends
                    asked = None
            assert 0 <= state.batch <= 200

    @given(st.lists(messages, max_size=40))
    def test_only_an_answer_in_the_database_clears_the_trouble(self, arrived: list[Message]):
        state = State()
        for message in arrived:
            before, (state, _) = state, step(state, message)
            if before.trouble and not state.trouble:
                assert isinstance(message, Stored)

    @given(st.lists(messages, max_size=40))
    def test_an_answer_to_an_earlier_request_changes_nothing(self, arrived: list[Message]):
        state = State()
        for message in arrived:
            state, _ = step(state, message)
            for late in (Heard(ANSWER, state.turn - 1), Lost("late", state.turn - 1)):
                assert step(state, late) == (state, ())
