"""Reports of a week's costs by mail: each week once, on Monday, to whoever may still see costs.

The row is the queue: who takes it by a conditional update sends it.  A worker that is killed while it sends leaves the
row to the next after a while; the mail has the same Message-ID then, by which mail programs tell it for a copy.
"""

import logging
import smtplib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import Q
from django.template.loader import render_to_string

from sessions_app.costs import bookkeeper, budgets
from sessions_app.costs.outlook import before
from sessions_app.costs.question import FILTERS, CostQuestion, question, zone_of
from sessions_app.costs.report import report
from sessions_app.models import CostReport

log = logging.getLogger(__name__)

FROM = time(6)
"""On Monday, in the report's zone."""
WEEK = timedelta(days=7)
LEASE = timedelta(minutes=5)
AGAIN_AFTER = timedelta(minutes=30)
MOST_AT_ONCE = 10
TOP = 10
NOT_SET_UP = "Mail is not set up here: EMAIL_URL says which server takes it (README)."


class NotSent(Exception):
    """In words."""


def last_week(zone: str, now: datetime) -> date:
    """Monday of the last week that is over, in that zone; on Monday before FROM it is the one before."""
    here = (now.astimezone(zone_of(zone))) - timedelta(hours=FROM.hour)
    return here.date() - timedelta(days=here.weekday()) - WEEK


def send_due(now: datetime) -> int:
    """Send what is due, and note what fails.  Returns how many were sent."""
    if not settings.MAIL_IS_SET_UP:
        return 0
    try:
        return sum(_try(one, last_week(one.zone, now), now) for one in _due(now))
    finally:
        bookkeeper.forget()  # the worker has other things to keep in memory until next Monday


def send(asked: CostReport, monday: date, now: datetime) -> None:
    """This week of it, whatever was sent before.  Raises NotSent."""
    if not settings.MAIL_IS_SET_UP:
        raise NotSent(NOT_SET_UP)
    if not (asked.owner.is_active and asked.owner.has_perm("sessions_app.see_costs")):
        raise NotSent(f"{asked.owner} may not see costs any more.")
    try:
        compose(asked, monday, now).send()
    except (smtplib.SMTPException, OSError) as error:
        raise NotSent(f"The mail server did not take it ({_words(error)}).") from error


def compose(asked: CostReport, monday: date, now: datetime) -> EmailMultiAlternatives:
    """The mail about the week that begins on that Monday."""
    week = week_of(asked, monday, now)
    context = {
        "name": asked.name,
        "asked": week,
        "report": (answer := report(week)),
        "top": answer.sessions[:TOP],
        "groups": [one for one in answer.groups if one.facet in ("model", "profile")],
        "before": before(week, now),
        "budgets": budgets.standings(now),
        "address": f"{settings.PUBLIC_URL}/costs/?{address_of(week)}",
        "public_url": settings.PUBLIC_URL,
    }
    sunday = monday + WEEK - timedelta(days=1)
    return EmailMultiAlternatives(
        subject=f"{asked.name}: {monday:%-d %b} to {sunday:%-d %b %Y}".replace("\n", " "),
        body=render_to_string("costs/mail.txt", context),
        from_email=settings.EMAIL_FROM,
        to=[asked.to],
        headers={
            "Message-ID": f"<watchfloor-costs-{asked.pk}-{monday}@{_domain()}>",
            "Auto-Submitted": "auto-generated",
        },
        alternatives=[(render_to_string("costs/mail.html", context), "text/html")],
    )


def week_of(asked: CostReport, monday: date, now: datetime) -> CostQuestion:
    """What the page is asked for that week."""
    days = {"from": str(monday), "to": str(monday + WEEK - timedelta(days=1)), "tz": asked.zone}
    return question(dict(parse_qsl(asked.query)) | days, asked.zone, now)


def filters_of(asked: CostQuestion) -> str:
    """What of a question is kept with a report: not its stretch."""
    return urlencode([(name, value) for name, value in asked.only if name in FILTERS])


def address_of(asked: CostQuestion) -> str:
    """The query of the page that shows the same."""
    days = [("from", str(asked.first_day)), ("to", str(asked.last_day)), ("tz", str(asked.tz))]
    return urlencode([*days, *asked.only])


def _due(now: datetime) -> Iterator[CostReport]:
    free = Q(tried_until=None) | Q(tried_until__lte=now)
    waiting = CostReport.objects.filter(free).select_related("owner").order_by("sent_week", "pk")
    late = (one for one in waiting if one.sent_week < last_week(one.zone, now))
    return (one for one, _ in zip(late, range(MOST_AT_ONCE), strict=False))


def _try(asked: CostReport, monday: date, now: datetime) -> bool:
    mine = CostReport.objects.filter(pk=asked.pk, sent_week=asked.sent_week)
    if not mine.filter(tried_until=asked.tried_until).update(tried_until=now + LEASE):
        return False  # somebody else has it
    try:
        send(asked, monday, now)
    except NotSent as error:
        log.warning("report %s: %s", asked.name, error)
        mine.update(tried_until=now + AGAIN_AFTER, error=str(error)[:300])
        return False
    mine.update(sent_week=monday, sent_at=now, tried_until=None, error="")
    return True


def _words(error: Exception) -> str:
    said = getattr(error, "smtp_error", b"") or str(error) or type(error).__name__
    return (said.decode("utf-8", "replace") if isinstance(said, bytes) else said)[:200]


def _domain() -> str:
    return settings.EMAIL_FROM.rpartition("@")[2].strip(" >") or "watchfloor"
