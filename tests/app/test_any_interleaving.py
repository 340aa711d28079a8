"""Whatever arrives in whatever order, with crashes and failures between: the end is that of one clean reading.

Upstream is a model that changes while requests are on their way.  What they are answered with is captured when they
begin; it arrives later, twice, never, or is applied by a worker that dies half-way.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app.models import Account, AgentSession, CostHour, Snapshot
from sessions_app.polling import absence, records
from sessions_app.polling.ingest import apply_answers
from sessions_app.polling.intake import take_pages
from sessions_app.types import Answer
from sessions_app.upstream.pages import session_page
from sessions_app.upstream.schema import read_session
from tests.support.answers import at
from tests.support.environment import TEST_DATABASE_URL
from tests.support.replies import page, raw_session

KINDS = ("llm", "proxy", "browser", "total")
EXAMPLES = 8 if os.environ.get(TEST_DATABASE_URL) else 25
FACTS = ("uuid", "status", "title", "step_count", "is_live", "gone_at", "missing_since", "unread_since",
         *(f"{kind}_cost_microusd" for kind in KINDS), "updated_at")  # fmt: skip
STEP_S = 15.0
"""Between two actions: a 404 is confirmed by one that comes some four actions later."""

numbers = st.integers(1, 3)
states = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["idle", "running", "stopped"]),
        "title": st.sampled_from(["One", "One", "Two"]),
        "stepCount": st.integers(0, 1),
        **{f"{kind}CostUsd": st.sampled_from(["0", "0", "+.5"]) for kind in KINDS},
    }
)
FIRST = {"status": "idle", "title": "One", "stepCount": 0} | {f"{kind}CostUsd": "0" for kind in KINDS}
actions = st.one_of(
    st.tuples(st.just("change"), numbers, states),
    st.tuples(st.just("delete"), numbers),
    st.tuples(st.just("ask_list")),
    st.tuples(st.just("ask_alone"), numbers),
    st.tuples(st.just("arrive"), st.integers(0, 7)),
    st.tuples(st.just("arrive"), st.integers(0, 7)),
    st.tuples(st.sampled_from(["die", "fail"]), st.integers(0, 7)),
)


class Killed(BaseException):
    """The worker was shot in the middle of writing."""


def uuid_of(number: int) -> UUID:
    return UUID(int=number, version=4)


@dataclass
class Upstream:
    """What the vendor has, by number, as replies."""

    now_s: float = 0.0
    sessions: dict[int, dict[str, Any]] = field(default_factory=dict)

    def change(self, number: int, state: dict[str, Any]) -> None:
        known = self.sessions.get(number, {})
        if any(known.get(name) != value for name, value in state.items()):
            self.sessions[number] = state | {"updatedAt": at(self.now_s).isoformat()}

    def reply(self, number: int) -> bytes:
        state = self.sessions[number]
        return raw_session(id=str(uuid_of(number)), createdAt=at(0).isoformat(), **state)


class Poller:
    """Our side: requests on their way, and what is done with their answers."""

    def __init__(self, account: Account, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
        self.account, self.upstream, self.monkeypatch = account, upstream, monkeypatch
        self.on_their_way: list[tuple[float, Callable[[], object], list[UUID]]] = []

    def ask_list(self) -> None:
        moment, everybody = at(self.upstream.now_s), list(self.upstream.sessions)
        listed = session_page(page(*map(self.upstream.reply, everybody)), moment, 1)
        self._send(lambda: take_pages(self.account, [listed]), [uuid_of(number) for number in everybody])

    def ask_alone(self, number: int) -> None:
        moment, uuid = at(self.upstream.now_s), uuid_of(number)
        if number not in self.upstream.sessions:
            self._send(lambda: absence.note_not_found(self.account, [uuid], moment), [uuid])
            return
        answer = Answer(moment, read_session(self.upstream.reply(number)))
        self._send(lambda: apply_answers(self.account, [answer]), [uuid])

    def arrive(self, place: int) -> None:
        if self.on_their_way:
            self.on_their_way[place % len(self.on_their_way)][1]()

    def die(self, place: int) -> None:
        """It arrives, and the worker dies before the end of the transaction."""

        def killed(*_: object, **__: object) -> None:
            raise Killed

        with self.monkeypatch.context() as patch:
            patch.setattr(records, "write_recordings", killed)
            patch.setattr(absence.publish, "changed_on_commit", killed)
            try:
                self.arrive(place)
            except Killed:
                pass

    def fail(self, place: int) -> None:
        if self.on_their_way:
            moment_s, _, uuids = self.on_their_way.pop(place % len(self.on_their_way))
            absence.note_unread(self.account, uuids, at(moment_s))

    def _send(self, arrives: Callable[[], object], uuids: list[UUID]) -> None:
        self.on_their_way.append((self.upstream.now_s, arrives, uuids))
        del self.on_their_way[:-8]


def fresh_account(slug: str) -> Account:
    AgentSession.objects.all().delete()
    Account.objects.filter(slug=slug).delete()
    return Account.objects.create(slug=slug, name=slug, base_url="http://127.0.0.1:1", api_key="k")


def shown() -> dict[UUID, tuple]:
    """What was true upstream when, by what we show: the vendor's moment and ours."""
    rows = AgentSession.objects.values_list("uuid", "updated_at", "observed_at")
    return {uuid: (updated_at, observed_at) for uuid, updated_at, observed_at in rows}


