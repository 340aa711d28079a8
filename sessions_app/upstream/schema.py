"""From the vendor's JSON to `SessionData`, in two stages, so that what did not change costs next to nothing.

Stage one (`items_of`) splits a page and hashes each session; stage two (`read_session`) reads one, tolerantly.
Source: https://docs.browser-use.com/cloud/api-v3/sessions/get-session
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec

from sessions_app.types import SessionData

from .decimals import parse_micro
from .digest import digest_of
from .fields import Fields, shown, uuid_of
from .kept import LARGEST_KEPT, NOT_KEPT, kept
from .mend import mended

__all__ = ["Unreadable", "digest_of", "read_session"]

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Unreadable(Exception):
    """A record that cannot be shown as a session.  Its text says why, in words."""


class _Exact(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    """A reply wholly on the contract: nine in ten, and read at a third of the cost."""

    id: UUID
    status: str
    model: str
    created_at: _Moment
    updated_at: _Moment
    title: str | None = None
    output: Any = None
    output_schema: dict[str, Any] | None = None
    step_count: _Count = 0
    last_step_summary: str | None = None
    is_task_successful: bool | None = None
    live_url: str | None = None
    recording_urls: tuple[str, ...] = ()
    profile_id: UUID | None = None
    workspace_id: UUID | None = None
    proxy_country_code: str | None = None
    max_cost_usd: str | None = None
    total_input_tokens: _Count = 0
    total_output_tokens: _Count = 0
    proxy_used_mb: str | None = None
    llm_cost_usd: str | None = None
    proxy_cost_usd: str | None = None
    browser_cost_usd: str | None = None
    total_cost_usd: str | None = None
    screenshot_url: str | None = None
    agentmail_email: str | None = None
    integrations_used: list[str] = []
    thinking_level: str | None = None
    browser_screen_width: int | None = None
    browser_screen_height: int | None = None


_exact = msgspec.json.Decoder(_Exact)
_anything = msgspec.json.Decoder(float_hook=Decimal)
_NOT_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def read_session(raw: bytes) -> SessionData:
    """One SessionResponse.  Unknown statuses, models, countries and fields pass; odd values become oddities.

    Unreadable when it has no usable `id` or `status`, or is not an object at all.
    """
    return _read_exact(raw) or _read_tolerantly(raw)


def _read_exact(raw: bytes) -> SessionData | None:
    """None when anything is off the contract, or too large to keep."""
    try:
        wire = _exact.decode(raw)
    except _NOT_JSON:
        return None
    money = (wire.max_cost_usd, wire.llm_cost_usd, wire.proxy_cost_usd, wire.browser_cost_usd,
             wire.total_cost_usd, wire.proxy_used_mb)  # fmt: skip
    micros = [None if text is None else parse_micro(text) for text in money]
    unread = [text for text, micro in zip(money, micros, strict=True) if micro is None and text is not None]
    secrets = [url for url in (wire.live_url, wire.screenshot_url, *wire.recording_urls) if url]
    cut = _cut_values(raw, secrets)
    if unread or cut is None or not wire.status or b"\\u0000" in raw:
        return None
    return SessionData(
        uuid=wire.id,
        status=wire.status,
        model=wire.model,
        created_at=_utc(wire.created_at),
        updated_at=_utc(wire.updated_at),
        title=wire.title,
        last_step=wire.last_step_summary,
        step_count=wire.step_count,
        is_task_successful=wire.is_task_successful,
        live_url=wire.live_url,
        screenshot_url=wire.screenshot_url,
        recording_urls=wire.recording_urls,
        profile_id=wire.profile_id,
        workspace_id=wire.workspace_id,
        proxy_country=wire.proxy_country_code,
        max_cost_microusd=micros[0],
        llm_cost_microusd=micros[1],
        proxy_cost_microusd=micros[2],
        browser_cost_microusd=micros[3],
        total_cost_microusd=micros[4],
        tokens_in=wire.total_input_tokens,
        tokens_out=wire.total_output_tokens,
        proxy_used_bytes=micros[5],
        digest=digest_of(raw),
        raw=cut,
    )


def _utc(moment: datetime) -> datetime | None:
    return moment if moment.tzinfo is UTC else _in_utc(moment)


def _in_utc(moment: datetime) -> datetime | None:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None


def _cut_values(raw: bytes, secrets: list[str]) -> bytes | None:
    """The reply without these texts, or None where the slow way is needed: escaped differently, or too large."""
    for secret in secrets:
        value = b'"' + secret.encode() + b'"'
        if value not in raw:
            return None
        raw = raw.replace(value, NOT_KEPT)
        if secret.encode() in raw:
            return None
    return raw if len(raw) <= LARGEST_KEPT else None


def _read_tolerantly(raw: bytes) -> SessionData:
    try:
        return _from_object(raw, raw)
    except _NOT_JSON:
        pass
    try:
        return _from_object(mended(raw), raw)
    except _NOT_JSON as error:
        raise Unreadable(f"It is not JSON: {str(error)[:160]}.") from None


def _from_object(raw: bytes, original: bytes) -> SessionData:
    values = _anything.decode(raw)
    if not isinstance(values, dict):
        raise Unreadable(f"It is not an object but {shown(values, 60)}.")
    uuid, status = _identity(values)
    fields = Fields(values)
    live_url = fields.secret("liveUrl")
    return SessionData(
        uuid=uuid,
        status=status,
        model=_required_text(fields, "model"),
        created_at=fields.moment("createdAt"),
        updated_at=fields.moment("updatedAt"),
        title=fields.text("title"),
        last_step=fields.text("lastStepSummary"),
        step_count=fields.count("stepCount"),
        is_task_successful=fields.flag("isTaskSuccessful"),
        live_url=live_url,
        screenshot_url=fields.secret("screenshotUrl"),
        recording_urls=fields.secrets("recordingUrls"),
        profile_id=fields.uuid("profileId"),
        workspace_id=fields.uuid("workspaceId"),
        proxy_country=fields.text("proxyCountryCode"),
        max_cost_microusd=fields.micro("maxCostUsd"),
        llm_cost_microusd=fields.micro("llmCostUsd"),
        proxy_cost_microusd=fields.micro("proxyCostUsd"),
        browser_cost_microusd=fields.micro("browserCostUsd"),
        total_cost_microusd=fields.micro("totalCostUsd"),
        tokens_in=fields.count("totalInputTokens"),
        tokens_out=fields.count("totalOutputTokens"),
        proxy_used_bytes=fields.micro("proxyUsedMb"),
        oddities=tuple(fields.oddities),
        digest=digest_of(original),
        raw=kept(raw, values, [live_url] if live_url else []),
    )


def _identity(values: dict[str, Any]) -> tuple[UUID, str]:
    uuid = uuid_of(values.get("id"))
    if uuid is None:
        stood = "missing" if values.get("id") is None else f"no UUID: {shown(values['id'], 60)}"
        raise Unreadable(f"Its id is {stood}.")
    status = values.get("status")
    if not isinstance(status, str) or not status:
        stood = "missing" if not status else f"no text: {shown(status, 60)}"
        raise Unreadable(f"Its status is {stood}.")
    return uuid, Fields(values).text("status") or ""


def _required_text(fields: Fields, name: str) -> str:
    text = fields.text(name)
    if text is None:
        fields.odd(name)
    return text or ""
