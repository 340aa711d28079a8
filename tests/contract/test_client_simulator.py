"""The simulator's faults, as the client tells them."""

from uuid import UUID

import pytest

from sessions_app.simulator.testing import RunningSimulator
from sessions_app.types import Strategy
from sessions_app.upstream import errors
from sessions_app.upstream.client import Client


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("rate_limit", errors.RateLimited), ("server_error", errors.ServerFault), ("html_200", errors.BadReply),
     ("drop", errors.Disconnected), ("truncate", errors.Disconnected), ("drip_headers", errors.TimedOut), ("slow=1:5", errors.TimedOut)],
)  # fmt: skip
def test_faults_of_the_simulator(
    quiet: RunningSimulator, fault: str, kind: type[errors.UpstreamError]
) -> None:
    uuid = UUID(quiet.running_session().id)
    client = Client(quiet.base_url, quiet.key)
    quiet.faults.set(fault)
    with pytest.raises(kind):
        client.session(uuid, deadline_s=1.0)
    quiet.faults.clear()
    assert client.session(uuid).session.status == "running"


def test_unknown_values_new_fields_and_another_order(sim: RunningSimulator) -> None:
    client = Client(sim.base_url, sim.key)
    sim.faults.set("unknown_enums=1,new_fields=1,order=random,shift_pages=1")
    answers = [client.session(item.uuid).session for item in client.session_page(1).items[:20]]
    assert {"hibernating"} <= {one.status for one in answers}
    assert all(one.oddities == () for one in answers)
    assert all(b'"sandboxRegion":"eu-north-1"' in one.raw for one in answers)


def test_a_stop_whose_answer_is_lost(quiet: RunningSimulator) -> None:
    uuid = UUID(quiet.running_session().id)
    client = Client(quiet.base_url, quiet.key)
    quiet.faults.set("stop_drops_after_effect")
    with pytest.raises(errors.Unclear) as caught:
        client.stop(uuid, Strategy.SESSION)
    assert caught.value.may_have_happened
    assert quiet.calls("POST") == 1
    quiet.faults.clear()
    quiet.advance(30)
    assert client.session(uuid).session.status == "stopped"


def test_odd_fields_forced_upon_a_session(sim: RunningSimulator) -> None:
    client = Client(sim.base_url, sim.key)
    uuid = client.session_page(1).items[0].uuid
    sim.force(
        str(uuid),
        totalCostUsd="1e3",
        title="a\x00b",
        liveUrl="javascript:alert(1)",
        stepCount=2**70,
        output="x" * 400_000,
    )
    seen = client.session(uuid).session
    assert (seen.total_cost_microusd, seen.title, seen.step_count) == (None, "a\ufffdb", 2**63 - 1)
    assert {oddity.field for oddity in seen.oddities} == {"totalCostUsd", "stepCount"}
    assert len(seen.raw) < 262_144
    assert len(client.session_page(1).items) == 100
