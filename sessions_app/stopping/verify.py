"""Reading the session: the only thing that proves a stop, and what says which task runs."""

from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from sessions_app.models import StopRequest
from sessions_app.polling.clients import client_of
from sessions_app.polling.ingest import apply_answers
from sessions_app.rules.changes import CLOCK_WAS_SET_BACK
from sessions_app.rules.stopping import Reading, satisfied
from sessions_app.stopping.budget import Budget
from sessions_app.stopping.facts import facts_of
from sessions_app.types import Answer, Strategy
from sessions_app.upstream.client import Client
from sessions_app.upstream.errors import NotFound, UpstreamError
from sessions_app.upstream.records import Message

GONE_AFTER = timedelta(seconds=60)
"""A 404 must still be one after that, with the key proven good, before the session counts as gone."""
MOST_PAGES = 10


class Read(NamedTuple):
    """What reading gave: `reading` None when it failed or says nothing; `columns` for the stop's row."""

    reading: Reading | None
    columns: dict[str, object]


def read(stop: StopRequest, budget: Budget, session_s: float, messages_s: float) -> Read:
    """Read the session, and where it matters its task.  Never raises what upstream does."""
    client = client_of(stop.session.account, "stop")
    try:
        answer = client.session(stop.session.uuid, deadline_s=budget.left_s(session_s))
    except NotFound:
        return _missing(stop, client)
    except UpstreamError:
        return Read(None, {})
    stale = _is_stale(stop, answer)
    apply_answers(stop.session.account, [answer])
    if stale:
        return Read(None, {})
    reading = Reading(answer.read_at, answer.session.status)
    if stop.strategy != Strategy.TASK or satisfied(facts_of(stop), reading):
        return Read(reading, {"missing_since": None})
    return _with_task(stop, reading, client, Budget(budget.left_s(messages_s)))


def _is_stale(stop: StopRequest, answer: Answer) -> bool:
    """A replica that lags behind what we know already proves nothing."""
    session, said = stop.session, answer.session.updated_at
    session.refresh_from_db(fields=["updated_at", "observed_at"])
    if said is None or session.updated_at is None:
        return False
    return said < session.updated_at and answer.read_at - session.observed_at < CLOCK_WAS_SET_BACK


def _missing(stop: StopRequest, client: Client) -> Read:
    """404.  One proves nothing: neither that it is gone, nor that the key is still good."""
    now = timezone.now()
    since = stop.missing_since
    if since is None:
        return Read(None, {"missing_since": now})
    if now - since < GONE_AFTER or not _key_is_good(client):
        return Read(None, {})
    return Read(Reading(now, stop.session.status, gone=True), {})


def _key_is_good(client: Client) -> bool:
    try:
        client.session_page(1)
    except UpstreamError:
        return False
    return True


def _with_task(stop: StopRequest, reading: Reading, client: Client, budget: Budget) -> Read:
    """The reading with the newest user_message, which is what tells one task from the next.

    The first one read before anything was sent is the task that is meant.  The cursor never moves past a later
    one: it is read again, and found again, each time.
    """
    columns: dict[str, object] = {"missing_since": None}
    meant = stop.task_message
    if stop.sent_at and not meant:
        return Read(reading, columns)  # which task was meant will never be known: nothing to compare with
    try:
        newest, read_to = _newest_task(stop, client, budget)
    except UpstreamError:
        return Read(reading, columns)
    if newest is None or not meant:
        columns |= {"read_to_message": read_to, "task_message": newest.id if newest else meant}
    if newest is None:
        return Read(reading._replace(task=meant), columns)
    return Read(reading._replace(task=newest.id, task_at=newest.created_at), columns)


def _newest_task(stop: StopRequest, client: Client, budget: Budget) -> tuple[Message | None, str]:
    """The last user_message after what was read before, and the id of the last message of all.

    Raises UpstreamError; also when there are more pages than can be read now, for then the last is not known.
    """
    newest: Message | None = None
    read_to = stop.read_to_message
    for _ in range(MOST_PAGES):
        page = client.messages(stop.session.uuid, after=read_to, deadline_s=budget.left_s())
        newest = next((m for m in reversed(page.messages) if m.kind == "user_message"), newest)
        read_to = page.messages[-1].id if page.messages else read_to
        if not page.has_more or not page.messages:
            return newest, read_to
    raise UpstreamError("The conversation is too long to be read now.")
