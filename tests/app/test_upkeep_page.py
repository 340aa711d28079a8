"""How keeping things small goes, on the settings page and in the metrics."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from sessions_app.models import UpkeepPass
from tests.support.factories import make_account

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def page(client) -> Callable[[], str]:
    make_account()
    client.force_login(User.objects.create_superuser("ada"))
    return lambda: " ".join(client.get("/settings/").content.decode().split())


def make_pass(kind: str = "history", minutes_ago: float = 10, **columns: object) -> UpkeepPass:
    began = timezone.now() - timedelta(minutes=minutes_ago)
    return UpkeepPass.objects.create(kind=kind, **{"started_at": began, "finished_at": began} | columns)


def test_before_the_first_pass(page):
    told = page()
    assert (
        "every change for 7 days, then the last of each five minutes; after 30 days the last of each hour"
        in told
    )
    assert "for 14 days, at most 5,000 MB; the last of each session stays" in told
    assert told.count("not looked through yet") == 2


def test_what_the_last_one_did(page):
    make_pass(looked_at=12_000, deleted=11_000)
    make_pass("pictures", looked_at=90, deleted=30, stored_bytes=3 * 1024**2)
    told = page()
    assert "11,000 gone, 1,000 kept" in told and "30 gone, 60 kept" in told and "3.0 MB" in told
    assert "Overdue" not in told


def test_one_under_way_and_one_that_takes_too_long(page):
    make_pass(finished_at=None, looked_at=500, deleted=400)
    assert "400 gone, 100 kept" in page() and "so far, under way since" in page()
    UpkeepPass.objects.update(started_at=timezone.now() - timedelta(hours=4))
    assert "Overdue" in page()


def test_what_a_person_should_know(page):
    make_pass("pictures", note="Their disk is almost full: no new picture is kept until there is room.")
    assert "Their disk is almost full" in page()


def test_nought_is_for_ever(page, settings):
    settings.HISTORY_FULL_DAYS = settings.PICTURES_DAYS = settings.PICTURES_MAX_MB = 0
    told = page()
    assert "every change, for ever" in told and "at any age; the last of each session stays" in told


def test_the_numbers_for_machines(client):
    make_account()
    make_pass(looked_at=12_000, deleted=11_000)
    make_pass("pictures", minutes_ago=2, stored_bytes=777)
    told = client.get("/metrics").content.decode()
    assert 'watchfloor_upkeep_deleted{kind="history"} 11000.0' in told
    assert 'watchfloor_upkeep_kept{kind="history"} 1000.0' in told
    assert "watchfloor_pictures_bytes 777.0" in told
    age = float(told.split('watchfloor_upkeep_age_seconds{kind="pictures"} ')[1].split()[0])
    assert 100 < age < 1_000
