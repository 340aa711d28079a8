"""Answers come late, twice, in any order and from several workers: the end is as if read in order, once."""

import threading
from collections.abc import Sequence

import pytest
from django.db import connection
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app.models import Account, AgentSession, CostHour, Snapshot
from sessions_app.polling.ingest import apply_answers
from sessions_app.types import Answer
from tests.support.answers import answer

KINDS = ("llm", "proxy", "browser", "total")
FACTS = ("uuid", "status", "title", "step_count", "is_live", *(f"{kind}_cost_microusd" for kind in KINDS))

costs = st.integers(-50, 5_000)
states = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["created", "idle", "running", "stopped", "error", "hibernating"]),
        "title": st.sampled_from(["One", "Two"]),
        "step_count": st.integers(0, 9),
        **{f"{kind}_cost_microusd": costs for kind in KINDS},
    }
)
#: What upstream was like at each look, for three sessions.  Every state has a later `updatedAt` than the one before.
histories = st.lists(st.tuples(st.integers(1, 3), states), min_size=1, max_size=12)


@st.composite
def deliveries(draw) -> tuple[list[Answer], list[list[Answer]]]:
    """The answers in order, and the same in batches as they arrive: shuffled, some twice."""
    told = [answer(3_000 * n, number, **state) for n, (number, state) in enumerate(draw(histories))]
    arriving = draw(st.permutations(told + draw(st.lists(st.sampled_from(told), max_size=6))))
    cuts = sorted(draw(st.sets(st.integers(1, len(arriving)), max_size=5)) | {len(arriving)})
    return told, [list(arriving[a:b]) for a, b in zip([0, *cuts], cuts, strict=False)]


def facts() -> list[tuple]:
    return list(AgentSession.objects.order_by("uuid").values_list(*FACTS))


def check_sums() -> None:
    """What was booked is the last total, to the micro-dollar, per kind and session."""
    for session in AgentSession.objects.all():
        booked = CostHour.objects.filter(session=session).aggregate(
            **{k: Sum(f"{k}_microusd") for k in KINDS}
        )
        for kind in KINDS:
            assert (booked[kind] or 0) == (getattr(session, f"{kind}_cost_microusd") or 0)


def fresh_account(slug: str) -> Account:
    AgentSession.objects.all().delete()
    Account.objects.filter(slug=slug).delete()
    return Account.objects.create(slug=slug, name=slug, base_url="http://127.0.0.1:1", api_key="k")


@pytest.mark.both_databases
@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries())
def test_any_order_ends_as_the_right_one(given_answers):
    told, batches = given_answers
    account = fresh_account("in-order")
    for one in told:
        apply_answers(account, [one])
    right = facts()
    check_sums()
    account = fresh_account("as-it-comes")
    for batch in batches:
        apply_answers(account, batch)
    assert facts() == right
    check_sums()
    newest = max(told, key=lambda one: one.read_at)
    assert AgentSession.objects.get(uuid=newest.session.uuid).observed_at <= newest.read_at


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_write_everything_once():
    """Four workers with the same answers, each in an order of its own."""
    account = fresh_account("crowd")
    told = [
        answer(n, number, step_count=n, total_cost_microusd=n * 10, llm_cost_microusd=n)
        for n in range(1, 7)
        for number in range(1, 9)
    ]
    failures: list[BaseException] = []
    start = threading.Barrier(4)

    def work(mine: Sequence[Answer]) -> None:
        try:
            start.wait(10)
            for n in range(0, len(mine), 8):
                apply_answers(account, mine[n : n + 8])
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    orders = [told, told[::-1], told[1::2] + told[::2], told[24:] + told[:24]]
    threads = [threading.Thread(target=work, args=[order]) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    assert AgentSession.objects.count() == 8
    assert set(AgentSession.objects.values_list("step_count", "total_cost_microusd")) == {(6, 60)}
    check_sums()
    assert Snapshot.objects.count() <= len(told)
