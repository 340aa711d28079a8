"""What the live hub may ask of the rest of the house.  It runs in the hub's threads, never in its event loop."""

import logging
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, load_backend
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, connections
from django.http import QueryDict
from django.utils.crypto import constant_time_compare

from sessions_app.access.roles import sight_of
from sessions_app.live.house import Change, House
from sessions_app.live.tickets import Ticket
from sessions_app.queries import changes, floor, pulse, rows
from sessions_app.types import Sight

log = logging.getLogger(__name__)

_INDENT = re.compile(rb"\n\s+")


def _and_leave[**P, T](work: Callable[P, T]) -> Callable[P, T]:
    """A thread that lives long gives its database connection back: nobody's open screen holds one.

    To SQLite it may keep it: a file has no server that would run out of them, and opening one costs more than most
    of the questions here.
    """

    @wraps(work)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            found = work(*args, **kwargs)
        except BaseException:
            connections.close_all()
            raise
        if connection.vendor != "sqlite":
            connections.close_all()
        return found

    return call


@_and_leave
def render(session_ids: Iterable[int], sight: Sight) -> dict[int, rows.RenderedRow]:
    """Rows by our id.  One that cannot be rendered is left out: the others must not wait for it."""
    wanted = list(session_ids)
    try:
        return rows.rendered(wanted, sight)
    except DatabaseError:
        raise
    except Exception:
        log.exception("live push: a row cannot be rendered, trying one by one")
        return {pk: row for pk in wanted for pk, row in _rendered_alone(pk, sight).items()}


def _rendered_alone(session_id: int, sight: Sight) -> dict[int, rows.RenderedRow]:
    try:
        return rows.rendered([session_id], sight)
    except DatabaseError:
        raise
    except Exception:  # noqa: BLE001 - told above, with its traceback
        log.error("live push: session %d has no row", session_id)
        return {}


@_and_leave
def strip(sight: Sight) -> bytes:
    """Without the template's indentation: a quarter of it."""
    return _INDENT.sub(b"\n", pulse.rendered(sight)).strip()


@_and_leave
def changed_since(session_ids: Iterable[int], moment: datetime) -> list[int]:
    return changes.of(session_ids, moment)


@_and_leave
def changed_since_any(moment: datetime) -> list[Change]:
    return [Change(*change) for change in changes.of_any(moment)]


@_and_leave
def matching(session_ids: Iterable[int], query: str, sight: Sight) -> set[int]:
    """Which of these the live floor would show under that address."""
    chosen = floor.FloorFilter.from_query(QueryDict(query), see_costs=sight.see_costs)
    return set(floor.matching(chosen).filter(pk__in=list(session_ids)).values_list("pk", flat=True))


@_and_leave
def grant(ticket: Ticket, session_key: str) -> Sight | None:
    """What the ticket's person sees, if that browser is still signed in as them."""
    user = signed_in(session_key)
    return sight_of(user) if user is not None and user.pk == ticket.user_id else None


def signed_in(session_key: str) -> User | None:
    """Whose session that is, as `django.contrib.auth.get_user` finds it, but without its writes: that one may
    give the session a new key (after a change of SECRET_KEY), of which this browser would never hear."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key or None).load()
    path = session.get(BACKEND_SESSION_KEY)
    if SESSION_KEY not in session or path not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = load_backend(path).get_user(User._meta.pk.to_python(session[SESSION_KEY]))
    if user is None or not _has_todays_password(user, session.get(HASH_SESSION_KEY, "")):
        return None
    return user


def _has_todays_password(user: User, session_hash: str) -> bool:
    """A new password ends the sessions that were begun with the old one."""
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(session_hash, known) for known in hashes)


def house() -> House:
    return House(
        render=render,
        pulse=strip,
        changed_since=changed_since,
        changed_since_any=changed_since_any,
        matching=matching,
        grant=grant,
    )
