"""What a tap sets off is done after the answer, once for all that asked, and once more for who asks later."""

import asyncio

from mobile.afterwards import PAUSE_SECONDS, afterwards


def test_many_ask_and_it_is_done_once_after_them() -> None:
    done: list[int] = []

    async def tapping() -> None:
        loop, tasks, asked = asyncio.get_running_loop(), [], 0
        ask = afterwards(lambda: done.append(asked), lambda task: tasks.append(loop.create_task(task())))
        while asked < 2:
            ask()
            asked += 1
        assert done == []
        await asyncio.gather(*tasks)
        assert done == [2], "it saw what the last of them left"
        asked = 3
        ask()
        assert done == [2]
        await asyncio.sleep(2 * PAUSE_SECONDS)
        assert done == [2, 3]

    asyncio.run(tapping())


def test_where_nothing_runs_beside_it_is_done_at_once() -> None:
    done: list[str] = []
    afterwards(lambda: done.append("now"), None)()
    assert done == ["now"]
