"""The question, the click, the receipt and the record, for each role, with and without JavaScript."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from sessions_app.models import AgentSession, AuditEntry, StopAttempt, StopRequest
from sessions_app.models.stop import StopState
from sessions_app.queries.stops import StopFilter, stop_sums
from sessions_app.rules.stopping import Outcome, State
from tests.support.factories import make_account, make_session
from tests.support.stage import person

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def session():
    """Of an account whose upstream nobody answers for: nothing can be sent."""
    make_account(base_url="http://127.0.0.1:9/api/v3")
    return make_session(title="Book a flight", total_cost_microusd=1_230_000, burn_microusd_per_min=120_000)


@pytest.fixture
def ana(client):
    client.force_login(person("ana", "operator"))
    return client


def question_of(session: AgentSession) -> str:
    return f"/sessions/{session.uuid}/stop/"


def as_role(role: str) -> Client:
    client = Client()
    client.force_login(person(f"a-{role}", role))
    return client


def make_stop(session: AgentSession, **columns) -> StopRequest:
    now = timezone.now()
    defaults = {
        "strategy": "task", "requested_by_name": "ana", "requested_at": now, "due_at": now,
        "steps_at_click": 12, "cost_at_click_microusd": 1_230_000,
    }  # fmt: skip
    if columns.get("state") in ("confirmed", "moot", "failed", "rejected"):
        defaults |= {"ended_at": now, "steps_at_proof": 13, "cost_at_proof_microusd": 1_250_000}
    return StopRequest.objects.create(session=session, **defaults | columns)


def test_the_rules_and_the_table_know_the_same_states():
    assert {str(state) for state in State} == set(StopState.values)


# ---- the question ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "words"),
    [("task", "the browser stays open and keeps its state"), ("session", "It cannot be resumed")],
)
def test_the_question_names_title_cost_and_consequence(ana, session, strategy, words):
    page = ana.get(question_of(session), {"strategy": strategy}).content.decode()
    assert "<!DOCTYPE html>" in page
    assert "Book a flight" in page and "$1.23" in page and "$0.12" in page and words in page
    assert f'name="strategy" value="{strategy}"' in page and not StopRequest.objects.exists()


def test_the_dialog_gets_only_the_question(ana, session):
    fragment = ana.get(question_of(session), {"strategy": "task"}, **HTMX).content.decode()
    assert "<html" not in fragment and "Book a flight" in fragment


def test_the_question_says_when_somebody_was_first(ana, session):
    make_stop(session, requested_by_name="bo")
    page = ana.get(question_of(session), {"strategy": "task"}).content.decode()
    assert "bo asked for this" in page and "not sent twice" in page


def test_the_question_says_when_it_is_so_already(ana):
    make_account()
    idle = make_session(status="idle")
    assert "so already" in ana.get(question_of(idle), {"strategy": "task"}).content.decode()
    assert "so already" not in ana.get(question_of(idle), {"strategy": "session"}).content.decode()


def test_nasty_titles_stay_text(ana, session):
    AgentSession.objects.update(title="<script>alert(1)</script>", status="<b>odd</b>")
    page = ana.get(question_of(session), {"strategy": "task"}).content.decode()
    assert "<script>alert" not in page and "<b>odd" not in page and "<script>alert(1)" in unescape(page)


# ---- who may ---------------------------------------------------------------------------------------

MAY = {"viewer": False, "lead": False, "support": True, "operator": True, "admin": True}


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("strategy", ["task", "session"])
@pytest.mark.parametrize("role", MAY)
def test_who_may_stop(session, role, strategy, method):
    answer = getattr(as_role(role), method)(question_of(session), {"strategy": strategy})
    allowed = answer.status_code != 403
    assert allowed is MAY[role]
    assert StopRequest.objects.exists() is (allowed and method == "post")
    if not allowed:
        assert "Your role does not include" in answer.content.decode()


def test_nobody_unknown(client, session):
    for answer in (client.get(question_of(session)), client.post(question_of(session), {"strategy": "task"})):
        assert answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
    assert not StopRequest.objects.exists()


def test_a_post_without_the_csrf_token_is_refused(session):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person("ana", "operator"))
    assert strict.post(question_of(session), {"strategy": "task"}).status_code == 403
    assert not StopRequest.objects.exists()


@pytest.mark.parametrize("strategy", ["", "kill", "TASK", "task ", "\0"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_strategy_is_refused_in_words(ana, session, strategy, method):
    answer = getattr(ana, method)(question_of(session), {"strategy": strategy})
    assert answer.status_code == 400 and "strategy=task" in answer.content.decode()
    assert not StopRequest.objects.exists()


def test_the_strategy_of_a_post_is_never_taken_from_the_address(ana, session):
    answer = ana.post(f"{question_of(session)}?strategy=session", {"reason": "no strategy in the form"})
    assert answer.status_code == 400 and not StopRequest.objects.exists()


def test_an_unknown_session_is_not_found(ana):
    assert ana.get("/sessions/00000000-0000-4000-8000-000000000000/stop/?strategy=task").status_code == 404


# ---- the click -------------------------------------------------------------------------------------


def test_a_click_is_written_down_with_everything(ana, session):
    ana.post(
        question_of(session), {"strategy": "task", "why": ["Stuck", "Too expensive"], "reason": " it loops "}
    )
    stop = StopRequest.objects.get()
    assert (stop.requested_by.username, stop.reason) == ("ana", "Stuck, Too expensive, it loops")
    assert (stop.steps_at_click, stop.cost_at_click_microusd) == (12, 1_230_000)
    assert stop.burn_at_click_microusd_per_min == 120_000 and stop.status_at_click == "running"
    before, after = session, AgentSession.objects.get(pk=session.pk)
    assert after.stopping == "task" and after.version > before.version
    requested = AuditEntry.objects.get(action="stop.requested")
    assert (
        requested.actor_name == "ana" and requested.session == session and requested.detail["stop"] == stop.pk
    )


def test_without_javascript_it_leads_back_to_the_session(ana, session):
    answer = ana.post(question_of(session), {"strategy": "task"})
    assert answer.status_code == 302 and answer["Location"] == f"/sessions/{session.uuid}/"


def test_the_dialog_gets_the_receipt(ana, session):
    fragment = ana.post(question_of(session), {"strategy": "session"}, **HTMX).content.decode()
    stop = StopRequest.objects.get()
    assert f'id="receipt-{stop.pk}"' in fragment and f"/stops/{stop.pk}/?seen=" in fragment
    assert "Queued, not sent" in fragment and str(session.uuid) in fragment and "<html" not in fragment


def test_a_second_person_joins_and_is_told_who_was_first(ana, session):
    ana.post(question_of(session), {"strategy": "task"})
    fragment = as_role("support").post(question_of(session), {"strategy": "task"}, **HTMX).content.decode()
    assert "ana was first" in fragment and StopRequest.objects.count() == 1
    assert AuditEntry.objects.get(action="stop.joined").actor_name == "a-support"


def test_a_double_click_makes_one_stop(ana, session):
    for _ in range(2):
        ana.post(question_of(session), {"strategy": "session"})
    assert StopRequest.objects.count() == 1


@pytest.mark.parametrize("reason", ["x" * 2_000, "a\0b", "two\nlines", "\u202e\ud83d\ude00 <b>"])
def test_any_reason_can_be_kept(ana, session, reason):
    ana.post(question_of(session), {"strategy": "task", "reason": reason.encode("utf-8", "replace").decode()})
    kept = StopRequest.objects.get().reason
    assert len(kept) <= 500 and "\0" not in kept and "\n" not in kept


# ---- the receipt -----------------------------------------------------------------------------------


def receipt(client: Client, stop: StopRequest, seen: str = "", **headers: str):
    return client.get(f"/stops/{stop.pk}/", {"seen": seen} if seen else {}, **headers)


def test_an_open_receipt_asks_again_and_an_ended_one_does_not(ana, session):
    stop = make_stop(session, state="verifying")
    assert "hx-trigger" in receipt(ana, stop, **HTMX).content.decode()
    StopRequest.objects.update(state="confirmed", ended_at=timezone.now())
    assert "hx-trigger" not in receipt(ana, stop, **HTMX).content.decode()


def test_nothing_new_is_not_sent_again(ana, session):
    stop = make_stop(session, state="verifying")
    mark = re.search(r"seen=(\w+)", receipt(ana, stop, **HTMX).content.decode()).group(1)
    assert receipt(ana, stop, mark, **HTMX).status_code == 204
    StopRequest.objects.update(satisfied_at=timezone.now())
    assert receipt(ana, stop, mark, **HTMX).status_code == 200


def test_the_receipt_counts_from_click_to_proof(ana, session):
    now = timezone.now()
    stop = make_stop(session, state="confirmed", requested_at=now - timedelta(seconds=9), ended_at=now)
    StopAttempt.objects.create(stop=stop, number=1, began_at=now, answer=Outcome.ACCEPTED, detail="Accepted")
    page = receipt(ana, stop).content.decode()
    assert "9 s" in page and "$0.02" in page and "accepted" in page and "<!DOCTYPE html>" in page


def test_a_viewer_sees_the_receipt_without_money(session):
    stop = make_stop(session, state="confirmed")
    page = receipt(as_role("viewer"), stop).content.decode()
    assert "Stop task" in page and "$" not in page


def test_when_the_task_goes_on_ending_is_offered_to_those_who_may(ana, session):
    stop = make_stop(session, state="verifying", requested_at=timezone.now() - timedelta(seconds=21))
    offer = f"/sessions/{session.uuid}/stop/?strategy=session"
    assert offer in receipt(ana, stop).content.decode()
    viewed = receipt(as_role("viewer"), stop).content.decode()
    assert offer not in viewed and "The task goes on" in viewed


def test_no_offer_while_it_is_fresh_nor_when_it_is_over(ana, session):
    fresh = make_stop(session, state="verifying")
    assert "The task goes on" not in receipt(ana, fresh).content.decode()
    fresh.delete()
    done = make_stop(session, state="failed", requested_at=timezone.now() - timedelta(minutes=10))
    assert "The task goes on" in receipt(ana, done).content.decode()
    AgentSession.objects.update(status="idle")
    assert "The task goes on" not in receipt(ana, done).content.decode()


def test_no_such_receipt(ana):
    assert ana.get("/stops/77/").status_code == 404


# ---- the record ------------------------------------------------------------------------------------


def test_rows_say_whose_which_and_how_it_stands(ana, session):
    make_stop(session, state="confirmed", reason="<i>it loops</i>")
    page = ana.get("/stops/").content.decode()
    row = re.search(rf'<article[^>]*data-session-id="{session.uuid}"[^>]*>', page).group(0)
    assert 'data-strategy="task"' in row and 'data-stop-state="confirmed"' in row
    assert "<i>it loops" not in page and "it loops" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 3), ("state=open", 1), ("state=confirmed", 2), ("state=nonsense", 3), ("person=bo", 1),
        ("strategy=session", 1), ("strategy=kill", 3), ("person=bo&state=open", 0), ("before=nonsense", 3),
        ("before=2026-13-45T99_1", 3), ("person=%00", 3),
    ],
)  # fmt: skip
def test_filters(ana, session, query, found):
    make_stop(session)
    make_stop(session, state="confirmed", requested_by_name="bo")
    make_stop(session, state="confirmed", strategy="session")
    page = ana.get(f"/stops/?{query}").content.decode()
    assert page.count("<article") == found


def test_pages_follow_each_other_without_gap_or_overlap(ana, session):
    now = timezone.now()
    for number in range(120):
        make_stop(session, state="confirmed", requested_at=now - timedelta(seconds=number // 2))
    seen, query = [], ""
    for _ in range(3):
        page = ana.get(f"/stops/{query}").content.decode()
        seen += re.findall(r'<article class="receipt"\s+id="receipt-(\d+)"', page)
        older = re.search(r'href="(\?[^"]*before=[^"]+)" rel="next"', page)
        query = unescape(older.group(1)) if older else ""
    assert len(seen) == 120 and len(set(seen)) == 120 and not query


def test_the_record_costs_a_fixed_number_of_queries(ana, session, django_assert_max_num_queries):
    for _ in range(20):
        stop = make_stop(session, state="confirmed")
        StopAttempt.objects.create(stop=stop, number=1, began_at=timezone.now())
    with django_assert_max_num_queries(14):
        ana.get("/stops/")


def test_an_empty_record_teaches(ana):
    assert "Nothing was stopped yet" in ana.get("/stops/").content.decode()


# ---- the tick for the harder stop ------------------------------------------------------------------


@pytest.mark.parametrize(("role", "ticks"), [("operator", True), ("viewer", False)])
def test_who_may_end_sessions_may_tick_it_beforehand(session, role, ticks):
    user = person(f"one-{role}", role)
    user.user_permissions.add(Permission.objects.get(codename="stop_task"))
    client = Client()
    client.force_login(user)
    page = client.get(question_of(session), {"strategy": "task"}).content.decode()
    assert ('name="escalate"' in page) is ticks
    client.post(question_of(session), {"strategy": "task", "escalate": "1"})
    assert StopRequest.objects.get().escalate is ticks


def test_ending_a_session_has_nothing_to_escalate_to(ana, session):
    assert 'name="escalate"' not in ana.get(question_of(session), {"strategy": "session"}).content.decode()
    ana.post(question_of(session), {"strategy": "session", "escalate": "1"})
    assert not StopRequest.objects.get().escalate


# ---- the sums --------------------------------------------------------------------------------------


def test_the_sums_are_over_all_that_match(ana, session):
    begin = timezone.now() - timedelta(minutes=5)
    for seconds, burn in ((8, 100_000), (10, 10_000_000), (12, 0)):
        make_stop(
            session, state="confirmed", reason="Loop", requested_at=begin, ended_at=begin + timedelta(seconds=seconds),
            burn_at_click_microusd_per_min=burn,
        )  # fmt: skip
    make_stop(session, state="failed", reason="Too dear")
    sums = stop_sums(StopFilter())
    # $0.10 a minute for an hour, and $10 a minute: both up to the cap of $5, of which $1.25 were spent; nothing
    assert sums == (4, 3, 1, 10, 60_000, 2 * 3_750_000)
    assert stop_sums(StopFilter(reason="loop")).failed == 0 and stop_sums(StopFilter(reason="x")).stops == 0
    page = ana.get("/stops/", {"reason": "loop"}).content.decode()
    assert "≈ $7.50" in page and "an estimate" in page and "Too dear" not in page


def test_a_session_without_a_cap_counts_for_the_hour(session):
    AgentSession.objects.update(max_cost_microusd=None)
    make_stop(session, state="confirmed", burn_at_click_microusd_per_min=1_000_000)
    assert stop_sums(StopFilter()).avoided_microusd == 60_000_000


def test_the_sums_hide_costs_from_those_who_may_not_see_them(session):
    make_stop(session, state="confirmed")
    assert "estimate" not in as_role("viewer").get("/stops/").content.decode()
