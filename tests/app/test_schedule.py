"""Whose turn it is: one claim per account, however many ask."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from sessions_app.models import Account
from sessions_app.polling import schedule, turns

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def make(slug: str, **columns) -> Account:
    return Account.objects.create(slug=slug, name=slug, base_url="http://127.0.0.1:1", api_key="k", **columns)


def test_the_longest_waiting_first_and_each_once():
    now = timezone.now()
    make("later", next_sweep_at=now - timedelta(seconds=1))
    make("earlier", next_sweep_at=now - timedelta(seconds=9))
    make("never-read")
    make("not-due", next_sweep_at=now + timedelta(seconds=9))
    make("resting", is_active=False)
    taken = [schedule.claim_next(now) for _ in range(4)]
    assert [account.slug for account in taken[:3]] == ["never-read", "earlier", "later"] and taken[3] is None


def test_a_lease_that_lapsed_is_free_again_and_its_old_holder_knows():
    now = timezone.now()
    make("a")
    old = schedule.claim_next(now)
    assert schedule.claim_next(now + schedule.LEASE / 2) is None
    new = schedule.claim_next(now + schedule.LEASE)
    assert new is not None
    assert not schedule.release(old, now, failures=9)
    with pytest.raises(schedule.LeaseLost):
        schedule.note(old, failures=9)
    assert schedule.release(new, now, failures=1)
    assert Account.objects.get().failures == 1 and Account.objects.get().lease_until is None


def test_a_long_sweep_extends_its_lease_as_it_goes():
    make("a")
    account = schedule.claim_next(timezone.now() - schedule.LEASE + timedelta(seconds=1))
    before = account.lease_until
    schedule.extend(account)
    assert account.lease_until > before + timedelta(seconds=0.9)
    assert Account.objects.get().lease_until == account.lease_until


def test_a_fresh_lease_costs_nothing_to_extend(django_assert_num_queries):
    make("a")
    account = schedule.claim_next(timezone.now())
    with django_assert_num_queries(0):
        schedule.extend(account)


def test_many_workers_one_claim_each():
    for number in range(6):
        make(f"a{number}")
    won: list[str] = []
    failures: list[BaseException] = []
    start = threading.Barrier(6)

    def work() -> None:
        try:
            start.wait(10)
            while account := schedule.claim_next(timezone.now()):
                won.append(account.slug)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures and len(won) == len(set(won))
    while account := schedule.claim_next(timezone.now()):
        won.append(account.slug)
    assert sorted(won) == [f"a{number}" for number in range(6)]


def test_an_answer_that_takes_longer_than_a_lease_does_not_lose_the_account(monkeypatch):
    monkeypatch.setattr(schedule, "LEASE", timedelta(seconds=0.6))
    monkeypatch.setattr(schedule, "EXTEND_BELOW", timedelta(seconds=0.45))
    make("slow")
    released: list[bool] = []

    def sweep(account: Account) -> bool:
        time.sleep(1.5)
        released.append(schedule.release(account, timezone.now() + timedelta(minutes=1)))
        return True

    monkeypatch.setattr(turns, "sweep", sweep)
    assert turns.sweep_due_accounts() == 1
    assert released == [True]
