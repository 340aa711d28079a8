"""A time to be done by, shared by several calls one after another."""

import time


class Budget:
    """`within_s` from now on, by a clock that nobody sets."""

    def __init__(self, within_s: float) -> None:
        self._end = time.monotonic() + within_s

    def left_s(self, most: float = 60.0) -> float:
        """Seconds for the next call: what is left, at most `most`, and never so little that it makes no sense."""
        return max(0.1, min(most, self._end - time.monotonic()))
