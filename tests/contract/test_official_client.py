"""The vendor's own Python client, strict as it is, is content with every answer."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from browser_use_sdk.v3 import BrowserUse

from sessions_app.simulator.testing import RunningSimulator


@pytest.fixture
def client(sim: RunningSimulator) -> Iterator[BrowserUse]:
    client = BrowserUse(api_key=sim.key, base_url=sim.base_url)
    yield client
    client.close()


def test_every_page_of_the_list_is_understood(client: BrowserUse) -> None:
    first = client.sessions.list(page_size=100)
    pages = [first] + [
        client.sessions.list(page=page, page_size=100) for page in range(2, first.total // 100 + 2)
    ]
    sessions = [session for page in pages for session in page.sessions]
    assert len({session.id for session in sessions}) == len(sessions) == first.total
    assert [s.created_at for s in sessions] == sorted((s.created_at for s in sessions), reverse=True)


def test_a_session_is_created_runs_and_is_stopped(client: BrowserUse, sim: RunningSimulator) -> None:
    made = client.sessions.create(
        "Compare sea freight quotes", model="bu-mini", max_cost_usd=1.5, enable_recording=True
    )
    assert (made.status.value, made.title, made.is_task_successful) == ("created", None, None)
    sim.advance(60)
    running = client.sessions.get(made.id)
    assert running.status.value == "running"
    assert running.title
    assert running.step_count > 2
    stopped = client.sessions.stop(made.id, strategy="task")
    assert stopped.status.value in ("running", "idle")
    sim.advance(3)
    assert client.sessions.get(made.id).status.value == "idle"
    assert client.sessions.stop(made.id, strategy="session").status.value == "stopped"
    ended = client.sessions.stop(made.id, strategy="session")
    assert (ended.status.value, ended.live_url) == ("stopped", None)
    assert len(client.sessions.get(made.id).recording_urls) == 1


def test_a_follow_up_runs_in_the_same_session(client: BrowserUse, sim: RunningSimulator) -> None:
    made = client.sessions.create(keep_alive=True)
    sim.advance(20)
    assert client.sessions.get(made.id).status.value == "idle"
    client.sessions.create("Find three hotels", session_id=made.id)
    sim.advance(30)
    assert client.sessions.get(made.id).status.value == "running"
    sim.advance(60 * 25)
    done = client.sessions.get(made.id)
    assert (done.status.value, done.is_task_successful) == ("idle", True)
    assert isinstance(done.output, str)


def test_structured_output_conforms(client: BrowserUse, sim: RunningSimulator) -> None:
    schema = {
        "type": "object",
        "properties": {
            "price": {"type": "number"},
            "kind": {"enum": ["a", "b"]},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["price", "kind"],
    }
    made = client.sessions.create("What does it cost?", keep_alive=True, output_schema=schema)
    sim.advance(60 * 25)
    output = client.sessions.get(made.id).output
    assert isinstance(output["price"], float)
    assert output["kind"] in ("a", "b")
    assert all(isinstance(tag, str) for tag in output["tags"])


def test_messages_can_be_read_forwards_and_backwards(client: BrowserUse, sim: RunningSimulator) -> None:
    session = str(sim.running_session("Find the cheapest fares").id)
    sim.advance(120)
    forwards, cursor = [], None
    while True:
        page = client.sessions.messages(session, after=cursor, limit=7)
        forwards += page.messages
        cursor = str(page.messages[-1].id) if page.messages else cursor
        if not page.has_more:
            break
    assert (forwards[0].type, forwards[0].role, forwards[0].data) == (
        "user_message",
        "human",
        "Find the cheapest fares",
    )
    assert [m.created_at for m in forwards] == sorted(m.created_at for m in forwards)
    backwards = client.sessions.messages(session, before=str(forwards[-1].id), limit=5)
    assert [m.id for m in backwards.messages] == [m.id for m in forwards[-6:-1]]
    assert backwards.has_more


def test_messages_keep_their_ids_while_the_session_runs(client: BrowserUse, sim: RunningSimulator) -> None:
    session = sim.running_session().id
    sim.advance(60)
    before = client.sessions.messages(session, limit=100).messages
    sim.advance(60)
    after = client.sessions.messages(session, limit=100).messages
    assert len(after) > len(before)
    assert [(m.id, m.created_at, m.data) for m in after][: len(before)] == [
        (m.id, m.created_at, m.data) for m in before
    ]


def test_the_rest_of_the_contract(client: BrowserUse, sim: RunningSimulator) -> None:
    active = client.browsers.list(filter_by="active", page_size=100)
    assert active.total_items == len(active.items)
    alone = [browser for browser in active.items if browser.agent_session_id is None]
    agents = {str(browser.agent_session_id) for browser in active.items} - {"None"}
    assert alone
    assert agents == set(sim.world.live)
    assert client.browsers.stop(str(alone[0].id)).status.value == "stopped"
    assert client.browsers.get(str(alone[0].id)).finished_at is not None
    assert client.profiles.list().items[0].name
    assert client.workspaces.list().items[0].name
    account = client.billing.account()
    sim.advance(300)
    assert client.billing.account().total_credits_balance_usd < account.total_credits_balance_usd


def test_stopping_an_agents_browser_ends_its_session(client: BrowserUse, sim: RunningSimulator) -> None:
    session = sim.running_session().id
    browser = next(
        b
        for b in client.browsers.list(filter_by="active", page_size=100).items
        if str(b.agent_session_id) == session
    )
    client.browsers.stop(str(browser.id))
    assert client.sessions.get(session).status.value == "stopped"


def test_delete_hides_the_session(client: BrowserUse, sim: RunningSimulator) -> None:
    session = sim.running_session().id
    total = client.sessions.list().total
    client.sessions.delete(session)
    assert client.sessions.list().total == total - 1
    with pytest.raises(Exception, match="404"):
        client.sessions.get(session)


def test_totals_are_exact_sums(client: BrowserUse, sim: RunningSimulator) -> None:
    sim.advance(600)
    for session in client.sessions.list(page_size=100).sessions:
        parts = (session.llm_cost_usd, session.proxy_cost_usd, session.browser_cost_usd)
        assert sum(Decimal(part or "0") for part in parts) == Decimal(session.total_cost_usd or "0")