def check_books() -> None:
    """What was booked is the last total, per kind and session; no snapshot twice."""
    for session in AgentSession.objects.all():
        sums = {kind: Sum(f"{kind}_microusd") for kind in KINDS}
        booked = CostHour.objects.filter(session=session).aggregate(**sums)
        for kind in KINDS:
            assert (booked[kind] or 0) == (getattr(session, f"{kind}_cost_microusd") or 0)
        history = list(Snapshot.objects.filter(session=session).order_by("at_ms").values_list(
            "status_code", "step_count", *(f"{kind}_cost_microusd" for kind in KINDS)
        ))  # fmt: skip
        assert all(one != other for one, other in pairwise(history))


def read_cleanly(poller: Poller) -> None:
    """Once all is quiet: one reading of the list, and two questions, a minute apart, for whom it does not show."""
    for _ in range(2):
        poller.upstream.now_s += 61
        poller.ask_list()
        poller.arrive(-1)
        for uuid in AgentSession.objects.values_list("uuid", flat=True):
            number = next(n for n in (1, 2, 3) if uuid_of(n) == uuid)
            poller.ask_alone(number)
            poller.arrive(-1)


def facts(*, gone: bool) -> list[tuple]:
    rows = AgentSession.objects.filter(gone_at__isnull=not gone)
    return list(rows.order_by("uuid").values_list(*FACTS))


@pytest.mark.both_databases
@pytest.mark.django_db
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(actions, min_size=25, max_size=45))
def test_any_interleaving_ends_like_one_clean_reading(script, monkeypatch):
    upstream = Upstream()
    for number in (1, 2, 3):
        upstream.change(number, FIRST)
    poller = Poller(fresh_account("in-disorder"), upstream, monkeypatch)
    before = shown()
    for action, *given_values in script:
        upstream.now_s += STEP_S
        if action == "delete":
            upstream.sessions.pop(given_values[0], None)
        else:
            getattr(upstream if action == "change" else poller, action)(*given_values)
        after = shown()
        assert all(after[uuid] >= moments for uuid, moments in before.items()), "a session moved backwards"
        before = after
        if action == "die":
            check_books()
    read_cleanly(poller)
    disorder, gone = (
        facts(gone=False),
        set(AgentSession.objects.exclude(gone_at=None).values_list("uuid", flat=True)),
    )
    check_books()
    assert gone == set(before) - {uuid_of(number) for number in upstream.sessions}
    clean = Poller(fresh_account("clean"), upstream, monkeypatch)
    clean.ask_list()
    clean.arrive(-1)
    assert disorder == facts(gone=False)
    check_books()
