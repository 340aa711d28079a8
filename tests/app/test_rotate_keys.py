"""A new encryption key: everything is put under it, in batches, whatever happens in between."""

from itertools import islice

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from sessions_app.access import reencrypt
from sessions_app.models import Account, SessionDetail
from sessions_app.models.fields import EncryptedTextField
from tests.support.factories import make_account, make_session

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

OLD, NEW, FOREIGN = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture
def rotated(settings):
    """Written under OLD; from now on NEW is the newest, and OLD still opens."""
    settings.ENCRYPTION_KEYS = [OLD]
    make_account(slug="shop", api_key="bu_of_the_shop", webhook_secret="whsec_of_the_shop")
    for number in range(7):
        session = make_session()
        SessionDetail.objects.create(session=session, live_url=f"https://live.example/{number}")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    return settings


def said(capsys, *args: object, **options: object) -> str:
    call_command("rotate_keys", *args, **options)
    return capsys.readouterr().out


def live_urls() -> list[str]:
    return sorted(SessionDetail.objects.values_list("live_url", flat=True))


URLS = [f"https://live.example/{number}" for number in range(7)]


def test_afterwards_the_former_key_may_be_dropped(rotated, capsys):
    out = said(capsys)
    assert "Account.api_key: 0 fresh, 1 moved, 0 unreadable" in out
    assert "Account.webhook_secret: 0 fresh, 1 moved, 0 unreadable" in out
    assert "SessionDetail.live_url: 0 fresh, 7 moved, 0 unreadable" in out
    rotated.ENCRYPTION_KEYS = [NEW]
    account = Account.objects.get()
    assert (account.api_key, account.webhook_secret) == ("bu_of_the_shop", "whsec_of_the_shop")
    assert live_urls() == URLS


def test_every_encrypted_column_is_covered():
    """By looking, not by a list: a column that somebody adds tomorrow is in, too."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    ours = {str(column) for column in reencrypt.columns()}
    assert {
        "Account.api_key",
        "Account.webhook_secret",
        "SessionDetail.live_url",
        "SessionDetail.recording_urls",
    } <= ours
    for column in reencrypt.columns():
        assert column.model._meta.db_table in tables
        assert isinstance(column.model._meta.get_field(column.name), EncryptedTextField)


def test_a_second_run_finds_nothing_to_do(rotated, capsys):
    said(capsys)
    assert "SessionDetail.live_url: 7 fresh, 0 moved, 0 unreadable" in said(capsys)


def test_broken_off_and_started_again(rotated, capsys):
    """After a batch of three somebody pulled the plug."""
    column = next(one for one in reencrypt.columns() if one.name == "live_url")
    assert list(islice(reencrypt.reencrypt(column, batch=3), 1)) == [reencrypt.Tally(moved=3)]
    assert "SessionDetail.live_url: 3 fresh, 4 moved, 0 unreadable" in said(capsys, batch=3)
    rotated.ENCRYPTION_KEYS = [NEW]
    assert live_urls() == URLS


def test_what_was_written_in_between_stays(rotated, monkeypatch):
    """The poller stores a newer address after the old one was read here."""
    detail = SessionDetail.objects.order_by("pk").first()
    column = next(one for one in reencrypt.columns() if one.name == "live_url")
    (pk, token), *_ = reencrypt._tokens(column, None, 1)
    SessionDetail.objects.filter(pk=detail.pk).update(live_url="https://live.example/newer")
    assert not reencrypt._replace(column, pk, token, "https://live.example/0")
    detail.refresh_from_db()
    assert detail.live_url == "https://live.example/newer"


def test_looking_only(rotated, capsys):
    with pytest.raises(CommandError, match="9 values still need a former key"):
        said(capsys, check=True)
    rotated.ENCRYPTION_KEYS = [OLD]
    assert live_urls() == URLS
    rotated.ENCRYPTION_KEYS = [NEW, OLD]
    said(capsys)
    assert "may be dropped" in said(capsys, check=True)


def test_values_that_no_key_opens_are_told_and_left(rotated, settings, capsys):
    settings.ENCRYPTION_KEYS = [FOREIGN]
    lost = make_account(slug="lost", api_key="bu_lost")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    with pytest.raises(CommandError, match="1 values open with none of ENCRYPTION_KEYS"):
        said(capsys)
    settings.ENCRYPTION_KEYS = [NEW, FOREIGN]
    assert Account.objects.get(pk=lost.pk).api_key == "bu_lost"
    assert live_urls() == URLS, "the others were moved all the same"


def test_queries_go_by_batches(rotated, django_assert_num_queries):
    column = next(one for one in reencrypt.columns() if one.name == "live_url")
    with django_assert_num_queries(3 + 2 * 2 + 7):  # readings, transactions, and one update a row
        list(reencrypt.reencrypt(column, batch=4))


def test_a_batch_of_none(capsys):
    with pytest.raises(CommandError, match="at least 1"):
        said(capsys, batch=0)
