"""The client against the simulator: every call, over real HTTP."""

import os
import threading
from uuid import UUID, uuid4

import pytest

from sessions_app.simulator.testing import RunningSimulator, running_simulator
from sessions_app.types import AccountFacts, Answer, NamedThing, Strategy
from sessions_app.upstream.client import Client
from sessions_app.upstream.errors import NotFound, Unauthorized
from sessions_app.upstream.pages import SessionPage
from sessions_app.upstream.schema import read_session


@pytest.fixture
def client(sim: RunningSimulator) -> Client:
    return Client(sim.base_url, sim.key)


@pytest.fixture
def alone(quiet: RunningSimulator) -> Client:
    return Client(quiet.base_url, quiet.key)


def test_a_page_of_the_list(sim: RunningSimulator, client: Client) -> None:
    page = client.session_page(1)
    assert (len(page.items), page.page, page.set_aside) == (100, 1, ())
    assert page.total == len(sim.world.sessions)
    for item in page.items:
        seen = read_session(item.raw)
        assert (seen.uuid, seen.digest, seen.oddities) == (item.uuid, item.digest, ())
    assert sim.requests[-1]["query"] == "page=1&page_size=100"


def test_reading_twice_finds_nothing_new(client: Client) -> None:
    """Though every picture has another address the second time."""
    once, again = client.session_page(1), client.session_page(1)
    assert [item.digest for item in once.items] == [item.digest for item in again.items]
    assert [item.raw for item in once.items] != [item.raw for item in again.items]


def test_a_step_is_a_change(quiet: RunningSimulator, alone: Client) -> None:
    quiet.running_session()
    before = alone.session_page(1).items[0].digest
    quiet.advance(120)
    assert alone.session_page(1).items[0].digest != before


def test_the_list_and_the_single_reading_agree(client: Client) -> None:
    item = client.session_page(1).items[0]
    answer = client.session(item.uuid)
    assert answer.session.digest == item.digest
    listed = read_session(item.raw)
    assert answer.session.title == listed.title
    assert answer.session.total_cost_microusd == listed.total_cost_microusd


def test_several_pages_in_the_order_asked_for(client: Client, sim: RunningSimulator) -> None:
    pages = client.session_pages([2, 1, 99])
    assert [page.page for page in pages if isinstance(page, SessionPage)] == [2, 1, 99]
    first, second, none = (page.items for page in pages if isinstance(page, SessionPage))
    assert {item.uuid for item in first}.isdisjoint(item.uuid for item in second)
    assert none == ()
    assert client.session_pages([]) == []


def test_several_sessions_and_one_that_is_not_there(client: Client) -> None:
    there = [item.uuid for item in client.session_page(1).items[:9]]
    answers = client.sessions([*there[:5], uuid4(), *there[5:]])
    assert isinstance(answers[5], NotFound)
    assert [a.session.uuid for a in answers if isinstance(a, Answer)] == there


def test_an_unknown_session_and_a_wrong_key(sim: RunningSimulator, client: Client) -> None:
    with pytest.raises(NotFound):
        client.session(uuid4())
    with pytest.raises(Unauthorized) as caught:
        Client(sim.base_url, "bu_wrong_key").account()
    assert "bu_wrong_key" not in str(caught.value)


def test_stopping_the_task(quiet: RunningSimulator, alone: Client) -> None:
    uuid = UUID(quiet.running_session().id)
    answer = alone.stop(uuid, Strategy.TASK)
    assert (answer.session.uuid, answer.session.is_final) == (uuid, False)
    quiet.advance(10)
    assert alone.session(uuid).session.status == "idle"
    assert [one["body"] for one in quiet.requests if one["method"] == "POST"] == ['{"strategy":"task"}']


def test_ending_the_session(quiet: RunningSimulator, alone: Client) -> None:
    uuid = UUID(quiet.running_session().id)
    alone.stop(uuid, Strategy.SESSION)
    quiet.advance(10)
    assert alone.session(uuid).session.status == "stopped"
    assert [one["body"] for one in quiet.requests if one["method"] == "POST"] == ['{"strategy":"session"}']


def test_a_stop_without_a_known_strategy_is_never_sent(quiet: RunningSimulator, alone: Client) -> None:
    uuid = UUID(quiet.running_session().id)
    for strategy in ("", "everything", None):
        with pytest.raises(ValueError, match="is not a valid Strategy"):
            alone.stop(uuid, strategy)  # type: ignore[arg-type]
    assert quiet.calls("POST") == 0


def test_messages_page_by_page(quiet: RunningSimulator, alone: Client) -> None:
    uuid = UUID(quiet.running_session("Compare three offers").id)
    quiet.advance(300)
    whole = alone.messages(uuid, limit=1000)
    first = whole.messages[0]
    assert (first.kind, first.role, first.text) == ("user_message", "human", "Compare three offers")
    assert first.created_at is not None
    assert first.created_at <= whole.messages[-1].created_at
    some = alone.messages(uuid, limit=3)
    assert len(some.messages) == 3
    assert some.has_more
    after = alone.messages(uuid, after=first.id, limit=100)
    assert after.messages[0] == whole.messages[1]._replace(screenshot_url=after.messages[0].screenshot_url)
    before = alone.messages(uuid, before=whole.messages[2].id)
    assert [message.id for message in before.messages] == [message.id for message in whole.messages[:2]]


def test_the_account(client: Client, sim: RunningSimulator) -> None:
    facts = client.account()
    assert isinstance(facts, AccountFacts)
    assert facts.name == "Simulated project"
    assert facts.balance_microusd == sim.world.balance_micros()
    assert facts.concurrent_browsers == 250


def test_names(client: Client, sim: RunningSimulator) -> None:
    profiles, workspaces = client.profiles(), client.workspaces()
    assert {str(one.uuid) for one in profiles} == {raw["id"] for raw in sim.world.profiles}
    assert {one.name for one in workspaces} == {raw["name"] for raw in sim.world.workspaces}
    assert any(one.customer_id for one in profiles)


def test_browsers_of_live_sessions_and_standalone_ones(sim: RunningSimulator, client: Client) -> None:
    browsers = client.active_browsers()
    assert len(browsers) == len({one.uuid for one in browsers})
    assert {str(one.session_uuid) for one in browsers if one.session_uuid} == set(sim.world.live)
    assert all(one.browser_cost_microusd is not None and one.status == "active" for one in browsers)


def test_lists_longer_than_a_page_are_read_whole_and_once() -> None:
    with running_simulator(sessions=0, clock="manual") as sim:
        template = sim.world.profiles[0]
        sim.world.profiles[:] = [template | {"id": str(uuid4()), "name": f"P{n}"} for n in range(250)]
        names = Client(sim.base_url, sim.key).profiles()
    assert {one.name for one in names} == {f"P{n}" for n in range(250)}
    assert all(isinstance(one, NamedThing) for one in names)


# ---- connections -----------------------------------------------------------------------------------


def test_threads_share_the_pool(sim: RunningSimulator) -> None:
    def read() -> None:
        for _ in range(5):
            assert Client(sim.base_url, sim.key).account().name == "Simulated project"

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sim.calls("GET", "/billing") == 30


def test_a_forked_worker_reads_with_connections_of_its_own(sim: RunningSimulator, client: Client) -> None:
    """Celery's prefork pool forks after the parent may have read."""
    client.account()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, client.account().name.encode())
        except BaseException as error:
            os.write(writer, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        assert said.read() == b"Simulated project"
    os.waitpid(child, 0)
    assert client.account().name == "Simulated project"
