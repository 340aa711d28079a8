"""When to look again: often where something happens, seldom where nothing does, politely after a refusal."""

import random
from datetime import timedelta

LIVE_EVERY_S = 1.8
"""So that with the reading itself, and a worker that looks each 0.2 s, what runs is not older than three seconds."""
QUIET_EVERY_S = 4.8
UNFINISHED_EVERY_S = 0.8
SHORT_EVERY_S = 0.8
"""The bucket of a budget holds a second's worth or two: what is not fetched by then is lost."""
LONGEST_SHORTAGE_S = 300.0
LONGEST_BACKOFF_S = 15.0
"""One request: it burdens nobody, and the floor is back soon after the vendor is."""
LONGEST_BACKOFF_PARTLY_S = 10.0
BAD_KEY_PAUSES_S = (5.0, 60.0)
"""The first pause of a refused key and the longest.  It does not heal by asking, but often by a person elsewhere."""


def after_success(live: int, *, unfinished: bool = False) -> timedelta:
    """From the start of a sweep that found `live` live sessions to the next.  `unfinished`: an import goes on."""
    if unfinished:
        return timedelta(seconds=UNFINISHED_EVERY_S)
    return timedelta(seconds=LIVE_EVERY_S if live else QUIET_EVERY_S)


def after_shortage(retry_in_s: float) -> timedelta:
    """The pause of an account whose budget of requests is used up, where the next one is free in so many seconds."""
    return timedelta(seconds=max(SHORT_EVERY_S, min(retry_in_s, LONGEST_SHORTAGE_S)))


def after_failure(
    failures: int, error_kind: str, retry_after_s: float | None, *, partly: bool = False
) -> timedelta:
    """The pause after the `failures`-th failure in a row.  Full jitter, so that workers don't march in step.

    `partly`: some of the account could be read, so it is worth looking sooner.
    """
    if retry_after_s is not None:
        return timedelta(seconds=retry_after_s)
    if error_kind in {"unauthorized", "payment_required"}:
        first, longest = BAD_KEY_PAUSES_S
        return timedelta(seconds=min(longest, first * 2 ** min(failures - 1, 10)))
    longest = LONGEST_BACKOFF_PARTLY_S if partly else LONGEST_BACKOFF_S
    ceiling = min(longest, LIVE_EVERY_S * 2 ** min(failures, 10))
    return timedelta(seconds=random.uniform(LIVE_EVERY_S / 2, ceiling))


def reconcile_every(pages: int) -> timedelta:
    """How often all pages are read again: a small account costs nothing, a large one goes easy."""
    return timedelta(minutes=2) if pages <= 10 else timedelta(minutes=10 if pages <= 200 else 60)
