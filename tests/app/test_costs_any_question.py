"""Whatever stands in the address bar and whatever was spent: the costs page, its table and its files answer."""

import csv
import io
import json
import re
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, User
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sessions_app.costs.bookkeeper import forget
from sessions_app.costs.outcome import OUTCOMES
from sessions_app.costs.pivot import SIDES
from sessions_app.costs.question import FILTERS, NONE, RANGES, SORTS
from sessions_app.models import Account, AgentSession
from tests.support.factories import make_account
from tests.support.spending import NOW, spend

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

ODD = (
    "",
    NONE,
    "0",
    "-1",
    "9" * 30,
    "\0",
    "é",
    "a" * 200,
    "2026-11-24",
    "9999-12-31",
    "0001-01-01",
    "<b>",
    "%",
)
VALUES = {
    "range": [one for one, _ in RANGES],
    "sort": SORTS,
    "dir": ("asc", "desc"),
    "tz": ("Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"),
    "rows": SIDES,
    "columns": SIDES,
    "page": ("1", "2", "9999"),
    "from": ("2026-11-01", "2026-11-24"),
    "to": ("2026-11-01", "2026-11-24"),
    "outcome": [one.key for one in OUTCOMES],
    "model": ("a",),
    "profile": (str(UUID(int=1)),),
    **{name: () for name in FILTERS if name not in ("outcome", "model", "profile")},
}
QUERY = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from([*values, *ODD]) for name, values in VALUES.items()}
)
SPENT = st.lists(
    st.tuples(
        st.integers(0, 400),  # days ago
        st.sampled_from([None, 0, 1, -5, 10**6, 10**15]),
        st.sampled_from(["running", "idle", "stopped", "error", "hibernating"]),
        st.sampled_from(["a", "b", "", "<script>"]),
        st.sampled_from([None, UUID(int=1)]),
        st.sampled_from([None, True, False]),
    ),
    max_size=6,
)


@pytest.fixture
def lena(client: Client) -> Client:
    user = User.objects.create_user("lena")
    user.groups.add(Group.objects.get(name="lead"))
    client.force_login(user)
    return client


def fetched(client: Client, path: str, query: dict[str, str]) -> bytes:
    answer = client.get(path, query)

    async def read() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    return async_to_sync(read)()


def rows(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))


@settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(QUERY, SPENT)
def test_every_question_of_every_history_is_answered(lena, query, spent):
    AgentSession.objects.all().delete()
    forget()
    account = Account.objects.first() or make_account()
    for days, total, status, model, profile, successful in spent:
        spend(
            [(NOW - timedelta(days=days), total)],
            account=account,
            status=status,
            model=model,
            profile_id=profile,
            is_task_successful=successful,
        )
    with time_machine.travel(NOW, tick=True):
        page = lena.get("/costs/", query)
        file = json.loads(fetched(lena, "/costs/export.json", query))
        lines = rows(fetched(lena, "/costs/export.csv", query))
    assert page.status_code == 200
    shown = re.search(rb'data-total-microusd="(-?[0-9]+)"', page.content)
    assert shown
    assert int(shown.group(1)) == file["total_microusd"] == sum(int(row["total_microusd"]) for row in lines)
