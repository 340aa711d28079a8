"""Accounts in the settings page: Max manages them; others may not; keys are tried first and never shown."""

import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connection
from django.utils import timezone

from sessions_app.access import audit, first_run, key_check
from sessions_app.models import Account, AuditEntry
from sessions_app.queries import pulse
from sessions_app.simulator.testing import running_simulator
from tests.support.factories import make_account, make_session
from tests.support.foreign import KEY, running_foreign_server

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

PASSWORD = "correct-horse-battery"


def person(name: str, role: str, password: str | None = PASSWORD) -> User:
    user = User.objects.create_user(name, password=password)
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings):
    """As on a floor that watches a simulator."""
    settings.UPSTREAM_IS_LOOPBACK = True


@pytest.fixture
def max_(client):
    client.force_login(person("max", "admin"))
    return client


@pytest.fixture(scope="module")
def sim():
    with running_simulator(sessions=3, key="bu_shop_key_number_one", seed=11) as running:
        yield running


@pytest.fixture
def account(sim):
    return make_account(slug="shop", name="Shop", base_url=sim.base_url, api_key=sim.key)


@pytest.fixture
def silent_address() -> Iterator[str]:
    """Somebody who takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v3"


def sent(client, path: str, **fields: str) -> str:
    """What the page says after the form was sent."""
    return client.post(f"/settings/accounts/{path}", fields, follow=True).content.decode()


def new(sim, **fields: str) -> dict[str, str]:
    return {"name": "Shop", "api_key": sim.key, "base_url": sim.base_url} | fields


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


# ---- who may ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["viewer", "operator", "support", "lead"])
@pytest.mark.parametrize("path", ["add/", "shop/", "shop/key/", "shop/webhook/", "shop/pause/", "shop/test/"])
def test_accounts_are_for_who_may_manage(client, account, role, path):
    client.force_login(person("vera", role))
    assert client.get(f"/settings/accounts/{path}").status_code == 403
    assert client.post(f"/settings/accounts/{path}", {"api_key": "x" * 20}).status_code == 403
    account.refresh_from_db()
    assert account.is_active
    assert actions() == []


def test_nobody_of_that_name(max_):
    assert max_.get("/settings/accounts/nobody/").status_code == 404
    assert max_.post("/settings/accounts/nobody/pause/").status_code == 404


def test_who_had_to_sign_in_again_lands_on_the_page(max_, account):
    """The address of a button, opened: after the sign-in form that came in between."""
    assert max_.get("/settings/accounts/shop/pause/")["Location"] == "/settings/accounts/shop/"
    account.refresh_from_db()
    assert account.is_active


# ---- adding ----------------------------------------------------------------------------------------


def test_an_account_is_added_and_says_what_its_key_sees(max_, sim):
    html = sent(max_, "add/", **new(sim))
    account = Account.objects.get()
    assert (account.slug, account.name, account.base_url, account.api_key) == (
        "shop",
        "Shop",
        sim.base_url,
        sim.key,
    )
    assert account.is_active and account.next_sweep_at is None and account.project_id and account.key_set_at
    assert "This key sees project “Simulated project”, balance $" in html
    assert "sessions." in html and "Reading begins now" in html
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_name) == ("account.added", "max")
    assert sim.key not in str(entry.detail)


def test_the_key_rests_encrypted_and_is_shown_by_its_end_only(max_, sim):
    html = sent(max_, "add/", **new(sim))
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_key FROM sessions_app_account")
        (stored,) = cursor.fetchone()
    assert sim.key not in stored
    assert sim.key not in html
    assert f"…{sim.key[-4:]}" in html


def test_only_trying_stores_nothing(max_, sim):
    html = sent(max_, "add/", **new(sim, only="test"))
    assert "This key sees project" in html and "Nothing is stored yet" in html
    assert 'value="Shop"' in html and sim.key not in html
    assert not Account.objects.exists()


def test_trying_by_htmx_answers_with_the_words_alone(max_, sim):
    answer = max_.post("/settings/accounts/add/", new(sim, only="test"), headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert b"<html" not in answer.content and b"This key sees project" in answer.content
    refused = max_.post(
        "/settings/accounts/add/", new(sim, api_key="bu_wrong_key"), headers={"HX-Request": "true"}
    )
    assert b"does not accept the API key (401)" in refused.content


def test_a_refused_key_says_what_to_do_and_loses_nothing_else(max_, sim):
    answer = max_.post("/settings/accounts/add/", new(sim, name="Shop & Co", api_key="bu_another_key"))
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "does not accept the API key (401)" in html and "Make a key in the project’s settings" in html
    assert 'value="Shop &amp; Co"' in html and sim.base_url in html
    assert "bu_another_key" not in html
    assert not Account.objects.exists()


def test_402_says_what_to_do(max_, sim):
    sim.faults.set({"kind": "status", "status": 402})
    try:
        html = sent(max_, "add/", **new(sim))
    finally:
        sim.faults.clear()
    assert "wants payment (402)" in html and "Add credits" in html


def test_a_vendor_that_hangs_is_given_up_in_time(max_, sim, silent_address):
    html = sent(max_, "add/", **new(sim, base_url=silent_address))
    assert "did not answer within 10 s" in html and "can this machine reach it?" in html
    assert not Account.objects.exists()


def test_an_address_where_nobody_is(max_, sim):
    html = sent(max_, "add/", **new(sim, base_url="http://127.0.0.1:9/api/v3"))
    assert "could not be reached" in html and "nothing was changed" in html


@pytest.mark.parametrize(
    "address",
    [
        "", "nonsense", "ftp://api.example/v3", "http://api.example/v3", "https://user:pw@api.example/v3",
        "https://api.example/v3?x=1", "https://evil.example\\@api.browser-use.com/", "https://127.1/v3", "//x/y",
        "javascript:alert(1)",
    ],
)  # fmt: skip
def test_an_address_that_cannot_be(max_, sim, address):
    answer = max_.post("/settings/accounts/add/", new(sim, base_url=address))
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "api.browser-use.com/api/v3" in html or "must begin with https://" in html
    assert '<details class="account-more" open>' in html
    assert not Account.objects.exists()


def test_this_machines_own_address_only_beside_a_simulator(max_, sim, settings):
    settings.UPSTREAM_IS_LOOPBACK = False
    assert "only where a simulator is watched" in sent(max_, "add/", **new(sim))


@pytest.mark.parametrize("key", ["", "short", "with blank inside", "bu_ключ_чужой", "bu_key\r\nX-Evil: 1"])
def test_a_key_that_is_none(max_, sim, key):
    answer = max_.post("/settings/accounts/add/", new(sim, api_key=key))
    assert answer.status_code == 422
    assert not Account.objects.exists()


def test_the_key_of_another_account(max_, sim, account):
    html = sent(max_, "add/", **new(sim, name="Again"))
    assert "The account “Shop” has this key already" in html
    assert Account.objects.count() == 1


def test_another_key_of_the_same_project(max_, sim, account):
    """Sessions would belong to two accounts."""
    Account.objects.update(api_key="the first key of it", project_id=_project(sim))
    html = sent(max_, "add/", **new(sim, name="Again"))
    assert "which is on the floor as “Shop” already" in html
    assert Account.objects.count() == 1


def _project(sim) -> str:
    return key_check.look(sim.base_url, sim.key).project_id


def test_the_name_of_another_account(max_, sim):
    make_account(name="shop")
    assert "Another account is called so" in sent(max_, "add/", **new(sim))


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Shop", "shop-2"), ("日本", "account"), ("Add", "account-add"), ("Simulator", "account-simulator"),
     ("env-x", "account-env-x"), ("<b>", "b")],
)  # fmt: skip
def test_every_account_has_an_address_of_its_own(max_, sim, name, slug):
    make_account(slug="shop", name="The first")
    sent(max_, "add/", **new(sim, name=name))
    assert Account.objects.get(name=name).slug == slug
    assert max_.get(f"/settings/accounts/{slug}/").status_code == 200


def test_a_server_that_knows_nothing_but_sessions(max_):
    """No billing there: the key is good all the same."""
    with running_foreign_server() as foreign:
        foreign.add("one")
        html = sent(max_, "add/", name="Foreign", api_key=KEY, base_url=foreign.base_url)
    assert "This key sees its project, 1 session." in html
    assert Account.objects.get().project_id == ""


# ---- a new key -------------------------------------------------------------------------------------


def test_a_new_key_is_tried_and_then_in_use(max_, sim, account):
    Account.objects.update(api_key="bu_the_former_key", failing_since=timezone.now(), failures=3, error="401")
    html = sent(max_, "shop/key/", api_key=sim.key)
    account.refresh_from_db()
    assert "The new key is in use" in html and "Revoke the old one" in html
    assert account.api_key == sim.key
    assert account.failing_since is None and account.next_sweep_at is None
    assert actions() == ["key.rotated"]
    assert audit.verify().bad is None


def test_a_key_that_is_refused_leaves_the_old_one(max_, sim, account):
    html = sent(max_, "shop/key/", api_key="bu_refused_by_the_vendor")
    account.refresh_from_db()
    assert account.api_key == sim.key
    assert "does not accept the API key (401)" in html and "bu_refused" not in html
    assert actions() == []


def test_the_key_of_another_project_is_not_a_rotation(max_, sim, account):
    Account.objects.update(api_key="bu_the_former_key", project_id="another", project_name="Warehouse")
    html = sent(max_, "shop/key/", api_key=sim.key)
    assert "opens another project (“Simulated project”), not Warehouse" in html
    assert Account.objects.get().api_key == "bu_the_former_key"


def test_the_same_key_again(max_, sim, account):
    assert "in use already" in sent(max_, "shop/key/", api_key=sim.key)
    assert actions() == []


# ---- who are you -----------------------------------------------------------------------------------


@pytest.fixture
def signed_in_long_ago(max_):
    session = max_.session
    session["proved_at"] -= 16 * 60
    session.save()
    return max_


def test_after_a_while_the_password_is_asked_for(signed_in_long_ago, sim, account):
    max_ = signed_in_long_ago
    Account.objects.update(api_key="bu_the_former_key")
    assert "Your password" in max_.get("/settings/accounts/shop/").content.decode()
    assert "Say your password" in sent(max_, "shop/key/", api_key=sim.key)
    assert "That is not your password" in sent(max_, "shop/key/", api_key=sim.key, password="guessed")
    assert Account.objects.get().api_key == "bu_the_former_key"
    sent(max_, "shop/key/", api_key=sim.key, password=PASSWORD)
    assert Account.objects.get().api_key == sim.key
    assert "Your password" not in max_.get("/settings/accounts/shop/").content.decode()


def test_guessing_is_limited(signed_in_long_ago, sim):
    for _ in range(5):
        sent(signed_in_long_ago, "add/", **new(sim, password="guessed"))
    assert "Too many wrong passwords" in sent(signed_in_long_ago, "add/", **new(sim, password=PASSWORD))
    assert not Account.objects.exists()


def test_who_came_by_a_link_long_ago_sets_a_password_first(client, sim):
    client.force_login(person("max", "admin", password=None))
    session = client.session
    session["proved_at"] = 0
    session.save()
    assert "You have no password yet" in sent(client, "add/", **new(sim, password="x"))


# ---- pause, resume, test, rename -------------------------------------------------------------------


def test_pausing_lasts_and_resuming_reads_at_once(max_, account):
    session = make_session(account=account, title="Compare offers")
    assert "is paused" in sent(max_, "shop/pause/")
    account.refresh_from_db()
    assert not account.is_active and account.paused_at
    assert str(session.uuid) not in max_.get("/").content.decode()
    html = max_.get("/settings/").content.decode()
    assert 'data-state="paused"' in html
    sent(max_, "shop/pause/")  # twice is once
    assert "is read again" in sent(max_, "shop/resume/")
    account.refresh_from_db()
    assert account.is_active and account.paused_at is None and account.next_sweep_at is None
    assert actions() == ["account.paused", "account.resumed"]


def test_an_account_whose_key_left_the_environment_is_not_resumed(max_):
    make_account(slug="env-1", is_active=False)
    sent(max_, "env-1/resume/")
    assert not Account.objects.get().is_active


def test_testing_a_stored_key(max_, sim, account):
    Account.objects.update(next_sweep_at=timezone.now() + timedelta(minutes=2))
    assert "This key sees project “Simulated project”" in sent(max_, "shop/test/")
    assert Account.objects.get().next_sweep_at is None
    Account.objects.update(api_key="bu_revoked_by_somebody")
    assert "does not accept the API key (401)" in sent(max_, "shop/test/")
    assert actions() == ["account.tested"]


def test_renaming_keeps_the_address_of_the_webhook(max_, account):
    sent(max_, "shop/name/", name="Warehouse")
    account.refresh_from_db()
    assert (account.name, account.slug) == ("Warehouse", "shop")
    assert actions() == ["account.renamed"]


def test_a_name_that_is_taken_is_said_beside_the_field(max_, account):
    make_account(name="Warehouse")
    answer = max_.post("/settings/accounts/shop/name/", {"name": "Warehouse"})
    assert answer.status_code == 422
    assert "Another account is called so" in answer.content.decode()


# ---- webhooks --------------------------------------------------------------------------------------


def test_a_secret_is_stored_encrypted_and_never_shown(max_, account):
    html = sent(max_, "shop/webhook/", secret="whsec_very_secret")
    account.refresh_from_db()
    assert account.webhook_secret == "whsec_very_secret"
    assert "whsec_very_secret" not in html
    assert "http://testserver/webhooks/browser-use/shop/" in html
    with connection.cursor() as cursor:
        cursor.execute("SELECT webhook_secret FROM sessions_app_account")
        assert "whsec" not in cursor.fetchone()[0]
    assert actions() == ["webhook_secret.changed"]


def test_a_secret_is_taken_away(max_, account):
    Account.objects.update(webhook_secret="whsec_very_secret")
    assert "no longer believed" in sent(max_, "shop/webhook/", remove="yes")
    assert Account.objects.get().webhook_secret == ""
    assert actions() == ["webhook_secret.removed"]


@pytest.mark.parametrize("secret", ["", "short"])
def test_a_secret_that_is_none(max_, account, secret):
    assert max_.post("/settings/accounts/shop/webhook/", {"secret": secret}).status_code == 422
    assert Account.objects.get().webhook_secret == ""


def test_the_page_says_when_one_came_and_why_one_was_refused(max_, account):
    Account.objects.update(
        webhook_secret="whsec_very_secret", webhook_at=timezone.now(), webhook_kind="<b>test",
        webhook_refused_at=timezone.now(), webhook_refusal="The signature does not match.",
    )  # fmt: skip
    html = max_.get("/settings/accounts/shop/").content.decode()
    assert "&lt;b&gt;test" in html and "The signature does not match." in html


# ---- what the page tells ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("unauthorized", "Give it another key"), ("payment_required", "Add credits, or raise"),
        ("timed_out", "tried again by itself"), ("rate_limited", "as soon as Browser Use allows"),
    ],
)  # fmt: skip
def test_an_account_that_fails_says_what_to_do(max_, account, kind, words):
    long_ago = timezone.now() - timedelta(minutes=1)
    Account.objects.update(
        failing_since=long_ago, last_read_at=long_ago, failures=2, error_kind=kind, error="It is so."
    )
    assert words in max_.get("/settings/").content.decode()


def test_a_key_that_no_encryption_key_opens(max_, account):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sessions_app_account SET api_key = 'gAAAA'")
    assert "Its key cannot be opened" in max_.get("/settings/").content.decode()


def test_two_accounts_of_one_project_are_told(max_):
    make_account(name="One", project_id="p")
    make_account(name="Two", project_id="p")
    assert "“Two” reads the same project." in max_.get("/settings/").content.decode()


def test_an_import_shows_how_far_it_is(max_, account):
    Account.objects.update(reconcile_page=35, sessions_upstream=100_000)
    assert "34 of 1,000 pages" in max_.get("/settings/").content.decode()


# ---- the environment's account ---------------------------------------------------------------------


@pytest.fixture
def environment(settings):
    settings.SIMULATOR = False
    settings.BROWSER_USE_BASE_URL = "https://api.example/v3"
    settings.BROWSER_USE_API_KEY = "bu_of_the_environment"
    return settings


def test_the_environments_key_is_set_there(max_, environment):
    account = first_run.ensure_account()
    html = max_.get(f"/settings/accounts/{account.slug}/").content.decode()
    assert "BROWSER_USE_API_KEY" in html and 'name="api_key"' not in html
    assert "is changed there" in sent(max_, f"{account.slug}/key/", api_key="bu_another_key_here")
    assert Account.objects.get().api_key == "bu_of_the_environment"


def test_a_start_leaves_accounts_of_the_page_alone(environment):
    made = make_account(slug="shop")
    former = make_account(slug="env-former")
    account = first_run.ensure_account()
    for one in (made, former, account):
        one.refresh_from_db()
    assert (account.is_active, made.is_active, former.is_active) == (True, True, False)


def test_a_pause_outlasts_a_start(max_, environment):
    account = first_run.ensure_account()
    sent(max_, f"{account.slug}/pause/")
    assert not first_run.ensure_account().is_active
    sent(max_, f"{account.slug}/resume/")
    assert first_run.ensure_account().is_active


def test_a_new_key_of_the_environment_is_in_the_audit(environment):
    first_run.ensure_account()
    first_run.ensure_account()
    environment.BROWSER_USE_API_KEY = "bu_the_next_key"
    assert first_run.ensure_account().api_key == "bu_the_next_key"
    assert actions() == ["key.rotated"]


def test_the_environment_with_the_key_of_an_account_of_the_page(environment):
    made = make_account(slug="shop", api_key="bu_of_the_environment", base_url="https://api.example/v3")
    assert not first_run.ensure_account().is_active
    made.refresh_from_db()
    assert made.is_active


def test_without_a_key_nothing_is_made_and_nobody_rests(settings):
    settings.BROWSER_USE_API_KEY = ""
    made = make_account(slug="shop")
    first_run.prepare("http://127.0.0.1:8000")
    made.refresh_from_db()
    assert made.is_active and Account.objects.count() == 1


# ---- simulated and real side by side ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        ([{"is_simulator": True}], "Simulated sessions: no key is set."),
        ([{"is_simulator": True}, {}], "Some sessions are simulated."),
        ([{"is_simulator": True, "is_active": False}, {}], None),
    ],
)
def test_the_page_says_what_is_simulated(max_, settings, accounts, words):
    settings.SIMULATOR = True
    for columns in accounts:
        make_account(**columns)
    html = max_.get("/stops/").content.decode()
    assert words in html if words else "imulated" not in html


def test_many_accounts_are_told_in_brief(max_):
    for _ in range(4):
        make_account()
    html = max_.get("/settings/").content.decode()
    assert html.count('<ul class="brief">') == 4 and "Concurrent browsers" not in html


def test_a_row_and_its_accounts_reading_share_a_mark(max_):
    """By it the style greys out the rows of the account that cannot be read, and no others."""
    well, ill = make_account(name="Well"), make_account(name="Ill", failing_since=timezone.now(), error="401")
    slots = {one.pk: f'data-slot="{one.pk % 12}"' for one in (well, ill)}
    session = make_session(account=ill)
    html = max_.get("/").content.decode()
    reading = html.split('class="reading" data-state="failing"')[1].split(">")[0]
    row = html.split(f'id="s-{session.uuid}"')[1].split(">")[0]
    assert slots[ill.pk] in reading and slots[ill.pk] in row
    assert slots[well.pk] not in row


def test_every_mark_has_its_rule():
    css = (settings.BASE_DIR / "static" / "css" / "floor.css").read_text(encoding="utf-8")
    assert all(f'.row[data-slot="{number}"]' in css for number in range(pulse.SLOTS))


def test_live_rows_carry_the_new_name(max_, account):
    session = make_session(account=account)
    max_.get("/")
    sent(max_, "shop/name/", name="Warehouse of the north")
    row = max_.get("/").content.decode().split(f'id="s-{session.uuid}"')[1].split("</li>")[0]
    assert "Warehouse of the north" in row


@pytest.mark.parametrize(("failing", "banners"), [(1, 1), (2, 2), (5, 1)])
def test_many_accounts_that_fail_do_not_cover_the_floor(max_, failing, banners):
    for number in range(failing):
        make_account(name=f"Ill {number}", failing_since=timezone.now(), error="It is so.")
    html = max_.get("/stops/").content.decode()
    assert html.count('<p class="banner banner-bad"') == banners
    assert all(f"Ill {number}" in html for number in range(failing))


def test_a_paused_account_is_said_on_every_page(max_, account):
    sent(max_, "shop/pause/")
    html = max_.get("/").content.decode()
    assert 'data-empty="paused"' in html and "Every account is paused" in html
    assert '<span class="reading-name">Shop</span> paused' in html
    make_account(name="Another")
    html = max_.get("/stops/").content.decode()
    assert '<span class="reading-name">Shop</span> paused' in html


def test_a_simulator_that_was_put_away_is_no_news(max_):
    make_account(name="Simulator", is_simulator=True, is_active=False, paused_at=timezone.now())
    make_account(name="Ours")
    assert "paused" not in max_.get("/stops/").content.decode()


def test_a_session_of_a_paused_account_says_that_it_is_old(max_, account):
    session = make_session(account=account)
    address = f"/sessions/{session.uuid}/"
    assert "is not watched" not in max_.get(address).content.decode()
    sent(max_, "shop/pause/")
    assert "Its account, Shop, is not watched: it is paused." in max_.get(address).content.decode()


def test_the_strip_has_room_for_five_accounts_and_names_the_worst(max_):
    for number in range(7):
        make_account(name=f"Account {number}")
    make_account(name="Zzz", failing_since=timezone.now(), error="It is so.")
    html = max_.get("/stops/").content.decode()
    strip = html.split('class="readings"')[1].split("</ul>")[0]
    assert strip.count(" hidden") == 3 and "and 3 more" in strip
    assert strip.index("Zzz") < strip.index("Account 0")


@pytest.mark.parametrize(("due_in_s", "words"), [(90, "Next try"), (-5, "It is being tried just now.")])
def test_when_a_failing_account_is_tried_again(max_, due_in_s, words):
    now = timezone.now()
    make_account(failing_since=now, error="It is so.", next_sweep_at=now + timedelta(seconds=due_in_s))
    assert words in max_.get("/settings/").content.decode()
