"""One POST: written down before it leaves, sent outside of any transaction, its answer believed for what it is worth."""

import logging
from typing import NamedTuple

from django.db import DatabaseError, transaction
from django.utils import timezone

from sessions_app.access import audit
from sessions_app.models import StopAttempt, StopRequest
from sessions_app.polling.clients import client_of
from sessions_app.polling.ingest import apply_answers
from sessions_app.rules.stopping import LEASE, MAY_HAVE_ARRIVED, Outcome, State, Stop, after_sending
from sessions_app.stopping import ending
from sessions_app.stopping.claim import put
from sessions_app.types import Answer, Strategy
from sessions_app.upstream.errors import Conflict, NotFound, NotSent, RateLimited, UpstreamError

log = logging.getLogger(__name__)


class Result(NamedTuple):
    """What came of the POST, in words too; `answer` is the session as upstream says it was then."""

    outcome: Outcome
    words: str
    answer: Answer | None = None
    retry_after_s: int | None = None


def send(stop: StopRequest, known: Stop, learned: dict[str, object], deadline_s: float) -> None:
    """Send the stop that we hold, once.  `learned`: columns that the read just before it gave."""
    attempt = _begin(stop, learned)
    if attempt is None:
        return  # held by somebody else by now
    result = post(stop, deadline_s)
    if result.answer:
        _take_in(stop, result.answer)
    _finish(stop, known, attempt, result)


def post(stop: StopRequest, deadline_s: float) -> Result:
    """The call itself.  Never raises what upstream does."""
    client = client_of(stop.session.account, "stop")
    try:
        answer = client.stop(stop.session.uuid, Strategy(stop.strategy), deadline_s=deadline_s)
    except RateLimited as error:
        return Result(Outcome.LATER, error.words, retry_after_s=error.retry_after_s)
    except NotSent as error:
        return Result(Outcome.NOT_SENT, error.words)
    except (NotFound, Conflict) as error:
        return Result(Outcome.UNKNOWN, error.words)  # perhaps it is so already: reading will tell
    except UpstreamError as error:
        return Result(Outcome.UNKNOWN if error.may_have_happened else Outcome.REFUSED, error.words)
    return Result(Outcome.ACCEPTED, f"Accepted; it was {answer.session.status[:40]} then.", answer)


@transaction.atomic
def _begin(stop: StopRequest, learned: dict[str, object]) -> StopAttempt | None:
    """The attempt is on record, and the lease renewed, before anything leaves the house."""
    now = timezone.now()
    number = stop.attempts_made + 1
    sending = {"state": State.SENDING, "sent_at": now, "attempts_made": number, "satisfied_at": None}
    if not put(stop, **learned, **sending, lease_until=now + LEASE, due_at=now + LEASE):
        return None
    ending.show(stop, now)
    attempt = StopAttempt.objects.create(stop=stop, number=number, began_at=now)
    audit.record(
        stop.requested_by, "stop.sent", stop.session, stop=stop.pk, strategy=stop.strategy, attempt=number
    )
    return attempt


def _take_in(stop: StopRequest, answer: Answer) -> None:
    """Into the database like any other answer; if that fails now, the next read brings the same."""
    try:
        apply_answers(stop.session.account, [answer])
    except DatabaseError as error:
        log.warning("the answer to stop %s could not be stored (%s)", stop.pk, type(error).__name__)


@transaction.atomic
def _finish(stop: StopRequest, known: Stop, attempt: StopAttempt, result: Result) -> None:
    now = timezone.now()
    StopAttempt.objects.filter(pk=attempt.pk).update(
        ended_at=now, answer=result.outcome, detail=result.words[:500]
    )
    decision = after_sending(known, result.outcome, now, result.retry_after_s)
    columns: dict[str, object] = {}
    if result.outcome not in MAY_HAVE_ARRIVED:
        columns["sent_at"] = known.sent_at  # it never left, so what counts is the one before
    if result.outcome == Outcome.ACCEPTED:
        columns["accepted_at"] = now
    ending.move(stop, decision, result.words, columns)
