"""What is told once more is no news: nothing rests after it, and nobody waits for that rest."""

import asyncio
from collections.abc import Callable

from sessions_app.live.house import House, Tempo
from sessions_app.live.push import Push
from tests.unit.test_live_viewer import row, viewer


class Renderer:
    """Of one session, in the version that a test says."""

    def __init__(self) -> None:
        self.version, self.asked = 1, 0

    def render(self, session_ids, sight) -> dict:
        self.asked += 1
        return {1: row(self.version)}

    @property
    def house(self) -> House:
        return House(
            render=self.render,
            pulse=lambda sight: b"",
            changed_since=lambda ids, moment: [],
            changed_since_any=lambda moment: [],
            matching=lambda ids, query, sight: set(),
            grant=lambda ticket, key: None,
        )


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


def test_a_delivery_is_over_only_when_something_was_told():
    async def story() -> None:
        renderer = Renderer()
        push = Push(renderer.house, Tempo())
        push.add(viewer(1))
        push.tell([1])
        await asyncio.wait_for(push.deliver(), 10)

        delivery = asyncio.create_task(push.deliver())
        push.tell([1])
        await until(lambda: renderer.asked == 2)
        await asyncio.sleep(0.1)
        assert not delivery.done(), "that version went out before"
        renderer.version = 2
        push.tell([1])
        await asyncio.wait_for(delivery, 10)
        push.close()

    asyncio.run(story())
