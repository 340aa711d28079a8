"""What somebody knows of calls nobody: until it is over, grows more urgent, or the snooze has ended."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from sessions_app.models import AgentSession, AuditEntry
from sessions_app.polling import attention
from sessions_app.polling.ingest import apply_answers
from sessions_app.queries import pulse, rows
from tests.support.answers import answer, at
from tests.support.factories import make_account, make_session

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

HTMX = {"HX-Request": "true"}
MINUTES = 60


@pytest.fixture(autouse=True)
def _nothing_kept():
    rows.forget()


def person(name: str, role: str) -> Client:
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def sam() -> Client:
    return person("sam", "support")


def stalled(**fields) -> AgentSession:
    since = (timezone.now() - timedelta(minutes=7)).isoformat()
    usual = {"attention": [{"code": "stalled", "since": since}], "attention_rank": 30}
    return make_session(**(usual | fields))


def address(session: AgentSession) -> str:
    return f"/sessions/{session.uuid}/attention/"


def stored(session: AgentSession) -> AgentSession:
    return AgentSession.objects.get(pk=session.pk)


def actions() -> list[str]:
    return list(
        AuditEntry.objects.filter(action__startswith="attention.")
        .order_by("pk")
        .values_list("action", flat=True)
    )


# ---- what it comes to ------------------------------------------------------------------------------


def test_it_leaves_the_queue_and_the_count_and_is_not_forgotten(sam):
    session = stalled(title="Compare offers")
    assert pulse.take().attention == 1
    assert sam.post(address(session), headers=HTMX).status_code == 204
    found = stored(session)
    assert (found.attention_rank, found.attention_quiet) == (0, 1) and found.version == session.version + 1
    assert pulse.take().attention == 0
    html = sam.get("/attention/").content.decode()
    assert f'data-session-id="{session.uuid}"' not in html
    assert "Nobody is needed" in html and "All is well" not in html
    assert "Compare offers" in html and "Acknowledged by sam" in html
    assert "Compare offers" in sam.get("/attention/?part=quiet").content.decode()
    assert actions() == ["attention.acknowledged"]
    assert AuditEntry.objects.get().detail == {"reasons": ["stalled"]}


def test_rows_and_pages_say_who_knows_of_it(sam):
    session = stalled()
    before = sam.get("/?view=list").content.decode()
    assert "flag is-quiet" not in before and "data-acknowledge" in before
    sam.post(address(session), {"for": "60"}, headers=HTMX)
    for path in ("/?view=list", f"/sessions/{session.uuid}/"):
        html = sam.get(path).content.decode()
        assert "Snoozed by sam until" in html and "flag is-quiet" in html, path
    assert "snoozed what it needs attention for" in html
    assert "data-quiet" in sam.get("/").content.decode()


def test_taking_it_back(sam):
    session = stalled()
    sam.post(address(session), headers=HTMX)
    assert sam.post(address(session), {"for": "wake"}, headers=HTMX).status_code == 204
    found = stored(session)
    assert found.attention_rank == 30 and found.attention_quiet == 0
    assert found.attention == session.attention
    assert actions() == ["attention.acknowledged", "attention.woken"]


# ---- for how long ----------------------------------------------------------------------------------


def known(account, seconds: float, until: datetime | None = None) -> AgentSession:
    """Stalled, and acknowledged at that moment."""
    apply_answers(account, [answer(0, max_cost_microusd=100)])
    attention.refresh(account, at(130))
    session = AgentSession.objects.get()
    attention.acknowledge(session.pk, "sam", at(seconds), until)
    return session


def test_it_stays_quiet_while_the_same_trouble_lasts():
    account = make_account()
    session = known(account, 140)
    before = stored(session)
    assert attention.refresh(account, at(600)) == []
    apply_answers(account, [answer(610, max_cost_microusd=100, title="Another name")])
    attention.refresh(account, at(611))
    after = stored(session)
    assert after.attention == before.attention and after.attention_rank == 0


def test_once_it_is_over_the_next_time_calls_again():
    account = make_account()
    session = known(account, 140)
    apply_answers(account, [answer(200, max_cost_microusd=100, step_count=1)])
    attention.refresh(account, at(201))
    assert stored(session).attention == [] and stored(session).attention_quiet == 0
    attention.refresh(account, at(400))
    found = stored(session)
    assert found.attention_rank == 30 and found.attention_quiet == 0


def test_a_new_reason_calls_and_stands_first():
    account = make_account()
    session = known(account, 140)
    attention.refresh(account, at(150))
    AgentSession.objects.update(unread_since=at(150))
    attention.refresh(account, at(190))
    found = stored(session)
    assert [entry["code"] for entry in found.attention] == ["unread", "stalled"]
    assert (found.attention_rank, found.attention_quiet) == (20, 1)


def test_what_grows_more_urgent_calls_again():
    account = make_account()
    apply_answers(account, [answer(0, max_cost_microusd=100, total_cost_microusd=85)])
    attention.refresh(account, at(1))
    session = AgentSession.objects.get()
    attention.acknowledge(session.pk, "sam", at(2))
    apply_answers(account, [answer(3, step_count=1, max_cost_microusd=100, total_cost_microusd=90)])
    attention.refresh(account, at(4))
    assert stored(session).attention_rank == 0
    apply_answers(account, [answer(5, step_count=2, max_cost_microusd=100, total_cost_microusd=96)])
    attention.refresh(account, at(6))
    assert stored(session).attention_rank == 70 and stored(session).attention_quiet == 0


def test_a_snooze_ends():
    account = make_account()
    session = known(account, 140, until=at(140 + 15 * MINUTES))
    attention.refresh(account, at(140 + 15 * MINUTES - 1))
    assert stored(session).attention_rank == 0
    assert attention.refresh(account, at(140 + 15 * MINUTES)) == [session.pk]
    found = stored(session)
    assert found.attention_rank == 30 and found.attention[0]["since"] == at(0).isoformat()


def test_the_end_of_a_session_ends_it_too():
    account = make_account()
    session = known(account, 140)
    apply_answers(account, [answer(200, max_cost_microusd=100, status="stopped")])
    found = stored(session)
    assert (found.attention, found.attention_rank, found.attention_quiet) == ([], 0, 0)


def test_who_assesses_does_not_undo_what_somebody_acknowledged_meanwhile(monkeypatch):
    account = make_account()
    apply_answers(account, [answer(0)])
    attention.refresh(account, at(130))
    session = AgentSession.objects.get()
    AgentSession.objects.update(unread_since=at(130))
    lock = attention._still_standing

    def acknowledged_meanwhile(assessed):
        attention.acknowledge(session.pk, "sam", at(169))
        return lock(assessed)

    monkeypatch.setattr(attention, "_still_standing", acknowledged_meanwhile)
    assert attention.refresh(account, at(170)) == []
    assert stored(session).attention_quiet == 1
    monkeypatch.undo()
    assert attention.refresh(account, at(171)) == [session.pk]
    assert [entry["code"] for entry in stored(session).attention] == ["unread", "stalled"]


@pytest.mark.parametrize(("minutes", "words"), [("15", 15), ("60", 60), ("240", 240)])
def test_snoozes_last_as_long_as_they_say(sam, minutes, words):
    session = stalled()
    with time_machine.travel(at(0), tick=False):
        sam.force_login(User.objects.get(username="sam"))
        sam.post(address(session), {"for": minutes}, headers=HTMX)
    [entry] = stored(session).attention
    assert entry["quiet"] == {
        "by": "sam",
        "at": at(0).isoformat(),
        "until": at(words * MINUTES).isoformat(),
    }
    assert actions() == ["attention.snoozed"]


# ---- who, and what else may be asked ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "status"), [("viewer", 403), ("lead", 403), ("operator", 204), ("support", 204), ("admin", 204)]
)
def test_who_may(role, status):
    session = stalled()
    client = person("somebody", role)
    assert client.post(address(session), headers=HTMX).status_code == status
    offered = (
        "data-acknowledge"
        in client.get("/attention/").content.decode()
        + client.get(f"/sessions/{session.uuid}/").content.decode()
    )
    assert offered == (status == 204)
    assert bool(stored(session).attention_quiet) == (status == 204)


def test_bad_requests_change_nothing_and_say_what_would_do(sam):
    session, calm = stalled(), make_session()
    refused = sam.post(address(session), {"for": "10"}, headers=HTMX)
    assert refused.status_code == 400 and b"15, 60, 240" in refused.content
    assert sam.post(address(calm), headers=HTMX).status_code == 409
    assert sam.put(address(session)).status_code == 405
    assert sam.post("/sessions/00000000-0000-4000-8000-000000000000/attention/").status_code == 404
    assert stored(session).attention_quiet == 0 and actions() == []


def test_without_scripts_there_is_a_page_that_asks(sam):
    session = stalled()
    asked = sam.get(address(session)).content.decode()
    assert "Is running, but neither steps nor cost move." in asked and "Snooze 4 h" in asked
    answered = sam.post(address(session), {"for": ""}, follow=True)
    assert answered.redirect_chain[0][0] == f"/sessions/{session.uuid}/"
    assert "Acknowledged by sam" in answered.content.decode()
    assert "Take it back" in sam.get(address(session)).content.decode()
    calm = make_session()
    assert "needs no attention any more" in sam.post(address(calm), follow=True).content.decode()
    assert "Needs no attention" in sam.get(address(calm)).content.decode()
