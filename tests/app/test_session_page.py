"""The page of one session: everything in its place, to whom it may be shown, whatever upstream says."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from sessions_app.models import (
    AgentSession,
    AuditEntry,
    Screenshot,
    SessionDetail,
    Snapshot,
    Step,
    UpstreamName,
)
from sessions_app.polling.clients import client_of
from sessions_app.polling.ingest import apply_answers
from sessions_app.rules.history import to_ms
from sessions_app.simulator.testing import running_simulator
from sessions_app.views.panels import PANELS
from tests.support.factories import make_account, make_session

pytestmark = pytest.mark.django_db

LIVE = "https://live.browser-use.com/v/abc?token=SECRET"
NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def person(name: str, role: str) -> Client:
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def olga() -> Client:
    return person("olga", "operator")


@pytest.fixture
def vera() -> Client:
    return person("vera", "viewer")


def session(reply: dict | None = None, live_url: str = LIVE, recordings: str = "", **columns) -> AgentSession:
    """A session with its bulk and a bit of history."""
    made = make_session(**columns)
    raw = {"id": str(made.uuid), "status": made.status, "totalCostUsd": "7.654321", **(reply or {})}
    SessionDetail.objects.create(
        session=made, raw=json.dumps(raw), raw_bytes=500, live_url=live_url, recording_urls=recordings
    )
    now_ms = to_ms(timezone.now())
    for number in range(1, 4):
        Snapshot.objects.create(
            session=made, at_ms=now_ms - 60_000 + number * 1000, status_code=3, step_count=number,
            total_cost_microusd=number * 7_654_321, llm_cost_microusd=number * 7_000_000, tokens_in=1, tokens_out=1,
        )  # fmt: skip
        Step.objects.create(
            session=made, number=number, at_ms=now_ms - 60_000 + number * 1000, text=f"Step {number}"
        )
    return made


def page_of(client: Client, made: AgentSession, query: str = "") -> str:
    answer = client.get(f"/sessions/{made.uuid}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


# ---- everything in its place -----------------------------------------------------------------------


@pytest.mark.both_databases
def test_every_field_of_the_reply_is_on_the_page(olga):
    profile, workspace = uuid4(), uuid4()
    made = session(
        {
            "output": {"best": "Aurora 5"}, "outputSchema": {"type": "object", "required": ["best"]},
            "thinkingLevel": "high", "browserScreenWidth": 1920, "browserScreenHeight": 1080,
            "agentmailEmail": "agent@mail.example", "integrationsUsed": ["slack", "notion"],
            "somethingNew": {"deep": ["new-value"]},
        },
        recordings="https://r.example/one.mp4?sig=1",
        status="stopped", is_task_successful=True, title="Compare offers", model="brand-new-model", last_step="Wrote it up",
        profile_id=profile, workspace_id=workspace, proxy_country="xk", proxy_used_bytes=5_000_000, tokens_in=12_345,
        tokens_out=6_789, oddities=[["maxCostUsd", "1e3"]],
    )  # fmt: skip
    for kind, uuid, name in (("profile", profile, "Night shift"), ("workspace", workspace, "Public records")):
        UpstreamName.objects.create(
            account=made.account, kind=kind, uuid=uuid, name=name, customer_id="cus-9"
        )
    html = page_of(olga, made)
    for shown in (
        "Compare offers", "brand-new-model", "Wrote it up", "Stopped", "Succeeded", "Aurora 5", "Fits its schema", "high",
        "1920 × 1080", "agent@mail.example", "slack", "notion", "somethingNew", "new-value", "https://r.example/one.mp4",
        "Night shift", "cus-9", str(profile), "Public records", str(workspace), "XK", "4.8", "12,345", "6,789", "$1.23", "$0.90",
        "$0.10", "$0.23", "$5.00", "maxCostUsd", "1e3", str(made.uuid),
    ):  # fmt: skip
        assert shown in html, shown


def test_absent_fields_and_no_bulk_at_all_make_a_page_too(olga):
    bare = make_session(title="", last_step="", model="", total_cost_microusd=None, llm_cost_microusd=None,
                        max_cost_microusd=None, updated_at=None, has_live_url=False, step_count=0)  # fmt: skip
    html = page_of(olga, bare)
    assert "Untitled" in html and "No step yet" in html and "no live view" in html


def test_nothing_of_theirs_executes(olga):
    made = session(
        {"output": {NASTY: NASTY}, "thinkingLevel": NASTY, "agentmailEmail": NASTY, "integrationsUsed": [NASTY, 7],
         NASTY: NASTY, "browserScreenWidth": NASTY},
        recordings=f"javascript:alert(1)\nhttps://evil.example\\@r.example/\n{NASTY}",
        title=NASTY, last_step=NASTY, model=NASTY[:128], status="<b>odd</b>", proxy_country="<i>", oddities=[[NASTY, NASTY]],
        attention=[{"code": NASTY, "since": NASTY}, "broken", 7], attention_rank=60,
    )  # fmt: skip
    Step.objects.filter(session=made).update(text=NASTY)
    html = page_of(olga, made)
    assert "<script>alert" not in html and "<img src=x" not in html and "<b>odd" not in html
    assert 'href="javascript:' not in html and '\\@r.example/"' not in html
    assert "&lt;script&gt;alert(1)" in html


def test_a_large_output_is_cut_and_can_be_downloaded(olga):
    made = session({"output": "x" * 90_000})
    html = page_of(olga, made)
    assert len(html) < 140_000 and "20,000 of 90,000" in html
    answer = olga.get(f"/sessions/{made.uuid}/output")
    assert answer.content == b"x" * 90_000
    assert answer["Content-Disposition"] == f'attachment; filename="output-{made.uuid}.txt"'
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_an_output_too_large_to_keep_is_read_again_when_it_is_wanted(olga):
    with running_simulator(sessions=0, clock="manual") as sim:
        uuid = UUID(sim.running_session().id)
        sim.advance(30)
        account = make_account(base_url=sim.base_url, api_key=sim.key)
        output = {"rows": ["y" * 1000] * 700}
        sim.force(str(uuid), output=output)
        apply_answers(account, [client_of(account).session(uuid)])
        made = AgentSession.objects.get(uuid=uuid)
        assert len(made.detail.raw) < 10_000
        assert "too large to keep" in page_of(olga, made)
        live = made.detail.live_url
        sim.force(str(uuid), output=output | {"seen": live})
        content = olga.get(f"/sessions/{uuid}/output").content
        assert json.loads(content)["rows"] == output["rows"]
        assert live.encode() not in content
        sim.faults.set(server_error=1)
        failed = olga.get(f"/sessions/{uuid}/output")
    assert failed.status_code == 502
    assert "could not be read" in failed.content.decode()


def test_markup_as_output_is_downloaded_never_shown(olga):
    answer = olga.get(f"/sessions/{session({'output': '<script>alert(1)</script>'}).uuid}/output")
    assert answer["Content-Type"].startswith("text/plain") and "attachment" in answer["Content-Disposition"]


def test_an_output_off_its_schema_says_where(olga):
    made = session({"output": {"items": [{"price": "cheap"}]}, "outputSchema": {
        "type": "object", "required": ["total"],
        "properties": {"items": {"type": "array", "items": {"properties": {"price": {"type": "number"}}}}},
    }})  # fmt: skip
    html = page_of(olga, made)
    assert "Does not fit its schema" in html
    assert "$.items[0].price" in html and "$.total" in html


@pytest.mark.parametrize(
    "status", ["created", "idle", "running", "stopped", "timed_out", "error", "paused_by_moon"]
)
def test_each_status_makes_a_page(olga, status):
    html = page_of(olga, session(status=status))
    assert f'data-status="{status}"' in html


# ---- the live view ---------------------------------------------------------------------------------


def test_the_frame_is_sandboxed_recorded_and_never_kept(olga):
    made = session({"browserScreenWidth": 1000, "browserScreenHeight": 700})
    answer = olga.get(f"/sessions/{made.uuid}/")
    html = answer.content.decode()
    assert html.count("<iframe") == 1
    assert f'src="{LIVE}"' in html
    assert 'sandbox="allow-scripts allow-same-origin"' in html
    assert 'referrerpolicy="no-referrer"' in html and 'allow="autoplay"' in html
    assert 'width="1000"' in html and 'height="700"' in html
    assert 'hx-history="false"' in html
    assert "no-store" in answer["Cache-Control"]
    entry = AuditEntry.objects.get(action="live_view.opened")
    assert (entry.actor_name, entry.session) == ("olga", made)
    assert "SECRET" not in json.dumps(entry.detail)


def test_only_pages_with_live_views_may_connect_to_them(olga, settings):
    policy = olga.get(f"/sessions/{session().uuid}/")["Content-Security-Policy"]
    connect = next(part for part in policy.split(";") if part.strip().startswith("connect-src"))
    assert connect.split() == ["connect-src", "'self'", *settings.LIVE_VIEW_ORIGINS]
    assert "style-src 'self'" in policy and "script-src 'self'" in policy
    elsewhere = olga.get("/attention/")["Content-Security-Policy"].split("connect-src")[1].split(";")[0]
    assert "live.browser-use.com" not in elsewhere


def test_a_viewers_page_holds_no_credential_and_no_costs(vera):
    made = session(
        {"maxCostUsd": "5.00", "newPriceField": "8.88"}, recordings="https://r.example/one.mp4", picture="a" * 64,
        picture_at=timezone.now(), oddities=[["totalCostUsd", "is negative"]],
    )  # fmt: skip
    html = page_of(vera, made) + page_of(
        vera, made, "?panel=changed&" + "&".join(f"seen={name}:x" for name in PANELS)
    )
    for hidden in (
        "SECRET",
        "live.browser-use.com",
        "<iframe",
        "$",
        "7.654321",
        "8.88",
        "r.example",
        "CostUsd",
        "Take control",
        "Stop task",
        " cap",
    ):
        assert hidden not in html, hidden
    assert f"/pictures/{'a' * 64}.webp" in html
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(("role", "may_watch", "may_drive"), [
    ("viewer", False, False), ("lead", True, False), ("support", True, False), ("operator", True, True), ("admin", True, True),
])  # fmt: skip
def test_who_watches_and_who_drives(role, may_watch, may_drive):
    client, made = person("pat", role), session()
    assert ("<iframe" in page_of(client, made)) is may_watch
    assert client.get(f"/sessions/{made.uuid}/live/").status_code == (200 if may_watch else 403)
    driven = client.post(f"/sessions/{made.uuid}/control/", {"action": "take"})
    assert driven.status_code == (302 if may_drive else 403)


@pytest.mark.parametrize("url", [
    "javascript:alert(1)", "https://evil.example/v", "https://evil.example\\@live.browser-use.com/", "http://live.browser-use.com/v",
    "https://live.browser-use.com.evil.example/", "https://live.browser-use.com:8443/", "http://127.0.0.1:9/", 'https://live.browser-use.com/"><script>',
])  # fmt: skip
def test_an_address_off_the_list_is_never_framed(olga, url):
    made = session(live_url=url)
    html = page_of(olga, made)
    assert "<iframe" not in html and "LIVE_VIEW_ORIGINS" in html
    assert not AuditEntry.objects.exists()


def test_the_reveal_gives_the_frame_as_it_is_now(olga):
    made = session()
    answer = olga.get(f"/sessions/{made.uuid}/live/")
    assert answer.content.decode().count("<iframe") == 1
    assert "no-store" in answer["Cache-Control"]
    assert AuditEntry.objects.filter(action="live_view.opened").count() == 1


LOOK = "live/look/?page=https://floor.example"


def test_what_the_frame_hides_from_its_page_is_asked_by_the_server(olga, vera, settings):
    settings.UPSTREAM_IS_LOOPBACK = True
    denied = {"path": "/live", "kind": "canned", "status": 200, "headers": {"X-Frame-Options": "DENY"}}
    with running_simulator(sessions=0) as sim:
        sim.simulator.faults.set(denied)
        made = session(live_url=sim.base_url.removesuffix("/api/v3") + "/live/abc?token=SECRET")
        answer = olga.get(f"/sessions/{made.uuid}/{LOOK}")
        assert answer.json() == {"state": "blocked", "why": "X-Frame-Options: DENY"}
        assert "no-store" in answer["Cache-Control"]
        sim.simulator.requests.clear()
        assert vera.get(f"/sessions/{made.uuid}/{LOOK}").status_code == 403
        AgentSession.objects.filter(pk=made.pk).update(status="stopped", is_live=False)
        assert olga.get(f"/sessions/{made.uuid}/{LOOK}").json() == {"state": "unknown", "why": ""}
        assert not sim.simulator.requests
    assert not AuditEntry.objects.exists()  # nothing was revealed


def test_a_look_needs_a_session_and_the_page_that_frames_it(olga):
    assert olga.get(f"/sessions/{uuid4()}/{LOOK}").json()["state"] == "unknown"
    for page in ("", "javascript:x", "floor"):
        assert olga.get(f"/sessions/{uuid4()}/live/look/?page={page}").status_code == 400


def test_an_ended_session_has_its_last_picture_and_no_frame(olga):
    made = session(status="stopped", picture="b" * 64, picture_at=timezone.now())
    html = page_of(olga, made)
    assert "<iframe" not in html and "The session has ended." in html and "b" * 64 in html


# ---- control ---------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_taking_control_is_recorded_and_seen_by_others(olga):
    made = session()
    assert "Take control" in page_of(olga, made)
    before = AgentSession.objects.get(pk=made.pk).version
    assert (
        olga.post(f"/sessions/{made.uuid}/control/", {"action": "take"})["Location"]
        == f"/sessions/{made.uuid}/"
    )
    assert AgentSession.objects.get(pk=made.pk).version > before
    other = page_of(person("sam", "support"), made)
    assert "olga is driving" in other and "took control of the browser" in other
    mine = page_of(olga, made)
    assert "data-drives" in mine and "Give control back" in mine
    olga.post(f"/sessions/{made.uuid}/control/", {"action": "release"})
    assert "is driving" not in page_of(olga, made)
    assert list(AuditEntry.objects.filter(action__startswith="control.").order_by("pk").values_list("action", flat=True)) == [
        "control.taken", "control.released",
    ]  # fmt: skip


def test_who_does_not_drive_gives_nothing_back(olga):
    made = session()
    person("ana", "operator").post(f"/sessions/{made.uuid}/control/", {"action": "take"})
    olga.post(f"/sessions/{made.uuid}/control/", {"action": "release"})
    assert "ana is driving" in page_of(olga, made)


def test_who_wants_the_wheel_of_somebody_else_is_asked_once(olga):
    made = session()
    control, script = f"/sessions/{made.uuid}/control/", {"Accept": "application/json"}
    ana = person("ana", "operator")
    ana.post(control, {"action": "take"})
    assert "Take over" in page_of(olga, made)
    asked = olga.post(control, {"action": "take"}, headers=script)
    assert asked.status_code == 423 and "Take over from ana?" in asked.content.decode()
    assert "<html" in olga.post(control, {"action": "take"}).content.decode()
    assert "ana is driving" in page_of(olga, made)
    assert olga.post(control, {"action": "take", "over": "1"}, headers=script).status_code == 204
    html = page_of(ana, made)
    assert "olga is driving" in html and "took control of the browser from ana" in html


def test_whose_page_is_closed_does_not_drive_any_more(olga):
    made = session()
    person("ana", "operator").post(f"/sessions/{made.uuid}/control/", {"action": "take"})
    with time_machine.travel(timezone.now() + timedelta(seconds=14)):
        assert "ana is driving" in page_of(olga, made)
    with time_machine.travel(timezone.now() + timedelta(seconds=60)):
        assert "ana is driving" not in page_of(olga, made)


def test_who_has_the_page_open_is_counted_by_name(olga):
    made = session()
    assert "watching" not in page_of(olga, made)
    assert "2 watching" in page_of(person("sam", "support"), made)
    assert "olga, sam" in page_of(olga, made)


def test_nobody_drives_what_has_ended(olga):
    made = session(status="stopped")
    answer = olga.post(
        f"/sessions/{made.uuid}/control/", {"action": "take"}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 409
    assert not AuditEntry.objects.filter(action="control.taken").exists()


def test_control_is_by_post_with_a_known_word(olga):
    made = session()
    assert olga.get(f"/sessions/{made.uuid}/control/").status_code == 405
    assert olga.post(f"/sessions/{made.uuid}/control/", {"action": "crash"}).status_code == 400
    assert olga.get(f"/sessions/{made.uuid}/live/").status_code == 200


# ---- stops, panels, and what is not here -----------------------------------------------------------


def test_the_two_stops_are_forms_that_work_without_script(olga):
    made = session()
    html = page_of(olga, made)
    for strategy in ("task", "session"):
        assert f'<input type="hidden" name="strategy" value="{strategy}">' in html
    assert html.count(f'method="get" action="/sessions/{made.uuid}/stop/"') == 2


@pytest.mark.parametrize(
    ("status", "offered"), [("idle", 1), ("created", 1), ("running", 2), ("odd_one", 2), ("error", 0)]
)
def test_only_what_can_be_stopped_is_offered(olga, status, offered):
    made = session(status=status)
    assert page_of(olga, made).count(f'action="/sessions/{made.uuid}/stop/"') == offered


@pytest.mark.parametrize("name", PANELS)
def test_each_panel_comes_alone(olga, name):
    html = page_of(olga, session(), f"?panel={name}")
    assert html.startswith(f'<section id="panel-{name}"') and "<html" not in html


def test_an_open_page_gets_only_what_looks_different(olga):
    made = session(status="stopped")
    html = page_of(olga, made)
    seen = "&".join(f"seen={part.split('"')[0]}" for part in html.split('name="seen" value="')[1:])
    assert olga.get(f"/sessions/{made.uuid}/?panel=changed&{seen}").status_code == 204
    AgentSession.objects.filter(pk=made.pk).update(title="Another title")
    changed = page_of(olga, made, f"?panel=changed&{seen}")
    assert changed.count("<section") == 1 and 'id="panel-head"' in changed and 'hx-swap-oob="true"' in changed


def test_an_older_page_of_the_timeline_stays_where_it_is(olga):
    made = session()
    before = to_ms(timezone.now())
    html = page_of(olga, made, f"?panel=timeline&before={before}")
    assert 'value="timeline:*"' in html
    assert olga.get(f"/sessions/{made.uuid}/?panel=changed&seen=timeline:*").status_code == 204


@pytest.mark.parametrize(
    "query",
    [
        "?panel=../x",
        "?before=abc",
        "?before=-1",
        "?before=99999999999999999999",
        "?panel=",
        "?seen=x",
        "?step=-1",
        "?at=x",
        "?at=999999999999999",
        "?step=999999999999999",
        "?find=%00",
        "?find=%25",
    ],
)
def test_odd_questions_get_a_page(olga, query):
    assert "<html" in page_of(olga, session(), query)


def test_an_unknown_session_is_a_page_that_says_so(olga):
    unknown = uuid4()
    for path in ("", "live/", "output"):
        answer = olga.get(f"/sessions/{unknown}/{path}")
        assert answer.status_code == 404 and str(unknown) in answer.content.decode()
    assert olga.post(f"/sessions/{unknown}/control/", {"action": "take"}).status_code == 404


def test_a_session_deleted_upstream_says_so(olga):
    html = page_of(olga, session(is_live=False, gone_at=timezone.now()))
    assert "Deleted upstream" in html and "<iframe" not in html


def test_nobody_unknown_sees_it(client):
    assert client.get(f"/sessions/{session().uuid}/")["Location"].startswith("/accounts/login/")


@pytest.mark.both_databases
def test_film_shows_what_each_step_cost(olga):
    made = session()
    for number in (2, 3):
        Screenshot.objects.create(
            session=made, taken_at=timezone.now() + timedelta(seconds=number), step_count=number,
            content_hash=f"{number}" * 64, width=1280, height=800, stored_bytes=1,
        )  # fmt: skip
    html = page_of(olga, made)
    assert html.count("data-film") >= 2 and f"/pictures/{'3' * 64}.thumb.webp" in html
    assert "$7.65" in html


def filmed(count: int) -> AgentSession:
    """A session with so many pictures, one per step and second, the last one a second ago."""
    made = session()
    begins = timezone.now() - timedelta(seconds=count)
    Screenshot.objects.bulk_create(
        Screenshot(
            session=made, taken_at=begins + timedelta(seconds=number), step_count=number,
            content_hash=f"{number:064x}", width=1280, height=800, stored_bytes=1,
        )
        for number in range(1, count + 1)
    )  # fmt: skip
    return made


def places(html: str) -> list[int]:
    return [int(part.split('"')[0]) for part in html.split('data-place="')[1:]]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", 940, 999),
        ("&first=120", 120, 179),
        ("&step=12", 0, 59),
        ("&step=500", 469, 528),
        ("&first=5000", None, None),
        ("&step=0", 0, 59),
    ],
)
def test_a_thousand_pictures_come_a_stretch_at_a_time(olga, query, first, last):
    html = page_of(olga, filmed(1000), f"?panel=film{query}")
    found = places(html)
    assert (found[0], found[-1]) == (first, last) if first is not None else not found
    assert found == sorted(found)


@pytest.mark.both_databases
def test_a_step_and_a_moment_lead_to_their_picture(olga):
    made = filmed(200)
    at = made.screenshots.get(step_count=77).taken_at
    for query in ("step=77", f"at={to_ms(at)}"):
        html = page_of(olga, made, f"?panel=film&{query}")
        assert 'data-step="77"\n             draggable="false" aria-current="true"' in html
    assert 'data-chosen="76"' in page_of(olga, made, "?step=77")


def test_the_page_asks_a_fixed_number_of_questions(olga, django_assert_max_num_queries):
    made = session()
    page_of(olga, made)
    for number in range(4, 60):
        Step.objects.create(session=made, number=number, at_ms=number, text="more")
        Screenshot.objects.create(
            session=made,
            taken_at=timezone.now(),
            step_count=number,
            content_hash="c" * 64,
            width=1,
            height=1,
            stored_bytes=1,
        )
    with django_assert_max_num_queries(32):
        page_of(olga, made)


@pytest.mark.parametrize(("columns", "minutes"), [
    ({}, 30),
    ({"burn_microusd_per_min": 0}, None),
    ({"max_cost_microusd": None}, None),
    ({"total_cost_microusd": None}, None),
    ({"total_cost_microusd": 5_000_000}, None),  # it is there
    ({"burn_microusd_per_min": 1_000}, None),  # more than a day away
    ({"status": "stopped", "is_live": False}, None),
])  # fmt: skip
def test_when_it_reaches_its_cap(columns, minutes):
    read = timezone.now().replace(microsecond=0)
    known = {
        "max_cost_microusd": 5_000_000,
        "total_cost_microusd": 2_000_000,
        "burn_microusd_per_min": 100_000,
    }
    made = session(**{**known, "observed_at": read, **columns})
    html = page_of(person("lena", "lead"), made)
    if minutes is None:
        assert "data-cap-at" not in html
    else:
        assert f'data-cap-at="{(read + timedelta(minutes=minutes)).isoformat()}'[:-6] in html
    assert "data-cap-at" not in page_of(person("vera", "viewer"), made)
