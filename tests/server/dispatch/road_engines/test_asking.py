"""Asking a routing server that is slow, broken, silent or gone."""

import json
import time

import pytest
from routers import Reply, Router, a_router

from scheduler.travel.protocol import NoAnswer
from server.dispatch.road_engines.asking import FAILURES_MAX, REST_SECONDS, TRIES, RoadServer, Unreadable


class Watch:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def asking(router: Router, watch: Watch | None = None, *, seconds: float = 5.0) -> RoadServer:
    watch = watch or Watch()
    return RoadServer(
        router.url, seconds=seconds, clock=lambda: watch.now, sleep=watch.sleep, chance=lambda: 0.5
    )


def fine(_path: str, _body: bytes) -> Reply:
    return Reply(body=b'{"ok": true}')


def read(_status: int, body: bytes) -> bool:
    try:
        return bool(json.loads(body)["ok"])
    except (ValueError, LookupError) as error:
        raise Unreadable("not this") from error


class TestATry:
    def test_an_answer_is_read(self) -> None:
        with a_router(fine) as router:
            assert asking(router).ask("/x?y=1", read) is True
            assert router.asked == ["/x?y=1"]

    def test_a_path_of_the_server_goes_before(self) -> None:
        with a_router(fine) as router:
            RoadServer(f"{router.url}/roads/").ask("/x", read)
            assert router.asked == ["/roads/x"]

    @pytest.mark.parametrize(
        ("url", "place"),
        [
            ("http://roads:5000", "roads:5000"),
            ("http://roads:5000/car/", "roads:5000/car"),
            ("http://roads:5000/van", "roads:5000/van"),
            ("https://roads/van", "https://roads/van"),
        ],
    )
    def test_is_of_a_server_whose_name_tells_it_from_others(self, url: str, place: str) -> None:
        assert RoadServer(url).place == place

    def test_one_that_failed_is_repeated_after_a_pause_of_chance(self) -> None:
        with a_router(fine) as router:
            router.next += [Reply(503), Reply(429)]
            watch = Watch()
            assert asking(router, watch).ask("/", read) is True
            assert (len(router.asked), watch.slept) == (3, [0.125, 0.25])

    @pytest.mark.parametrize(
        ("reply", "reason"),
        [
            (Reply(500), "answered 500"),
            (Reply(body=b"<html>"), "gave an answer that we can't read: not this"),
            (Reply(body=b'{"ok"'), "gave an answer that we can't read: not this"),
            (Reply(body=b'{"ok": true}', half=True), "did not answer: the answer broke off"),
        ],
    )
    def test_after_three_that_failed_it_says_why(self, reply: Reply, reason: str) -> None:
        with a_router(lambda _path, _body: reply) as router:
            with pytest.raises(NoAnswer, match=reason):
                asking(router).ask("/", read)
            assert len(router.asked) == TRIES

    @pytest.mark.parametrize("reply", [Reply(silent=True), Reply(body=b" " * 1000, drip=0.05)])
    def test_a_silent_or_dripping_one_is_given_up_in_time(self, reply: Reply) -> None:
        with a_router(lambda _path, _body: reply) as router:
            began = time.monotonic()
            with pytest.raises(NoAnswer, match=r"did not answer within 0\.3 s"):
                RoadServer(router.url, seconds=0.3).ask("/", read)
            assert time.monotonic() - began < 5

    def test_nobody_there_is_no_answer(self) -> None:
        with a_router(fine) as router:
            url = router.url
        with pytest.raises(NoAnswer, match=r"did not answer: .*refused"):
            RoadServer(url, sleep=lambda _: None).ask("/", read)


class TestARest:
    def test_a_server_that_is_down_is_left_alone_for_a_while(self) -> None:
        with a_router(lambda _path, _body: Reply(500)) as router:
            watch = Watch()
            server = asking(router, watch)
            for _ in range(FAILURES_MAX):
                with pytest.raises(NoAnswer, match="answered 500"):
                    server.ask("/", read)
            before = len(router.asked)
            with pytest.raises(NoAnswer, match="is left alone for another 30 s"):
                server.ask("/", read)
            assert len(router.asked) == before
            watch.now += REST_SECONDS
            router.next.append(Reply(body=b'{"ok": true}'))
            assert server.ask("/", read) is True
            assert len(router.asked) == before + 1

    def test_one_that_answers_again_starts_over(self) -> None:
        with a_router(fine) as router:
            server = asking(router)
            for _ in range(3):
                router.next += [Reply(500)] * TRIES
                with pytest.raises(NoAnswer, match="answered 500"):
                    server.ask("/", read)
                assert server.ask("/", read) is True


@pytest.mark.parametrize("url", ["", "host:5000", "ftp://host", "http://", "http://host?x=1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no address of a server"):
        RoadServer(url)
