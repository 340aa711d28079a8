"""A reply read field by field: odd values are noted as oddities, unknown ones kept, missing ones missed by nobody."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from sessions_app.types import SessionData

from .fields import Fields, shown, uuid_of
from .kept import kept
from .mend import mended

_anything = msgspec.json.Decoder(float_hook=Decimal)
_NOT_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Unreadable(Exception):
    """A record that cannot be shown as a session.  Its text says why, in words."""


def read_tolerantly(raw: bytes, digest: int) -> SessionData:
    """Any reply with an `id` and a `status`; Unreadable otherwise."""
    try:
        return _from_object(raw, digest)
    except _NOT_JSON:
        pass
    try:
        return _from_object(mended(raw), digest)
    except _NOT_JSON as error:
        raise Unreadable(f"It is not JSON: {str(error)[:160]}.") from None


def _from_object(raw: bytes, digest: int) -> SessionData:
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
        digest=digest,
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
