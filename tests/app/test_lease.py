"""Who was killed is waited for by nobody; who lives, or may live, is left alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from sessions_app.models import Account, StopRequest
from sessions_app.models.lease import holder
from sessions_app.polling import hold, schedule
from sessions_app.stopping import claim, work
from sessions_app.stopping.executor import Executor
from sessions_app.stopping.request import request_stop
from sessions_app.types import Strategy
from tests.support.environment import ROOT
from tests.support.factories import make_account
from tests.support.stage import person, staged

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.both_databases,
    pytest.mark.skipif(not holder(), reason="this system has no /proc: leases are waited for here"),
]
SAY_WHO = "import django; django.setup(); from sessions_app.models.lease import holder; print(holder(), flush=True); input()"


@contextmanager
def another_process() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """It, and what it calls itself as a holder."""
    command = [sys.executable, "-c", SAY_WHO]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def held_by(name: str) -> Account:
    """An account that is due, and that somebody has just claimed."""
    account = make_account()
    assert schedule.claim(account, timezone.now())
    Account.objects.update(lease_by=name)
    return account


def test_whoever_claims_an_account_leaves_its_name():
    account = make_account()
    assert schedule.claim(account, timezone.now())
    account.refresh_from_db()
    assert account.lease_by == holder() and len(holder()) <= 120


def test_of_a_killed_worker_the_account_is_free_at_once():
    with another_process() as (worker, name):
        old = held_by(name)
        assert schedule.claim_next(timezone.now()) is None, "it lives"
        worker.kill()
        os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)  # dead, though nobody has asked how
        new = schedule.claim_next(timezone.now())
        assert new and new.pk == old.pk
        assert not schedule.release(old, timezone.now(), failures=9), "the dead hold nothing"
        assert schedule.release(new, timezone.now())


def test_of_a_worker_that_is_quite_gone_too():
    with another_process() as (worker, name):
        worker.kill()
        worker.wait()
    held_by(name)
    assert schedule.claim_next(timezone.now())


def test_a_number_that_another_process_has_by_now_does_not_hide_a_death():
    machine, pid, start = holder().split("/")
    held_by(f"{machine}/{pid}/{int(start) - 1}")
    assert schedule.claim_next(timezone.now())


@pytest.mark.parametrize(
    "name", ["", "another-machine/1/1", "{machine}", "{machine}/x/y", "{machine}/{pid}/{start}"]
)
def test_of_whom_nothing_is_known_the_lease_is_waited_for(name):
    machine, pid, start = holder().split("/")
    held_by(name.format(machine=machine, pid=pid, start=start))
    assert schedule.claim_next(timezone.now()) is None
    assert schedule.claim_next(timezone.now() + schedule.LEASE)


# ---- stops -------------------------------------------------------------------------------------------


@pytest.fixture
def sent_by_the_dead() -> Iterator[tuple]:
    """A stop whose POST arrived, of a sender that was killed before the answer came."""
    with another_process() as (sender, name), staged() as stage:
        session = stage.running_session()
        stop = request_stop(session, Strategy.TASK, person("ana", "operator"), "", timezone.now()).stop
        held = claim.claim(stop.pk, timezone.now())
        StopRequest.objects.update(lease_by=name)
        attempt = work.deliver._begin(held, {})
        assert attempt and work.deliver.post(held, 2).answer
        stage.run(2)
        assert stage.fresh(stop).state == "sending", "the sender lives: nobody else touches it"
        sender.kill()
        sender.wait()
        yield stage, session, stop


def test_a_stop_whose_sender_was_killed_is_gone_on_with_at_once(sent_by_the_dead):
    stage, session, stop = sent_by_the_dead
    stage.run(1)
    assert stage.fresh(stop).state == "unknown"
    stage.run(10, until=stop)
    assert stop.state == "confirmed" and stage.posts(session) == 1
    assert stop.attempts.get().detail.startswith("Whoever sent this was cut off")


def test_the_web_takes_it_up_as_well_without_any_worker(sent_by_the_dead):
    stage, _, stop = sent_by_the_dead
    assert claim.count_due(timezone.now() + timedelta(seconds=1), 9) == 0
    executor = Executor()
    executor._turn()
    for hand in executor._hands:
        hand.join(20)
    assert executor._hands and stage.fresh(stop).state != "sending"


# ---- what is held in Redis -----------------------------------------------------------------------------


def test_a_key_is_held_by_one_and_taken_over_from_the_dead():
    with another_process() as (worker, name):
        hold.client().set("held", name, px=60_000)
        assert not hold.take("held", 60_000), "it lives"
        worker.kill()
        worker.wait()
    assert hold.take("held", 60_000) and not hold.take("held", 60_000)
    hold.give_back("held")
    assert hold.take("held", 60_000)


def test_of_two_who_find_the_same_dead_holder_one_has_it():
    machine, pid, start = holder().split("/")
    dead = f"{machine}/{pid}/{int(start) - 1}"
    for _ in range(20):
        hold.client().set("held", dead, px=60_000)
        with ThreadPoolExecutor(4) as threads:
            assert sum(threads.map(lambda _: hold.take("held", 60_000), range(4))) == 1
