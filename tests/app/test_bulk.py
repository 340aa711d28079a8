"""Stopping many: the frozen list, what confirms it, how it is worked off, and what its report says."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from sessions_app.models import AgentSession, AuditEntry, BulkItem, BulkStop, StopRequest
from sessions_app.rules.bulk import TYPED_ABOVE
from sessions_app.stopping import bulk, work
from sessions_app.stopping.request import request_stop
from sessions_app.types import Strategy
from tests.support.factories import make_account, make_session, make_sessions
from tests.support.stage import person, staged

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def ana(client):
    make_account(base_url="http://127.0.0.1:9/api/v3")
    client.force_login(person("ana", "operator"))
    return client


def ids(*sessions: AgentSession) -> str:
    return " ".join(str(session.uuid) for session in sessions)


def draft_of(answer) -> BulkStop:
    assert answer.status_code == 302, answer.status_code
    return BulkStop.objects.get(pk=int(answer["Location"].rstrip("/").rpartition("/")[2]))


def begin(client: Client, **form) -> BulkStop:
    return draft_of(client.post("/stops/bulk/", form))


def ask(client: Client, draft: BulkStop, **form):
    return client.post(draft.get_absolute_url(), {"strategy": "session", "reason": "Loop"} | form)


# ---- the list ------------------------------------------------------------------------------------------


def test_a_selection_is_frozen_and_nothing_is_stopped_yet(ana):
    one, two, _other = make_session(), make_session(), make_session()
    draft = begin(ana, session=ids(one, two))
    assert set(draft.items.values_list("session_id", flat=True)) == {one.pk, two.pk}
    assert draft.asked_at is None and not StopRequest.objects.exists()
    assert bulk.release(timezone.now()) == 0 and not StopRequest.objects.exists()


def test_all_that_a_view_matches_is_frozen_at_the_click(ana):
    make_sessions(70, model="dear")
    make_session(model="cheap")
    draft = begin(ana, view="live", match="?model=dear&page=2")
    make_session(model="dear")
    assert draft.items.count() == 70 and "model dear" in draft.scope and "page" not in draft.scope


def test_a_view_of_the_history_gives_only_what_lives(ana):
    alive = make_session(model="dear")
    make_session(model="dear", status="stopped")
    draft = begin(ana, view="sessions", match="model=dear")
    assert [item.session_id for item in draft.items.all()] == [alive.pk]


@pytest.mark.parametrize("form", [{}, {"session": ""}, {"session": "nonsense"}, {"match": "model=none"}])
def test_an_empty_choice_means_nobody(ana, form):
    make_session()
    answer = ana.post("/stops/bulk/", form, follow=True)
    assert "nothing will be stopped" in answer.content.decode() and not BulkStop.objects.exists()


def test_never_more_than_the_cap_and_the_dearest_first(ana, settings):
    settings.BULK_STOP_MOST = 3
    sessions = [make_session(burn_microusd_per_min=burn) for burn in (5, 50, 10, 40, 30)]
    draft = begin(ana, match="")
    assert [item.session_id for item in draft.items.order_by("pk")] == [sessions[n].pk for n in (1, 3, 4)]
    assert "2 more are left out" in ana.get(draft.get_absolute_url()).content.decode()


def test_drafts_that_nobody_confirmed_go_after_a_day(ana):
    old = begin(ana, session=ids(make_session()))
    BulkStop.objects.filter(pk=old.pk).update(made_at=timezone.now() - timedelta(days=2))
    begin(ana, session=ids(make_session()))
    assert not BulkStop.objects.filter(pk=old.pk).exists()


# ---- the preview ---------------------------------------------------------------------------------------


def test_the_preview_says_who_is_skipped_and_why(ana):
    running = make_session(burn_microusd_per_min=1_200_000)
    idle, ended = make_session(status="idle", burn_microusd_per_min=300_000), make_session(status="stopped")
    page = ana.get(begin(ana, session=ids(running, idle, ended)).get_absolute_url()).content.decode()
    words = re.sub(r"<[^>]+>", "", page)
    assert "1 will be asked for, together burning $1.20/min" in words
    assert "2 will be asked for, together burning $1.50/min" in words
    assert "1 skipped: no task runs: it is idle" in words and "1 skipped: over already (stopped)" in words


def test_costs_are_shown_to_those_who_may_see_them(ana):
    user = person("sam", "support")
    user.groups.clear()
    user.user_permissions.add(*_permissions("end_session"))
    sam = Client()
    sam.force_login(user)
    page = sam.get(begin(sam, session=ids(make_session())).get_absolute_url()).content.decode()
    main = page[page.index("<main") :]
    assert "$" not in main.replace("$/min", "") and "Stop task – the browsers" not in main


def test_nasty_titles_stay_text(ana):
    session = make_session(title="<script>alert(1)</script>")
    draft = begin(ana, session=ids(session))
    assert "<script>alert" not in ana.get(draft.get_absolute_url()).content.decode()
    ask(ana, draft)
    assert "<script>alert" not in ana.get(draft.get_absolute_url()).content.decode()


# ---- what confirms it ----------------------------------------------------------------------------------


def test_many_need_a_reason(ana):
    draft = begin(ana, session=ids(make_session(), make_session()))
    answer = ask(ana, draft, reason=" ")
    assert answer.status_code == 422 and "needs a reason" in answer.content.decode()
    draft.refresh_from_db()
    assert draft.asked_at is None


def test_a_large_one_is_typed(ana):
    draft = begin(ana, session=ids(*make_sessions(TYPED_ABOVE + 1)))
    assert ask(ana, draft).status_code == 422
    assert ask(ana, draft, typed="10").status_code == 422
    assert not BulkStop.objects.exclude(asked_at=None).exists()
    assert ask(ana, draft, typed=" 11 ").status_code == 302
    draft.refresh_from_db()
    assert draft.asked_at and draft.reason == "Loop"


def test_a_double_click_asks_once(ana):
    draft = begin(ana, session=ids(make_session()))
    assert [ask(ana, draft).status_code for _ in range(2)] == [302, 302]
    with pytest.raises(bulk.AlreadyAsked):
        bulk.ask(draft, Strategy.TASK, "again", timezone.now())
    assert AuditEntry.objects.filter(action="bulk.requested").count() == 1
    draft.refresh_from_db()
    assert draft.strategy == "session"


def test_a_draft_is_its_makers_alone(ana):
    draft = begin(ana, session=ids(make_session()))
    bo = Client()
    bo.force_login(person("bo", "operator"))
    assert bo.get(draft.get_absolute_url()).status_code == 404 and ask(bo, draft).status_code == 404
    ask(ana, draft)
    assert bo.get(draft.get_absolute_url()).status_code == 200


@pytest.mark.parametrize("role", ["viewer", "lead"])
def test_who_may_not_stop_may_not_stop_many(ana, role):
    client, session = Client(), make_session()
    client.force_login(person(f"a-{role}", role))
    assert client.post("/stops/bulk/", {"session": ids(session)}).status_code == 403
    assert not BulkStop.objects.exists()


def test_the_strategy_must_be_one_that_they_may(ana):
    user = person("tim", "viewer")
    user.user_permissions.add(*_permissions("stop_task"))
    tim = Client()
    tim.force_login(user)
    draft = begin(tim, session=ids(make_session()))
    assert ask(tim, draft, strategy="session").status_code == 403
    assert ask(tim, draft, strategy="nonsense").status_code == 403
    assert ask(tim, draft, strategy="task").status_code == 302


def test_everything_is_for_admins_and_typed(ana, settings):
    settings.BULK_STOP_MOST = 2
    make_sessions(4)
    assert ana.post("/stops/bulk/", {"everything": "1"}).status_code == 403
    assert "Stop everything" not in ana.get("/stops/").content.decode()
    admin = Client()
    admin.force_login(person("ada", "admin"))
    assert "Stop everything" in admin.get("/stops/").content.decode()
    draft = begin(admin, everything="1")
    assert draft.items.count() == 4
    assert ask(admin, draft, typed="4").status_code == 422
    assert ask(admin, draft, typed="Stop everything").status_code == 302


# ---- working it off ------------------------------------------------------------------------------------


def test_items_become_stops_like_any_other(ana):
    one, two = make_session(burn_microusd_per_min=3), make_session(burn_microusd_per_min=2)
    ended = make_session(burn_microusd_per_min=1)
    draft = begin(ana, session=ids(one, two, ended))
    ask(ana, draft)
    AgentSession.objects.filter(pk=ended.pk).update(status="error", is_live=False)
    bo = person("bo", "operator")
    theirs = request_stop(two, Strategy.SESSION, bo, "", timezone.now()).stop
    assert bulk.release(timezone.now()) == 3
    first, second, third = draft.items.order_by("pk")
    assert (first.stop.session_id, first.stop.reason, first.joined) == (one.pk, "Loop", False)
    assert (second.stop, second.joined) == (theirs, True)
    assert (third.stop, third.skipped) == (None, "over already (error)")
    said = AuditEntry.objects.get(action="stop.requested", session=one).detail
    assert said["bulk"] == draft.pk and bulk.release(timezone.now()) == 0


def test_a_restart_half_way_goes_on_where_it_was(ana, monkeypatch):
    monkeypatch.setattr(bulk, "BATCH", 2)
    draft = begin(ana, session=ids(*make_sessions(5)))
    ask(ana, draft)
    real, calls = bulk.request_stop, []

    def killed(*arguments, **said):
        calls.append(1)
        if len(calls) == 4:  # in the midst of the second batch
            raise KeyboardInterrupt
        return real(*arguments, **said)

    monkeypatch.setattr(bulk, "request_stop", killed)
    with pytest.raises(KeyboardInterrupt):
        bulk.release(timezone.now())
    assert StopRequest.objects.count() == 2 == BulkItem.objects.exclude(stop=None).count()
    monkeypatch.setattr(bulk, "request_stop", real)
    assert bulk.release(timezone.now()) == 3
    assert StopRequest.objects.count() == 5 and not BulkItem.objects.filter(stop=None).exists()


def test_from_the_click_to_the_proof_of_each():
    with staged() as stage:
        user = person("ana", "operator")
        sessions = [stage.running_session() for _ in range(4)]
        draft = bulk.freeze([one.pk for one in sessions], "Picked by hand", user, timezone.now())
        bulk.ask(draft, Strategy.SESSION, "Loop", timezone.now())
        bulk.release(timezone.now())
        stage.run(30)
        states = set(StopRequest.objects.values_list("state", flat=True))
        assert states == {"confirmed"}
        assert {stage.upstream(one).status for one in sessions} == {"stopped"}
        assert [stage.posts(one) for one in sessions] == [1, 1, 1, 1]


def test_who_lost_the_right_meanwhile_stops_nothing():
    with staged() as stage:
        user, session = person("ana", "operator"), stage.running_session()
        draft = bulk.freeze([session.pk], "Picked by hand", user, timezone.now())
        bulk.ask(draft, Strategy.SESSION, "Loop", timezone.now())
        user.groups.clear()
        bulk.release(timezone.now())
        work.work_due()
        assert stage.posts(session) == 0 and StopRequest.objects.get().state == "cancelled"


# ---- the report ----------------------------------------------------------------------------------------


@pytest.fixture
def settled(ana):
    """A bulk of four: confirmed, failed, under way, skipped."""
    draft = begin(ana, session=ids(*make_sessions(3), make_session(status="error")))
    ask(ana, draft)
    bulk.release(timezone.now())
    proven, failed = StopRequest.objects.order_by("pk")[:2]
    now = timezone.now()
    StopRequest.objects.filter(pk=proven.pk).update(
        state="confirmed", ended_at=now, steps_at_proof=14, cost_at_proof_microusd=1_480_000
    )
    StopRequest.objects.filter(pk=failed.pk).update(state="failed", ended_at=now, outcome="No answer.")
    return draft


def test_the_report_has_a_result_for_each(ana, settled):
    page = ana.get(settled.get_absolute_url()).content.decode()
    rows = re.findall(r'data-strategy="session" data-stop-state="(\w+)"', page)
    assert rows == ["failed", "requested", "confirmed", "skipped"]
    assert 'data-pending="1"' in page and "$0.25" in page and "hx-trigger" in page
    assert ana.get("/stops/").content.decode().count("End session × 4") == 1


def test_a_report_that_has_not_changed_is_not_sent_again(ana, settled):
    address = settled.get_absolute_url()
    fragment = ana.get(address, headers={"HX-Request": "true"}).content.decode()
    seen = re.search(r"seen=(\w+)", fragment)[1]
    assert "<html" not in fragment
    assert ana.get(f"{address}?seen={seen}", headers={"HX-Request": "true"}).status_code == 204
    StopRequest.objects.filter(state="requested").update(state="confirmed", ended_at=timezone.now())
    assert ana.get(f"{address}?seen={seen}", headers={"HX-Request": "true"}).status_code == 200


def test_what_failed_can_be_tried_again(ana, settled):
    failed = StopRequest.objects.get(state="failed")
    again = begin(ana, retry=settled.pk)
    assert [item.session_id for item in again.items.all()] == [failed.session_id]
    assert again.retry_of == settled and "Retry 1" in ana.get(settled.get_absolute_url()).content.decode()
    page = ana.get(again.get_absolute_url()).content.decode()
    assert re.search(r'value="session" checked', page)


@pytest.mark.parametrize("number", ["x", "-1", "9" * 30, "999999"])
def test_a_retry_of_nothing_is_not_found(ana, number):
    assert ana.post("/stops/bulk/", {"retry": number}).status_code == 404


def test_the_number_of_queries_does_not_grow(ana, django_assert_max_num_queries):
    draft = begin(ana, session=ids(*make_sessions(40)))
    with django_assert_max_num_queries(20):
        assert ana.get(draft.get_absolute_url()).status_code == 200
    ask(ana, draft, typed="40")
    bulk.release(timezone.now())
    with django_assert_max_num_queries(20):
        assert ana.get(draft.get_absolute_url()).status_code == 200


def _permissions(*names):
    return Permission.objects.filter(codename__in=names)
