"""One reading of one account: asks, hands on what came, and keeps count.  Who is asked when is decided in `sweep`."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import batched
from uuid import UUID

from django.utils import timezone

from sessions_app.models import Account
from sessions_app.polling import absence, ages, schedule
from sessions_app.polling.clients import client_of
from sessions_app.polling.following import Following
from sessions_app.polling.ingest import apply_answers
from sessions_app.polling.intake import take_pages
from sessions_app.polling.places import Memory, recall
from sessions_app.rules.freshness import Ask
from sessions_app.rules.pages import Extent, extent
from sessions_app.types import Answer, SetAside
from sessions_app.upstream.budget import Purpose
from sessions_app.upstream.errors import (
    NotFound,
    NotSent,
    OverBudget,
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
MISSED_AGAIN_AFTER = timedelta(minutes=1)
BAD_PAGE_COLUMNS = ("reconcile_missed", "next_reconcile_at")
NO_USE_TO_GO_ON = (NotSent, PaymentRequired, Unauthorized)
NO_MORE_FOR_NOW = (OverBudget, RateLimited)


class Cycle:
    """Seen, live, new: what the pages and single reads of this sweep told, by the vendor's ids.

    `short`: set when the budget allowed no more, or the vendor said 429.  What was read by then counts; nothing more
    is asked for, and nobody is told that it was.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.purpose: Purpose = "live"
        self.started_at = timezone.now()
        self.seen: set[UUID] = set()
        self.live: set[UUID] = set()
        self.new: set[UUID] = set()
        self.read_at: dict[UUID, datetime] = {}
        self.pages: list[SessionPage] = []
        self.bad_pages: list[int] = []
        self.alone_count = 0
        self.set_aside: list[SetAside] = []
        self.extent = Extent(None, 0)
        self.memory: Memory | None = None
        self.following = Following(account, [], self.started_at)
        self.single_read_after = account.single_read_after
        self.bad_page_columns: dict[str, object] = {}
        self.reconciled: dict[str, object] = {}
        self.short: OverBudget | RateLimited | None = None
        self.live_part_short: OverBudget | RateLimited | None = None
        self.shortage: dict[str, object] = {}
        self.went_well = False
        self.error: UpstreamError | None = None
        self._deadline = time.monotonic() + LONGEST_S

    def read_first_page(self) -> None:
        """Page 1 says whether the key is good and how long the list is.  Raises UpstreamError."""
        page = client_of(self.account, self.purpose).session_page(1)
        self.extent = extent(page.total, len(page.items) + len(page.set_aside))
        self._take([page])

    def read(self, asks: Iterable[Ask]) -> None:
        """Pages and sessions as they come, the first ones first."""
        for batch in batched(asks, AT_ONCE, strict=False):
            self.read_pages([ask.what for ask in batch if isinstance(ask.what, int)])
            self.read_alone([ask.what for ask in batch if isinstance(ask.what, UUID)])

    def read_pages(self, numbers: Iterable[int]) -> None:
        """Those pages, a batch a transaction.  A page that fails is noted; raises when it is no use to go on."""
        for batch in batched(numbers, AT_ONCE, strict=False):
            if self.short:
                return
            self._before_a_batch()
            results = client_of(self.account, self.purpose).session_pages(batch)
            self._take([page for page in results if isinstance(page, SessionPage)])
            errors = self._asked(results)
            self.bad_pages += [number for number, one in zip(batch, results, strict=True) if one in errors]
            self._note_errors(errors)

    def read_alone(self, uuids: Sequence[UUID]) -> None:
        """Those sessions.  404 and failures are noted on the sessions; raises when it is no use to go on."""
        for batch in batched(uuids, AT_ONCE, strict=False):
            if self.short or not self._read_some(batch):
                return  # or upstream is ill: the rest waits for the next sweep

    def remember(self) -> Memory:
        """Where live sessions stood in earlier sweeps; from now on this one's pages add to it."""
        self.memory = recall(self.account.pk)
        for page in self.pages:
            self.memory.note(page, self.extent, self.live)
        return self.memory

    def is_well_but_for_pages(self) -> bool:
        """Whether as much was answered besides page 1 as failed: a page that breaks the vendor is no ill vendor."""
        return len(self.pages) - 1 + self.alone_count >= len(self.bad_pages) > 0

    def note_bad_pages(self) -> None:
        """Name them on the account, as `reconcile` names its own, which tries them again."""
        known = self.account.reconcile_missed
        if new := [number for number in dict.fromkeys(self.bad_pages) if number not in known]:
            self.account.reconcile_missed = [*known, *new]
            if again := self.account.next_reconcile_at:  # None: at once
                self.account.next_reconcile_at = min(again, self.now() + MISSED_AGAIN_AFTER)
            self.bad_page_columns = {name: getattr(self.account, name) for name in BAD_PAGE_COLUMNS}
        self.bad_pages, self.error = [], None

    def now(self) -> datetime:
        return timezone.now()

    def _read_some(self, batch: Sequence[UUID]) -> bool:
        """A batch of single reads.  False when none of them could be answered."""
        self._before_a_batch()
        asked_at = timezone.now()
        results = client_of(self.account, self.purpose).sessions(batch)
        self._apply([one for one in results if isinstance(one, Answer)])
        errors = self._asked(results)
        self._raise_if_useless(errors)
        by_uuid = dict(zip(batch, results, strict=True))
        missing = [uuid for uuid, error in by_uuid.items() if isinstance(error, NotFound)]
        absence.note_not_found(self.account, missing, asked_at)
        unread = [uuid for uuid, error in by_uuid.items() if error in errors and uuid not in missing]
        absence.note_unread(self.account, unread, asked_at)
        return len(unread) < len(batch)

    def _take(self, pages: list[SessionPage]) -> None:
        taken = take_pages(self.account, pages)
        self.pages += pages
        self.seen |= taken.seen
        self.live |= taken.live
        self.new |= taken.new
        self.set_aside += taken.set_aside
        for page in sorted(pages, key=lambda page: page.read_at):
            self.read_at |= dict.fromkeys((item.uuid for item in page.items), page.read_at)
        self._note_ages(taken.live)
        if self.memory:
            for page in pages:
                self.memory.note(page, self.extent, self.live)

    def _apply(self, answers: list[Answer]) -> None:
        apply_answers(self.account, answers)
        self.alone_count += len(answers)
        self.seen |= {answer.session.uuid for answer in answers}
        living = {answer.session.uuid for answer in answers if not answer.session.is_final}
        self.live |= living
        self.read_at |= {answer.session.uuid: answer.read_at for answer in answers}
        self._note_ages(living)

    def _note_ages(self, living: Iterable[UUID]) -> None:
        """At once: whoever goes on after a sweep that was cut off begins with what is oldest."""
        ages.note(self.account.pk, {uuid: self.read_at[uuid] for uuid in living})

    def _before_a_batch(self) -> None:
        schedule.extend(self.account)
        if time.monotonic() > self._deadline:
            raise TimedOut(f"Reading the account took more than {LONGEST_S:g} s; the rest was not read.")

    def _asked(self, results: Sequence[object]) -> list[UpstreamError]:
        """What went wrong with those that the vendor was asked for; that there is no more for now is noted."""
        errors = [error for error in results if isinstance(error, UpstreamError)]
        self.short = self.short or next((one for one in errors if isinstance(one, NO_MORE_FOR_NOW)), None)
        return [error for error in errors if not isinstance(error, NO_MORE_FOR_NOW)]

    def _note_errors(self, errors: list[UpstreamError]) -> None:
        self._raise_if_useless(errors)
        self.error = self.error or next(iter(errors), None)

    @staticmethod
    def _raise_if_useless(errors: list[UpstreamError]) -> None:
        for error in errors:
            if isinstance(error, NO_USE_TO_GO_ON):
                raise error
