"""Whatever arrives in whatever order, with crashes and failures between: the end is that of one clean reading.

Upstream is a model that changes while requests are on their way.  What they are answered with is captured when they
begin; it arrives later, twice, never, in the middle of another's arrival, or is applied by a worker that dies half-way.
After each step what is shown must be what the newest answer that has arrived told.  `MISTAKES` are planted in the code
one by one, and each must be found.
"""

import os
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db.models import Sum
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from sessions_app.models import Account, AgentSession, CostHour, Snapshot
from sessions_app.polling import absence, ingest, intake, lookup, records
from sessions_app.polling.ingest import apply_answers
from sessions_app.polling.intake import take_pages
from sessions_app.rules import changes
from sessions_app.types import Answer
from sessions_app.upstream.pages import session_page
from sessions_app.upstream.schema import read_session
from tests.support.answers import at
from tests.support.environment import TEST_DATABASE_URL
from tests.support.replies import page, raw_session

KINDS = ("llm", "proxy", "browser", "total")
EXAMPLES = 8 if os.environ.get(TEST_DATABASE_URL) else 25
MOST_SCRIPTS = 100
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
    st.tuples(st.just("undo"), numbers),
    st.tuples(st.just("delete"), numbers),
    st.tuples(st.just("ask_list")),
    st.tuples(st.just("ask_alone"), numbers),
    st.tuples(st.just("arrive"), st.integers(0, 7)),
    st.tuples(st.just("arrive"), st.integers(0, 7)),
    st.tuples(st.just("race"), st.integers(0, 7), st.integers(0, 7)),
    st.tuples(st.sampled_from(["die", "fail"]), st.integers(0, 7)),
    st.tuples(st.just("restart")),
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
    states: dict[int, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def change(self, number: int, state: dict[str, Any]) -> None:
        known = self.sessions.get(number, {})
        if any(known.get(name) != value for name, value in state.items()):
            self.states[number].append(state)
            self.sessions[number] = state | {"updatedAt": at(self.now_s).isoformat(), "since_s": self.now_s}

    def undo(self, number: int) -> None:
        """Back to the state before; that, too, is a change."""
        if len(self.states[number]) > 1:
            self.change(number, self.states[number][-2])

    def reply(self, number: int) -> bytes:
        state = {name: value for name, value in self.sessions[number].items() if name != "since_s"}
        return raw_session(id=str(uuid_of(number)), createdAt=at(0).isoformat(), **state)


@dataclass
class Told:
    """What the answers that have arrived say of one session, by when their requests began (seconds, None: none)."""

    state: dict[str, Any] | None = None
    at_s: float = -1.0
    denied_s: list[float] = field(default_factory=list)
    failed_s: float = -1.0

    def check(self, row: AgentSession) -> None:
        """The newest answer is what is shown; what was denied or failed before its news does not count any more."""
        if self.state is not None:
            assert {"status": row.status, "title": row.title, "stepCount": row.step_count} == {
                name: self.state[name] for name in ("status", "title", "stepCount")
            }
            for kind in KINDS:
                told = round(float(self.state[f"{kind}CostUsd"]) * 1_000_000)
                assert getattr(row, f"{kind}_cost_microusd") == told
        if self.news_s > max(self.denied_s, default=-1.0):
            assert row.missing_since is None and row.gone_at is None
        if self.news_s > self.failed_s:
            assert row.unread_since is None
        if row.gone_at:
            assert max(self.denied_s) - min(self.denied_s) >= 60, "one 404 proves nothing"

    @property
    def news_s(self) -> float:
        """When that state came about upstream, as far as it has been told."""
        return self.state["since_s"] if self.state else -1.0


class Poller:
    """Our side: requests on their way, and what is done with their answers."""

    def __init__(self, account: Account, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
        self.account, self.upstream, self.monkeypatch = account, upstream, monkeypatch
        self.on_their_way: list[Request] = []
        self.told: dict[UUID, Told] = defaultdict(Told)

    def ask_list(self) -> None:
        moment, told = at(self.upstream.now_s), dict(self.upstream.sessions)
        listed = session_page(page(*map(self.upstream.reply, told)), moment, 1)
        states = {uuid_of(number): state for number, state in told.items()}
        self._send(lambda: take_pages(self.account, [listed]), states)

    def ask_alone(self, number: int) -> None:
        moment, uuid = at(self.upstream.now_s), uuid_of(number)
        if number not in self.upstream.sessions:
            self._send(lambda: absence.note_not_found(self.account, [uuid], moment), {uuid: None})
            return
        answer = Answer(moment, read_session(self.upstream.reply(number)))
        self._send(lambda: apply_answers(self.account, [answer]), {uuid: self.upstream.sessions[number]})

    def arrive(self, place: int) -> None:
        if request := self._at(place):
            request.arrives()
            self._note(request)

    def race(self, place: int, other: int) -> None:
        """Another worker's answer arrives between what this one looks up and what it writes."""
        second, look_up = self._at(other), lookup.stored

        def overtaken(*given: Any) -> Any:
            found = look_up(*given)
            patch.setattr(lookup, "stored", look_up)
            if second:
                second.arrives()
                self._note(second)
            return found

        with self.monkeypatch.context() as patch:
            patch.setattr(lookup, "stored", overtaken)
            self.arrive(place)

    def die(self, place: int) -> None:
        """It arrives, and the worker dies before the end of the transaction."""

        def killed(*_: object, **__: object) -> None:
            raise Killed

        with self.monkeypatch.context() as patch:
            patch.setattr(records, "write_recordings", killed)
            patch.setattr(absence.publish, "changed_on_commit", killed)
            with suppress(Killed):
                self.arrive(place)

    def fail(self, place: int) -> None:
        if request := self._at(place):
            self.on_their_way.remove(request)
            absence.note_unread(self.account, list(request.states), at(request.asked_s))
            for uuid in request.states:
                self.told[uuid].failed_s = max(self.told[uuid].failed_s, request.asked_s)

    def restart(self) -> None:
        """Whatever lived in memory or in the cache is gone, and so is what was on its way."""
        cache.clear()
        self.on_their_way.clear()

    def check(self) -> None:
        rows = {row.uuid: row for row in AgentSession.objects.all()}
        for uuid, told in self.told.items():
            if uuid in rows:
                told.check(rows[uuid])

    def _at(self, place: int) -> "Request | None":
        return self.on_their_way[place % len(self.on_their_way)] if self.on_their_way else None

    def _note(self, request: "Request") -> None:
        for uuid, state in request.states.items():
            told = self.told[uuid]
            if state is None:
                told.denied_s.append(request.asked_s)
            elif request.asked_s > max([told.at_s, *told.denied_s]):
                told.state, told.at_s = state, request.asked_s

    def _send(self, arrives: Callable[[], object], states: dict[UUID, dict[str, Any] | None]) -> None:
        self.on_their_way.append(Request(self.upstream.now_s, arrives, states))
        del self.on_their_way[:-8]


class Request(NamedTuple):
    """On its way since `asked_s`; what it will tell of whom, None for 404."""

    asked_s: float
    arrives: Callable[[], object]
    states: dict[UUID, dict[str, Any] | None]


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


def played(script: list[tuple], monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole script, watched at each step, and then one clean reading."""
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
            getattr(upstream if action in {"change", "undo"} else poller, action)(*given_values)
        after = shown()
        assert all(after[uuid] >= moments for uuid, moments in before.items()), "a session moved backwards"
        before = after
        if action in {"arrive", "race", "die", "fail"}:
            poller.check()
            check_books()
    read_cleanly(poller)
    disorder = facts(gone=False)
    gone = set(AgentSession.objects.exclude(gone_at=None).values_list("uuid", flat=True))
    check_books()
    assert gone == set(before) - {uuid_of(number) for number in upstream.sessions}
    clean = Poller(fresh_account("clean"), upstream, monkeypatch)
    clean.ask_list()
    clean.arrive(-1)
    assert disorder == facts(gone=False)
    check_books()


#: Somebody asks while a change stands that is taken back: what is shown is the same before and after.
detours = st.tuples(numbers, states).map(
    lambda drawn: [("change", *drawn), ("ask_alone", drawn[0]), ("undo", drawn[0]), ("ask_list",)]
)
scripts = st.lists(st.one_of(*[actions.map(lambda one: [one])] * 3, detours), min_size=20, max_size=35).map(
    lambda parts: [one for part in parts for one in part]
)


@pytest.mark.both_databases
@pytest.mark.django_db
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=scripts)
def test_any_interleaving_ends_like_one_clean_reading(script, monkeypatch):
    played(script, monkeypatch)


LATER = timedelta(days=1)
_spend, _next_sight, _note_not_found, _note_unread = (
    changes._spend,
    ingest.next_sight,
    absence.note_not_found,
    absence.note_unread,
)
#: What somebody might get wrong: where, and what it would be.
MISTAKES = {
    "a change that was taken back is not noted": (intake, "_says_later", lambda *_: False),
    "late answers count": (ingest, "_is_late", lambda *_: False),
    "an old 404 counts after a newer answer": (
        absence, "note_not_found", lambda account, uuids, moment: _note_not_found(account, uuids, moment + LATER),
    ),
    "one 404 is enough": (absence, "CONFIRMED_AFTER", -LATER),
    "an old failure counts after a newer answer": (
        absence, "note_unread", lambda account, uuids, moment: _note_unread(account, uuids, moment + LATER),
    ),
    "the total is booked, not the rise": (changes, "_spend", lambda seen, known, moment: _spend(seen, None, moment)),
    "each answer is a snapshot": (
        ingest, "next_sight", lambda *given: _next_sight(*given)._replace(snapshot=True),
    ),
    "session and bookings are written apart": (ingest, "transaction", SimpleNamespace(atomic=nullcontext)),
}  # fmt: skip


NEWS = FIRST | {"title": "Two"}
#: What chance brings together once in some hundred scripts.
STORIES = {
    "news that was taken back comes late": [
        ("ask_list",), ("arrive", 0), ("change", 1, NEWS), ("ask_alone", 1), ("undo", 1), ("ask_list",), ("arrive", 2),
        ("arrive", 1),
    ],
    "a 404 comes after the news that it is back": [
        ("ask_list",), ("arrive", 0), ("delete", 1), ("ask_alone", 1), ("change", 1, NEWS), ("ask_alone", 1),
        ("arrive", 2), ("arrive", 1),
    ],
    "one 404 comes twice": [("ask_list",), ("arrive", 0), ("delete", 1), ("ask_alone", 1), ("arrive", 1), ("arrive", 1)],
    "a failure comes after the news": [
        ("ask_list",), ("arrive", 0), ("ask_alone", 1), ("change", 1, NEWS), ("ask_alone", 1), ("arrive", 2), ("fail", 1),
    ],
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("story", STORIES)
def test_a_story(story, monkeypatch):
    played(STORIES[story], monkeypatch)


@pytest.mark.django_db
@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_planted_mistake_is_found(mistake, monkeypatch):
    """By one of the stories, or of the scripts that chance would write: always the same ones."""
    where, name, wrong = MISTAKES[mistake]
    monkeypatch.setattr(where, name, wrong)

    @settings(
        max_examples=MOST_SCRIPTS,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(script=scripts)
    def search(script):
        played(script, monkeypatch)

    for story in STORIES.values():
        search = example(script=story)(search)
    with pytest.raises(AssertionError):
        search()
