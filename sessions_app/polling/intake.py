"""From pages to the database: what did not change is not even decoded, and what cannot be read spoils nothing."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sessions_app.models import Account
from sessions_app.polling import absence, lookup
from sessions_app.polling.ingest import NOTHING, Applied, apply_answers
from sessions_app.types import Answer, SetAside
from sessions_app.upstream.digest import said_at
from sessions_app.upstream.kept import excerpt
from sessions_app.upstream.pages import Item, SessionPage
from sessions_app.upstream.schema import Unreadable, read_session


class Taken(NamedTuple):
    """What some pages came to.  `new` never seen before; `live` neither ended nor gone, by what is known now."""

    seen: set[UUID]
    live: set[UUID]
    new: set[UUID]
    set_aside: list[SetAside]
    applied: Applied


def take_pages(account: Account, pages: Iterable[SessionPage]) -> Taken:
    """Everything that these pages tell, in one transaction."""
    pages = list(pages)
    items = {item.uuid: (page.read_at, item) for page in _oldest_first(pages) for item in page.items}
    known = lookup.stored(account.pk, list(items))
    taken = Taken(set(items), set(), set(), [one for page in pages for one in page.set_aside], NOTHING)
    answers = []
    for uuid, (read_at, item) in items.items():
        before = known.get(uuid)
        if before and before.digest == item.digest and not _says_later(item, before):
            if before.is_live:
                taken.live.add(uuid)
            continue
        if answer := _read(item, read_at, taken):
            answers.append(answer)
            if before is None:
                taken.new.add(uuid)
    applied = apply_answers(account, answers)
    _note_unreadable(account, taken.set_aside, pages)
    return taken._replace(applied=applied)


def _oldest_first(pages: list[SessionPage]) -> list[SessionPage]:
    """So that of a session that stands on two pages the later reading counts."""
    return sorted(pages, key=lambda page: page.read_at)


def _says_later(item: Item, before: lookup.Stored) -> bool:
    """It changed and changed back between our looks.  Written down, so that an answer from between is late."""
    now = said_at(item.raw)
    return now is not None and (before.said_at is None or now > before.said_at)


def _read(item: Item, read_at: datetime, taken: Taken) -> Answer | None:
    try:
        session = read_session(item.raw, item.digest)
    except Unreadable as error:
        taken.set_aside.append(SetAside(str(item.uuid), str(error), excerpt(item.raw)))
        return None
    if not session.is_final:
        taken.live.add(item.uuid)
    return Answer(read_at, session)


def _note_unreadable(account: Account, set_aside: list[SetAside], pages: list[SessionPage]) -> None:
    """A session that we show, and whose record is broken now: what is shown is old from here on."""
    uuids = [uuid for one in set_aside if (uuid := _uuid(one.uuid_text))]
    if uuids:
        absence.note_unread(account, uuids, min(page.read_at for page in pages))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
