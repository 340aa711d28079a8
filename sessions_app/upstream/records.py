"""The smaller replies: messages, browsers, names, the account.  Read as tolerantly as sessions."""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from sessions_app.types import AccountFacts, NamedThing

from .errors import BadReply
from .fields import Fields, clean, uuid_of
from .mend import mended

LARGEST_TEXT = 256 * 1024
_anything = msgspec.json.Decoder(float_hook=Decimal)
_NOT_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Message(NamedTuple):
    """One message of a session.  The first `user_message` is the only place that has the task's text."""

    id: str
    role: str
    kind: str
    text: str
    """`data`: text as it is, anything else as JSON; at most 256 KB."""
    summary: str
    hidden: bool
    created_at: datetime | None
    screenshot_url: str | None
    characters: int = 0
    """Of `data` as it came."""


class MessagePage(NamedTuple):
    """Oldest first.  `has_more` is the vendor's word for "in the direction that you asked for"."""

    read_at: datetime
    messages: tuple[Message, ...]
    has_more: bool


class Browser(NamedTuple):
    """A browser that runs, with its agent session, if it has one."""

    uuid: UUID
    session_uuid: UUID | None
    status: str
    started_at: datetime | None
    timeout_at: datetime | None
    proxy_cost_microusd: int | None
    browser_cost_microusd: int | None


def read_object(body: bytes) -> dict[str, Any]:
    """Raises BadReply when the reply is no JSON object."""
    try:
        reply = _anything.decode(body)
    except _NOT_JSON:
        reply = _mended_object(body)
    if not isinstance(reply, dict):
        raise BadReply("Browser Use answered with JSON that is not an object.")
    return reply


def _mended_object(body: bytes) -> Any:
    try:
        return _anything.decode(mended(body))
    except _NOT_JSON as error:
        raise BadReply(f"Browser Use answered with broken JSON ({str(error)[:120]}).") from None


def listed(reply: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects in the list `name`; what is no object is left out.  BadReply when there is no such list."""
    values = reply.get(name)
    if not isinstance(values, list):
        raise BadReply(f"Browser Use answered without a list of {name}.")
    return [value for value in values if isinstance(value, dict)]


def message_page(body: bytes, read_at: datetime) -> MessagePage:
    reply = read_object(body)
    messages = tuple(_message(value) for value in listed(reply, "messages"))
    return MessagePage(read_at, messages, reply.get("hasMore") is True)


def _message(values: dict[str, Any]) -> Message:
    fields, data = Fields(values), values.get("data")
    text = fields.whole_text("data", LARGEST_TEXT)
    return Message(
        id=fields.text("id") or "",
        role=fields.text("role") or "",
        kind=fields.text("type") or "",
        text=text,
        summary=fields.text("summary") or "",
        hidden=fields.flag("hidden") is True,
        created_at=fields.moment("createdAt"),
        screenshot_url=fields.secret("screenshotUrl"),
        characters=len(data) if isinstance(data, str) else len(text),
    )


def browsers(reply: dict[str, Any]) -> list[Browser]:
    return [
        Browser(
            uuid=uuid,
            session_uuid=fields.uuid("agentSessionId"),
            status=fields.text("status") or "",
            started_at=fields.moment("startedAt"),
            timeout_at=fields.moment("timeoutAt"),
            proxy_cost_microusd=fields.micro("proxyCost"),
            browser_cost_microusd=fields.micro("browserCost"),
        )
        for uuid, fields in _with_uuid(reply)
    ]


def named_things(reply: dict[str, Any]) -> list[NamedThing]:
    """Profiles and workspaces; those without a readable id are left out."""
    return [
        NamedThing(uuid, fields.text("name") or "", fields.text("userId") or "")
        for uuid, fields in _with_uuid(reply)
    ]


def _with_uuid(reply: dict[str, Any]) -> list[tuple[UUID, Fields]]:
    found = ((uuid_of(value.get("id")), Fields(value)) for value in listed(reply, "items"))
    return [(uuid, fields) for uuid, fields in found if uuid is not None]


def account_facts(body: bytes) -> AccountFacts:
    """BadReply when neither a project nor a balance can be made out."""
    fields = Fields(read_object(body))
    if not fields.has("projectId") and not fields.has("totalCreditsBalanceUsd"):
        raise BadReply("Browser Use answered without the account's project and balance.")
    limit = fields.count("rateLimit") if fields.has("rateLimit") else None
    return AccountFacts(
        name=clean(fields.text("name") or "")[:200],
        project_id=clean(fields.text("projectId") or "")[:80],
        balance_microusd=fields.micro_number("totalCreditsBalanceUsd"),
        concurrent_browsers=min(limit, 2**31 - 1) if limit is not None and limit >= 0 else None,
    )
