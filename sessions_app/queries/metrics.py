"""The floor in Prometheus's text format, gathered anew at each scrape: every web process tells the same."""

from collections.abc import Iterable

from django.db.models import Count, Q, Sum
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from sessions_app.models import Account, AgentSession, StopRequest
from sessions_app.models.stop import OPEN_STATES
from sessions_app.queries.budgets import standings
from sessions_app.queries.machinery import machinery
from sessions_app.queries.upkeep import upkeep
from sessions_app.types import KNOWN_STATUSES


class Floor:
    """A collector.  A constant handful of queries, whatever the size of the floor."""

    def collect(self) -> Iterable[Metric]:
        yield from _sessions()
        yield from _accounts()
        yield from _budgets()
        yield from _stops()
        yield from _queues()
        yield from _upkeep()

    def describe(self) -> list[Metric]:
        return []


def exposition() -> bytes:
    """What `/metrics` answers."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Floor())
    return generate_latest(registry)


def _gauge(name: str, words: str, label: str, values: Iterable[tuple[str, float]]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(f"watchfloor_{name}", words, labels=[label] if label else [])
    for value, number in values:
        gauge.add_metric([value] if label else [], number)
    return gauge


def _sessions() -> Iterable[Metric]:
    rows = list(
        AgentSession.objects.filter(is_live=True, account__is_active=True)
        .order_by()
        .values("status")
        .annotate(
            n=Count("pk"),
            flagged=Count("pk", filter=Q(attention_rank__gt=0)),
            burn=Sum("burn_microusd_per_min"),
        )
    )
    counts: dict[str, int] = {}
    for row in rows:
        # An unknown status is the vendor's to choose: as a label it could be anything, and any number of them.
        status = row["status"] if row["status"] in KNOWN_STATUSES else "other"
        counts[status] = counts.get(status, 0) + row["n"]
    yield _gauge("live_sessions", "Sessions that have neither ended nor gone.", "status", counts.items())
    yield _gauge(
        "attention", "Live sessions that need attention.", "", [("", sum(r["flagged"] for r in rows))]
    )
    yield _gauge(
        "burn_microusd_per_minute",
        "What live sessions spend a minute.",
        "",
        [("", sum(r["burn"] for r in rows))],
    )


def _accounts() -> Iterable[Metric]:
    now, accounts = timezone.now(), list(Account.objects.filter(is_active=True).order_by("slug"))
    ages = [(a.slug, (now - a.last_read_at).total_seconds()) for a in accounts if a.last_read_at]
    resting = [(a.slug, (now - a.resting_read_at).total_seconds()) for a in accounts if a.resting_read_at]
    balances = [(a.slug, float(a.balance_microusd)) for a in accounts if a.balance_microusd is not None]
    yield _gauge("poll_age_seconds", "Since all running sessions were last read.", "account", ages)
    yield _gauge("resting_age_seconds", "The same of idle and starting sessions.", "account", resting)
    yield _gauge(
        "sweep_failures",
        "Sweeps that failed one after another.",
        "account",
        [(a.slug, a.failures) for a in accounts],
    )
    yield _gauge("balance_microusd", "What is left, as last read.", "account", balances)


def _budgets() -> Iterable[Metric]:
    """Requests are counted where they are allowed: in Redis, over all workers."""
    found = standings(Account.objects.filter(is_active=True).order_by("slug"))
    for name, words, kind in (
        ("requests", "Requests to Browser Use.", "sent"),
        ("requests_postponed", "Requests that the budget did not allow when they were wanted.", "denied"),
    ):
        counter = CounterMetricFamily(f"watchfloor_{name}", words, labels=["account", "purpose"])
        for account, stands in found:
            for purpose, number in getattr(stands, kind).items():
                counter.add_metric([account.slug, purpose], number)
        yield counter
    limited = CounterMetricFamily(
        "watchfloor_rate_limited", "Times that we were refused (429).", labels=["account"]
    )
    for account, stands in found:
        limited.add_metric([account.slug], stands.limited)
    yield limited
    rates = [(account.slug, stands.rate_per_s) for account, stands in found]
    yield _gauge("budget_per_second", "Requests a second that the account may make.", "account", rates)
    needs = [(one.slug, one.shortage.get("needed_per_s", 0.0)) for one, _ in found if one.shortage]
    yield _gauge("budget_needed_per_second", "What it would take, where that is more.", "account", needs)


def _stops() -> Iterable[Metric]:
    rows = (
        StopRequest.objects.filter(state__in=OPEN_STATES).order_by().values("state").annotate(n=Count("pk"))
    )
    counts = dict.fromkeys((str(state) for state in OPEN_STATES), 0) | {r["state"]: r["n"] for r in rows}
    yield _gauge("open_stops", "Stops that are being worked on.", "state", counts.items())


def _queues() -> Iterable[Metric]:
    found = machinery()
    canaries = [(q.name, q.canary_age_s) for q in found.queues if q.has_canary and q.canary_age_s is not None]
    yield _gauge("broker_up", "1 when the broker answers.", "", [("", 0 if found.error else 1)])
    yield _gauge(
        "queue_waiting", "Messages nobody has taken.", "queue", [(q.name, q.waiting) for q in found.queues]
    )
    yield _gauge("canary_age_seconds", "Since the queue's worker last ran its canary.", "queue", canaries)


def _upkeep() -> Iterable[Metric]:
    found = [(one.kind, one.newest) for one in upkeep() if one.newest]
    ages = [(kind, (timezone.now() - newest.started_at).total_seconds()) for kind, newest in found]
    yield _gauge("upkeep_age_seconds", "Since the last pass over what is kept began.", "kind", ages)
    yield _gauge("upkeep_deleted", "Rows that it deleted.", "kind", [(k, n.deleted) for k, n in found])
    yield _gauge(
        "upkeep_kept",
        "Rows it left, of those it judged.",
        "kind",
        [(k, n.looked_at - n.deleted) for k, n in found],
    )
    taken = [("", n.stored_bytes) for _, n in found if n.stored_bytes is not None]
    yield _gauge("pictures_bytes", "What the files of pictures take.", "", taken)
