"""The living sessions of an account as the sweep follows them: when each was last read, whose turn it is, and since
when all of a kind have been read."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

import redis

from sessions_app.live import watching
from sessions_app.models import Account
from sessions_app.polling import ages
from sessions_app.polling.absence import CONFIRMED_AFTER
from sessions_app.polling.alone import LiveRow
from sessions_app.rules.freshness import TARGET_S, Care, care_of, is_due, urgency

NEXT_IN_S = TARGET_S[Care.RUNNING]
"""The next chance comes with the next sweep, which may be late: so what runs is due in each."""

NEVER = datetime.min.replace(tzinfo=UTC)


class Following:
    """Rows in the order of our ids; `read_at` by uuid, where it is not known for sure the account's own claim."""

    def __init__(self, account: Account, rows: list[LiveRow], now: datetime) -> None:
        self.rows, self.now = rows, now
        claims = {Care.RUNNING: account.last_read_at, Care.RESTING: account.resting_read_at}
        found = ages.known(account.pk, [row.uuid for row in rows]) or {}
        self.read_at = {row.uuid: found.get(row.uuid) or claims[care_of(row.status)] or NEVER for row in rows}

    def note(self, read: Mapping[UUID, datetime]) -> None:
        """These were read meanwhile."""
        self.read_at |= {uuid: moment for uuid, moment in read.items() if uuid in self.read_at}

    def due(self, seen: Collection[UUID], after: int) -> list[LiveRow]:
        """Whose turn it is and whom nothing showed yet, the most urgent first; of equals those behind id `after`.

        One that was missing is not asked for again before the second 404 would count.
        """
        waiting = [row for row in self.rows if row.uuid not in seen and self._is_due(row)]
        return sorted(waiting, key=lambda row: (-self.urgency(row), row.id <= after, row.id))

    def urgency(self, row: LiveRow) -> float:
        """See `rules.freshness.urgency`."""
        return urgency(care_of(row.status), self._age_s(row))

    def since(self, care: Care, at_most: datetime) -> datetime | None:
        """All of that care have been read since then.  None when one of them never was.

        Those that are missing or unreadable say so themselves, each with its own age.
        """
        counted = (row for row in self.rows if care_of(row.status) == care and not row.is_troubled)
        oldest = min((self.read_at[row.uuid] for row in counted), default=at_most)
        return None if oldest == NEVER else min(oldest, at_most)

    def opened(self) -> int:
        """How many of them somebody has open: those are read by themselves, each second."""
        try:
            return len({row.id for row in self.rows}.intersection(watching.opened()))
        except (redis.RedisError, OSError):
            return 0

    def uuids(self) -> Iterable[UUID]:
        return self.read_at.keys()

    def _is_due(self, row: LiveRow) -> bool:
        if row.missing_since and self.now - row.missing_since < CONFIRMED_AFTER:
            return False
        return is_due(care_of(row.status), self._age_s(row), NEXT_IN_S)

    def _age_s(self, row: LiveRow) -> float:
        return max(0.0, (self.now - self.read_at[row.uuid]).total_seconds())
