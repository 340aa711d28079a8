"""Budgets: what counts, when they warn, and that each warning is given once in a period."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from sessions_app.costs.budgets import check, choices, standings
from sessions_app.models import AuditEntry, Budget, BudgetWarning
from sessions_app.rules.budgets import due, percentages, period_of
from tests.app.test_costs import person
from tests.support.factories import make_account
from tests.support.spending import spend

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

NOW = datetime(2026, 6, 16, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def make_budget(**columns) -> Budget:
    defaults = {
        "name": "Everything in June", "period": "month", "amount_microusd": 100, "warn_at": [50, 80, 100], "made_at": NOW,
    }  # fmt: skip
    return Budget.objects.create(**defaults | columns)


# ---- periods and percentages ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "first", "after"),
    [
        ("day", date(2026, 6, 16), date(2026, 6, 17)),
        ("week", date(2026, 6, 15), date(2026, 6, 22)),
        ("month", date(2026, 6, 1), date(2026, 7, 1)),
    ],
)
def test_periods(period, first, after):
    assert period_of(period, NOW.date()) == (first, after)
    assert period_of("month", date(2026, 12, 31)) == (date(2026, 12, 1), date(2027, 1, 1))


def test_what_is_due():
    assert due(79, 100, [50, 80, 100], {50}) == []
    assert due(80, 100, [50, 80, 100], {50}) == [80]
    assert due(1_000, 100, [50, 80, 100], set()) == [50, 80, 100]


@pytest.mark.parametrize(("text", "found"), [("80, 50 %", [50, 80]), ("100", [100]), ("5;5 5%", [5])])
def test_percentages_as_people_type_them(text, found):
    assert percentages(text) == found


@pytest.mark.parametrize(
    "text", ["", "  ", "0", "-5", "half", "1001", "99999999999", "1 2 3 4 5 6 7 8 9 10 11", "٥"]
)
def test_percentages_that_are_none(text):
    with pytest.raises(ValueError, match="50, 80, 100"):
        percentages(text)


# ---- what counts ---------------------------------------------------------------------------------------


def test_only_this_period_and_only_what_it_is_for():
    spend([(NOW - 20 * DAY, 1_000)], model="a")  # in May
    spend([(NOW - 2 * DAY, 60)], model="a")
    spend([(NOW - 1 * DAY, 5)], model="b")
    all_, one = make_budget(name="all"), make_budget(name="one", facet="model", value="b")
    found = {standing.budget: standing for standing in standings(NOW)}
    assert (found[all_].spent, found[one].spent) == (65, 5)
    assert found[all_].what == "everything" and found[one].what == "model b"
    assert (found[all_].first_day, found[all_].percent) == (date(2026, 6, 1), 65)


def test_days_are_those_of_its_zone():
    spend([(datetime(2026, 5, 31, 23, tzinfo=UTC), 7)])  # June already in Berlin
    assert [one.spent for one in standings(NOW)] == []
    make_budget(name="berlin", zone="Europe/Berlin")
    make_budget(name="utc")
    assert [one.spent for one in standings(NOW)] == [7, 0]


def test_without_a_profile_is_something_too():
    spend([(NOW, 9)])
    make_budget(facet="profile", value="none")
    (standing,) = standings(NOW)
    assert standing.spent == 9 and standing.what == "profile Without a profile"


def test_where_it_ends_at_this_pace():
    spend([(NOW - DAY, 31)])
    make_budget(amount_microusd=50)
    (standing,) = standings(NOW)
    assert standing.expected == round(31 * 30 / 15.5) and standing.look == "is-warn"
    (early,) = standings(datetime(2026, 6, 2, tzinfo=UTC))
    assert early.expected is None


# ---- warnings ------------------------------------------------------------------------------------------


def test_each_percentage_warns_once_in_a_period(caplog):
    make_budget()
    assert check(NOW) == []
    spend([(NOW, 85)])
    assert [warning.percent for warning in check(NOW)] == [50, 80]
    assert BudgetWarning.objects.latest("pk").spent_microusd == 85
    assert check(NOW) == [] and "80 % reached" in caplog.text
    spend([(NOW, 20)])
    assert [warning.percent for warning in check(NOW)] == [100]
    july = datetime(2026, 7, 5, tzinfo=UTC)
    assert check(july) == []
    spend([(july, 50)])
    assert [warning.percent for warning in check(july)] == [50]


# ---- the pages -----------------------------------------------------------------------------------------


@pytest.fixture
def ada(client):
    client.force_login(person("ada", "admin"))
    return client


FORM = {"name": "Marketing", "what": "", "period": "month", "amount": "12.5", "warn_at": "50, 100"}


def test_a_budget_is_made_changed_and_deleted(ada):
    spend([(timezone.now(), 7_000_000)], model="bu-max")
    assert ada.post("/costs/budgets/add/", FORM | {"what": "model:bu-max"}).status_code == 302
    budget = Budget.objects.get()
    assert (budget.amount_microusd, budget.facet, budget.value) == (12_500_000, "model", "bu-max")
    page = ada.get("/costs/").content.decode()
    assert "Marketing" in page and "$7.00" in page and "50 % reached" in page
    address = f"/costs/budgets/{budget.pk}/"
    assert 'value="12.5"' in ada.get(address).content.decode()
    assert ada.post(address, FORM | {"amount": "7"}).status_code == 302
    assert "Used up" in ada.get("/costs/").content.decode()
    assert ada.post(f"{address}delete/").status_code == 302 and not Budget.objects.exists()
    acts = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(acts) == ["budget.added", "budget.changed", "budget.deleted"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "Give it a name"),
        ({"amount": "0"}, "greater than or equal to 0.01"),
        ({"amount": "NaN"}, "Enter a number"),
        ({"warn_at": "soon"}, "for example 50, 80, 100"),
        ({"what": "model:nobody-has-this"}, "not one of the available choices"),
        ({"period": "year"}, "not one of the available choices"),
    ],
)
def test_what_is_wrong_is_said(ada, wrong, words):
    answer = ada.post("/costs/budgets/add/", FORM | wrong)
    assert answer.status_code == 422 and words in answer.content.decode() and not Budget.objects.exists()


def test_who_may_not_change_settings_sees_them_only(client):
    client.force_login(person("lena", "lead"))
    spend([(timezone.now(), 1)])
    budget = make_budget(name="<b>June</b>")
    page = client.get("/costs/").content.decode()
    assert "&lt;b&gt;June" in page and "/costs/budgets/" not in page
    for path in ("add/", f"{budget.pk}/"):
        assert client.get(f"/costs/budgets/{path}").status_code == 403
    assert client.post(f"/costs/budgets/{budget.pk}/delete/").status_code == 403 and Budget.objects.exists()


def test_a_budget_can_be_for_what_sessions_have_now():
    account = make_account(name="Acme")
    uuid = spend([(NOW, 5)], account=account, model="old", proxy_country="de").uuid
    assert {"model:old", "country:de", f"account:{account.pk}"} <= {value for value, _ in choices()}
    spend([(timezone.now(), 6)], account=account, uuid=uuid, model="new", profile_id=UUID(int=7))
    assert choices() == [
        ("", "Everything"),
        ("model:new", "model: new"),
        (f"profile:{UUID(int=7)}", "profile: 00000000…"),
        (f"account:{account.pk}", "account: Acme"),
    ]
