"""One reading of one account: asks, hands on what came, and keeps count.  Who is asked when is decided in `sweep`."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import batched
from uuid import UUID

from django.utils import timezone

from sessions_app.models import Account
from sessions_app.polling import absence, schedule
from sessions_app.polling.clients import client_of
from sessions_app.polling.ingest import apply_answers
from sessions_app.polling.intake import take_pages
from sessions_app.polling.places import Memory, recall
from sessions_app.rules.pages import Extent, extent
from sessions_app.types import Answer, SetAside
from sessions_app.upstream.errors import (
    NotFound,
    NotSent,
    PaymentRequired,
    RateLimited,
    TimedOut,
    Unauthorized,
    UpstreamError,
)
from sessions_app.upstream.pages import SessionPage

AT_ONCE = 4
"""Requests per batch, as many as the client sends at a time: between batches the lease is extended."""
LONGEST_S = 20.0
NO_USE_TO_GO_ON = (NotSent, PaymentRequired, RateLimited, Unauthorized)


class Cycle:
    """Seen, live, new: what the pages and single reads of this sweep told, by the vendor's ids."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.client = client_of(account)
        self.started_at = timezone.now()
        self.seen: set[UUID] = set()
        self.live: set[UUID] = set()
        self.new: set[UUID] = set()
        self.pages: list[SessionPage] = []
        self.set_aside: list[SetAside] = []
        self.extent = Extent(None, 0)
        self.memory: Memory | None = None
        self.live_count = 0
        self.single_read_after = account.single_read_after
        self.reconciled: dict[str, object] = {}
        self.went_well = False
        self.error: UpstreamError | None = None
        self._deadline = time.monotonic() + LONGEST_S

    def read_first_page(self) -> None:
        """Page 1 says whether the key is good and how long the list is.  Raises UpstreamError."""
        page = self.client.session_page(1)
        self.extent = extent(page.total, len(page.items) + len(page.set_aside))
        self._take([page])

    def read_pages(self, numbers: Iterable[int]) -> None:
        """Those pages, a batch a transaction.  A page that fails is noted; raises when it is no use to go on."""
        for batch in batched(numbers, AT_ONCE, strict=False):
            self._before_a_batch()
            results = self.client.session_pages(batch)
            self._take([page for page in results if isinstance(page, SessionPage)])
            self._note_errors([error for error in results if isinstance(error, UpstreamError)])

    def read_alone(self, uuids: Sequence[UUID]) -> None:
        """Those sessions.  404 and failures are noted on the sessions; raises when it is no use to go on."""
        for batch in batched(uuids, AT_ONCE, strict=False):
            self._before_a_batch()
            asked_at = timezone.now()
            results = self.client.sessions(batch)
            self._apply([one for one in results if isinstance(one, Answer)])
            failed = [(u, e) for u, e in zip(batch, results, strict=True) if isinstance(e, UpstreamError)]
            self._raise_if_useless([error for _, error in failed])
            absence.note_not_found(self.account, [u for u, e in failed if isinstance(e, NotFound)], asked_at)
            unread = [u for u, e in failed if not isinstance(e, NotFound)]
            absence.note_unread(self.account, unread, asked_at)
            if len(unread) == len(batch):
                return  # upstream is ill: the rest waits for the next sweep

    def remember(self) -> Memory:
        """Where live sessions stood in earlier sweeps; from now on this one's pages add to it."""
        self.memory = recall(self.account.pk)
        for page in self.pages:
            self.memory.note(page, self.extent, self.live)
        return self.memory

    def now(self) -> datetime:
        return timezone.now()

    def _take(self, pages: list[SessionPage]) -> None:
        taken = take_pages(self.account, pages)
        self.pages += pages
        self.seen |= taken.seen
        self.live |= taken.live
        self.new |= taken.new
        self.set_aside += taken.set_aside
        if self.memory:
            for page in pages:
                self.memory.note(page, self.extent, self.live)

    def _apply(self, answers: list[Answer]) -> None:
        apply_answers(self.account, answers)
        self.seen |= {answer.session.uuid for answer in answers}
        self.live |= {answer.session.uuid for answer in answers if not answer.session.is_final}

    def _before_a_batch(self) -> None:
        schedule.extend(self.account)
        if time.monotonic() > self._deadline:
            raise TimedOut(f"Reading the account took more than {LONGEST_S:g} s; the rest was not read.")

    def _note_errors(self, errors: list[UpstreamError]) -> None:
        self._raise_if_useless(errors)
        self.error = self.error or next(iter(errors), None)

    @staticmethod
    def _raise_if_useless(errors: list[UpstreamError]) -> None:
        for error in errors:
            if isinstance(error, NO_USE_TO_GO_ON):
                raise error
