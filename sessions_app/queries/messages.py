"""The messages of a session as a log to read: oldest first, a page at a time from a place (keyset)."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Q, QuerySet

from sessions_app.models import AgentSession, Message, MessageAccess, MessageLog
from sessions_app.rules import messages as rules
from sessions_app.rules.history import from_ms

PAGE = 50
MOST = 200
"""Lines that an open page may grow to, before the oldest leave it."""
SHORT = 600
"""Characters shown at first of what was said; the rest unfolds."""
SHORT_LINES = 12
SUMMARY = 160
MOST_WORDS = 8
"""Of a search, that are looked for."""

KINDS = {
    "user_message": "Task", "assistant_message": "Agent", "completion": "Result", "planning": "Plan",
    "browser_action": "Action", "browser_action_result": "Outcome", "browser_action_error": "Error",
    "file_operation": "File", "code_execution": "Code", "integration": "Integration",
}  # fmt: skip
PEOPLE, AGENT = "Person", "Agent"
OUTCOME = "browser_action_result"

type Place = tuple[int, int]
"""`at_ms` and our id of a message: where a page begins or ends."""


class Line(NamedTuple):
    """One message.  `look` is person, agent, step or error."""

    pk: int
    at: datetime
    look: str
    who: str
    kind: str
    summary: str
    text: str
    short: str
    characters: int
    is_hidden: bool
    outcome: str = ""
    """In a line, what came of a step; its text is in `outcome_text`."""
    outcome_text: str = ""

    @property
    def is_cut(self) -> bool:
        """Whether upstream has more of it than was kept."""
        return self.characters > len(self.text)

    @property
    def is_long(self) -> bool:
        return self.short != self.text


class Sought(NamedTuple):
    """Which messages: `before` a place, all `since` a place that an open page begins with, else the newest;
    with these words, and errors alone if so wanted."""

    before: Place | None = None
    since: Place | None = None
    words: str = ""
    only_errors: bool = False

    @property
    def is_narrowed(self) -> bool:
        return bool(self.words or self.only_errors)

    @property
    def query(self) -> str:
        """As the end of an address: `&find=…&only=errors`."""
        asked = {"find": self.words, "only": "errors" if self.only_errors else ""}
        return "".join(f"&{name}={quote(value)}" for name, value in asked.items() if value)


class Log(NamedTuple):
    """A page of the log.  `first` is its beginning, `earlier` how many messages are kept from before it."""

    lines: tuple[Line, ...]
    first: str
    earlier: int
    dropped: int
    newest: bool
    """The page reaches to the end, and grows."""
    more_to_read: bool
    nothing: str
    """In words, why there is no line."""
    trouble: str
    """In words, why there may be newer ones that are not here."""


def log_of(session: AgentSession, now: datetime, sought: Sought = Sought()) -> Log:  # noqa: B008 - frozen
    """A page of it: see `Sought`."""
    mine = _narrowed(Message.objects.filter(session_id=session.pk), sought)
    rows = _page(mine, sought.before, sought.since)
    lines = tuple(_lines(rows[::-1]))
    mark = _mark(session)
    trouble = _trouble(session, mark, now)
    return Log(
        lines=lines,
        first=_place_of(rows[-1]) if rows else "",
        earlier=mine.filter(_before((rows[-1].at_ms, rows[-1].pk))).count() if rows else 0,
        dropped=mark.dropped if mark else 0,
        newest=sought.before is None,
        more_to_read=bool(mark and mark.read_at and not mark.is_whole and not trouble),
        nothing="" if lines else _not_found(sought) or trouble or _nothing(session, mark),
        trouble=trouble if lines or sought.is_narrowed else "",
    )


def _narrowed(mine: QuerySet[Message], sought: Sought) -> QuerySet[Message]:
    for word in sought.words.split()[:MOST_WORDS]:
        mine = mine.filter(Q(text__icontains=word) | Q(summary__icontains=word))
    return mine.filter(is_error=True) if sought.only_errors else mine


def place(text: str) -> Place | None:
    """What an address says of a place; None for anything else."""
    at_ms, _, pk = text.partition("-")
    numbers = all(part.isascii() and part.isdigit() and len(part) < 19 for part in (at_ms, pk))
    return (int(at_ms), int(pk)) if numbers else None


def _place_of(row: Message) -> str:
    return f"{row.at_ms}-{row.pk}"


def _before(at: Place) -> Q:
    return Q(at_ms__lt=at[0]) | Q(at_ms=at[0], pk__lt=at[1])


def _page(mine: QuerySet[Message], before: Place | None, since: Place | None) -> list[Message]:
    """Newest first."""
    ordered = mine.order_by("-at_ms", "-pk")
    if before is not None:
        return list(ordered.filter(_before(before))[:PAGE])
    if since is not None:
        grown = list(ordered.exclude(_before(since))[:MOST])
        if len(grown) >= PAGE:
            return grown
    return list(ordered[:PAGE])


def _lines(rows: list[Message]) -> Iterator[Line]:
    """What came of a step stands in the line of the step that it follows: half as many lines to read."""
    step: Line | None = None
    for row in rows:
        if step and row.kind == OUTCOME:
            yield step._replace(outcome=row.summary or _one_line(row.text), outcome_text=row.text)
            step = None
            continue
        if step:
            yield step
        line = _line(row)
        step = line if line.look == "step" and row.kind != OUTCOME else None
        if not step:
            yield line
    if step:
        yield step


def _line(row: Message) -> Line:
    return Line(
        pk=row.pk,
        at=from_ms(row.at_ms),
        look=_look(row),
        who=PEOPLE if row.role.lower() in rules.PEOPLE else AGENT if row.role == "ai" else row.role,
        kind=KINDS.get(row.kind, row.kind),
        summary=row.summary or _one_line(row.text),
        text=row.text,
        short=short(row.text),
        characters=max(row.characters, len(row.text)),
        is_hidden=row.is_hidden,
    )


def _look(row: Message) -> str:
    if row.is_error:
        return "error"
    if rules.is_of_a_person(row.kind, row.role):
        return "person"
    return "step" if rules.is_step(row.kind) or row.is_hidden else "agent"


def short(text: str) -> str:
    """The beginning, of so many characters and lines at most."""
    cut = "\n".join(text[: SHORT + 1].split("\n")[:SHORT_LINES])
    return text if cut == text and len(text) <= SHORT else cut[:SHORT].rstrip() + "…"


def _one_line(text: str) -> str:
    return " ".join(text[: SUMMARY * 2].split())[:SUMMARY]


def _mark(session: AgentSession) -> MessageLog | None:
    try:
        return session.message_log
    except ObjectDoesNotExist:
        return None


def _trouble(session: AgentSession, mark: MessageLog | None, now: datetime) -> str:
    access = MessageAccess.objects.filter(account_id=session.account_id).first()
    if access and access.paused_until and access.paused_until > now:
        return f"Messages of this account are not read for now. {access.error}"
    return f"The messages could not be read. {mark.error}" if mark and mark.error else ""


def _not_found(sought: Sought) -> str:
    if sought.words:
        return "No error matches." if sought.only_errors else "No message matches."
    return "No errors." if sought.only_errors else ""


def _nothing(session: AgentSession, mark: MessageLog | None) -> str:
    if mark and mark.read_at:
        return "Nothing has been said yet." if session.is_live else "Nothing was said in this session."
    if session.gone_at:
        return (
            "The session was deleted upstream before anybody had opened it, so its messages were never read."
        )
    if not session.account.is_active:
        return "Its account rests, so its messages are not read."
    return "Messages are read while somebody has the session open; reading…"
