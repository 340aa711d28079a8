"""Where the hub does what would hold up its event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class Threads:
    """A few threads of our own: ordinary pages use the loop's, and must not wait behind viewers."""

    def __init__(self, count: int, name: str) -> None:
        self._executor = ThreadPoolExecutor(count, name)

    async def run[*Args, T](self, work: Callable[[*Args], T], *args: *Args) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *args)

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
