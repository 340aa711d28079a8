"""The vendor's calls that the product uses, as methods that return small typed values.

Cheap to make: connections live in the process, not in the client.  Every method raises `errors.UpstreamError`.
Documentation: https://docs.browser-use.com/cloud/api-v3
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sessions_app.types import AccountFacts, Answer, NamedThing, Strategy

from . import records
from .errors import BadReply, UpstreamError
from .meter import Meter
from .pages import SessionPage, session_page
from .records import Browser, MessagePage
from .schema import Unreadable, read_session
from .transport import READ_DEADLINE_S, Call, Reply, Transport

PAGE_SIZE = 100
"""The most that the vendor gives at once."""

MOST_PAGES = 20
"""Of profiles, workspaces and browsers.  A list that never ends is cut here."""


class Client:
    """One account's view of Browser Use Cloud."""

    def __init__(self, base_url: str, api_key: str, proxy: str = "", meter: Meter | None = None) -> None:
        """`meter`: the account's budget, for the purpose that this client asks for."""
        self._transport = Transport(base_url, api_key, proxy, meter)

    # https://docs.browser-use.com/cloud/api-v3/sessions/list-sessions
    def session_page(self, page: int) -> SessionPage:
        """The page-th hundred of the list, from 1.  No order is promised, and pages shift under the reader."""
        return _page(self._transport.send(_list_call(page)), page)

    def session_pages(self, pages: Sequence[int]) -> list[SessionPage | UpstreamError]:
        """Several pages, four at a time, in the order asked for; one that fails is its error."""
        replies = self._transport.send_many([_list_call(page) for page in pages])
        return [
            _attempt(partial(_page, page=page), reply) for page, reply in zip(pages, replies, strict=True)
        ]

    # https://docs.browser-use.com/cloud/api-v3/sessions/get-session
    def session(self, uuid: UUID, deadline_s: float = READ_DEADLINE_S) -> Answer:
        reply = self._transport.send(_session_call(uuid, deadline_s))
        return _answer(reply, uuid)

    def sessions(
        self, uuids: Sequence[UUID], deadline_s: float = READ_DEADLINE_S
    ) -> list[Answer | UpstreamError]:
        """Several single reads, four at a time, in the order asked for; one that fails is its error."""
        replies = self._transport.send_many([_session_call(uuid, deadline_s) for uuid in uuids])
        return [
            _attempt(partial(_answer, uuid=uuid), reply) for uuid, reply in zip(uuids, replies, strict=True)
        ]

    def whole_reply(self, uuid: UUID, deadline_s: float = READ_DEADLINE_S) -> bytes:
        """The reply about one session as it came, credentials and all: for what is too large to keep."""
        return self._transport.send(_session_call(uuid, deadline_s)).body

    # https://docs.browser-use.com/cloud/api-v3/sessions/stop-session
    def stop(self, uuid: UUID, strategy: Strategy, deadline_s: float = READ_DEADLINE_S) -> Answer:
        """Ask for a stop, once.  The answer is how the session was then, and proves nothing: read again.

        The strategy is always sent: without one the vendor destroys the sandbox.  An error whose
        `may_have_happened` is True leaves open whether the stop took effect; that includes a 2xx whose body
        cannot be read (BadReply with its `status_code`): the vendor took the order, and did not say what came of it.
        """
        call = Call(
            f"/sessions/{uuid}/stop", write={"strategy": Strategy(strategy).value}, deadline_s=deadline_s
        )
        reply = self._transport.send(call)
        try:
            return _answer(reply, uuid)
        except BadReply as error:
            error.may_have_happened, error.status_code = True, 200
            raise

    # https://docs.browser-use.com/cloud/api-v3/sessions/get-session-messages
    def messages(
        self,
        uuid: UUID,
        *,
        after: str = "",
        before: str = "",
        limit: int = 100,
        deadline_s: float = READ_DEADLINE_S,
    ) -> MessagePage:
        """Oldest first; the cursors are message ids; at most 100."""
        params: dict[str, str | int] = {"limit": min(max(limit, 1), PAGE_SIZE)}
        params |= {name: value for name, value in (("after", after), ("before", before)) if value}
        reply = self._transport.send(Call(f"/sessions/{uuid}/messages", params, deadline_s))
        return records.message_page(reply.body, reply.read_at)

    # https://docs.browser-use.com/cloud/api-v3/billing/get-account-billing
    def account(self) -> AccountFacts:
        return records.account_facts(self._transport.send(Call("/billing/account")).body)

    def profiles(self) -> list[NamedThing]:
        return self._all("/profiles", records.named_things)

    def workspaces(self) -> list[NamedThing]:
        return self._all("/workspaces", records.named_things)

    def active_browsers(self) -> list[Browser]:
        """Every running browser, those without an agent session too: they cost money all the same."""
        return self._all("/browsers", records.browsers, filterBy="active")

    def _all[T](self, path: str, read: Callable[[dict[str, Any]], list[T]], **params: str) -> list[T]:
        """All pages, until one is short, repeats, or there were too many.  Without duplicates."""
        found: dict[UUID, T] = {}
        for number in range(1, MOST_PAGES + 1):
            call = Call(path, params | {"pageSize": PAGE_SIZE, "pageNumber": number})
            reply = records.read_object(self._transport.send(call).body)
            before = len(found)
            for thing in read(reply):
                found.setdefault(thing.uuid, thing)  # type: ignore[attr-defined]
            if len(records.listed(reply, "items")) < PAGE_SIZE or len(found) == before:
                break
        return list(found.values())


def _list_call(page: int) -> Call:
    return Call("/sessions", {"page": page, "page_size": PAGE_SIZE})


def _session_call(uuid: UUID, deadline_s: float) -> Call:
    return Call(f"/sessions/{uuid}", deadline_s=deadline_s)


def _page(reply: Reply, page: int) -> SessionPage:
    return session_page(reply.body, reply.read_at, page)


def _answer(reply: Reply, uuid: UUID) -> Answer:
    try:
        session = read_session(reply.body)
    except Unreadable as error:
        raise BadReply(f"Browser Use's answer about this session cannot be read. {error}") from None
    if session.uuid != uuid:
        raise BadReply(f"Browser Use answered about another session ({session.uuid}).")
    return Answer(reply.read_at, session)


def _attempt[T](read: Callable[[Reply], T], reply: Reply | UpstreamError) -> T | UpstreamError:
    if isinstance(reply, UpstreamError):
        return reply
    try:
        return read(reply)
    except UpstreamError as error:
        return error
