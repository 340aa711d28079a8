"""The world as v3 JSON: camelCase, money as decimal strings, times as ISO 8601 in UTC."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from . import life, scenes, signing
from .dice import Dice, mix
from .model import Browser, Session
from .prices import BROWSER_MS_PER_MICRO, PROXY_MICROS_PER_KB, megabytes, usd
from .world import MONTHLY_MICROS, World

_BROWSER_LIMIT_MS = 4 * 3_600_000
_MASK = (1 << 128) - 1


class Visit(NamedTuple):
    """What a reply needs to know of the request: where it came to, when, and a number no other reply has."""

    base: str  # http://127.0.0.1:8787
    now_ms: int
    nonce: int


@lru_cache(maxsize=4096)
def instant(ms: int) -> str:
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}000Z"


def session(world: World, one: Session, visit: Visit, *, single: bool = True) -> dict[str, Any]:
    """A SessionResponse. `recordingUrls` are given when a single session is read, [] in lists, as the late-2026 client says."""
    task = one.task
    reply = {
        "id": one.id,
        "status": one.status,
        "model": one.model,
        "title": scenes.title(one.tasks[0]) if one.tasks else None,
        "output": scenes.output(task) if task else None,
        "outputSchema": schema_of(one),
        "stepCount": one.steps,
        "lastStepSummary": one.summary,
        "isTaskSuccessful": one.success,
        "liveUrl": live_url(world, one, visit) if one.live else None,
        "recordingUrls": recordings(world, one, visit) if single else [],
        "profileId": one.profile_id,
        "workspaceId": one.workspace_id,
        "proxyCountryCode": one.country,
        "maxCostUsd": None if one.max_cost_micros is None else usd(one.max_cost_micros),
        "totalInputTokens": one.tokens_in,
        "totalOutputTokens": one.tokens_out,
        "proxyUsedMb": megabytes(one.proxy_kb),
        "llmCostUsd": usd(one.llm_micros),
        "proxyCostUsd": usd(one.proxy_kb * PROXY_MICROS_PER_KB),
        "browserCostUsd": usd(one.browser_ms // BROWSER_MS_PER_MICRO),
        "totalCostUsd": usd(life.total_micros(one)),
        "screenshotUrl": picture_url(world, one, one.steps, visit) if one.steps else None,
        "agentmailEmail": one.email,
        "integrationsUsed": one.integrations,
        "createdAt": instant(one.created_ms),
        "updatedAt": instant(one.updated_ms),
    }
    if one.newer:
        reply |= {
            "thinkingLevel": one.thinking,
            "browserScreenWidth": one.width,
            "browserScreenHeight": one.height,
        }
    return reply | one.forced if one.forced else reply


def schema_of(one: Session) -> dict[str, Any] | None:
    """The schema of the latest task that had one; before any task, what was sent along when the session was created."""
    schemas = (scenes.schema_of(task) for task in reversed(one.tasks))
    return next((schema for schema in schemas if schema is not None), one.schema)


def picture_url(world: World, one: Session, step: int, visit: Visit) -> str:
    return signing.presign(
        world.secret,
        visit.base,
        f"/pictures/{one.id}/{step}.{picture_format(one)}",
        visit.now_ms,
        visit.nonce,
    )


def picture_format(one: Session) -> str:
    """Half of the sessions give PNG, the others JPEG."""
    return "png" if one.key & 1 else "jpg"


def live_url(world: World, one: Session, visit: Visit) -> str:
    return f"{visit.base}/live/{one.id}?token={signing.live_token(world.secret, one.id)}"


def recordings(world: World, one: Session, visit: Visit) -> list[str]:
    """One file per finished task, if recording was asked for."""
    if not one.recording:
        return []
    ended = [number for number, task in enumerate(one.tasks) if task.ended_ms is not None and task.steps]
    paths = [f"/recordings/{one.id}/{number}.webm" for number in ended]
    return [signing.presign(world.secret, visit.base, path, visit.now_ms, visit.nonce) for path in paths]


def browser_id(one: Session) -> str:
    """The browser of an agent session; the mapping goes both ways (see `session_id_of`), so nothing is stored."""
    return str(UUID(int=UUID(one.id).int ^ _flip()))


def session_id_of(browser_id: str) -> str:
    return str(UUID(int=UUID(browser_id).int ^ _flip()))


def _flip() -> int:
    """Changes all but the bits that say 'version 4'."""
    return (mix(1) << 64 | mix(2)) & _MASK & ~(0xF << 76) & ~(0x3 << 62)


def browser_of(world: World, one: Session, visit: Visit) -> dict[str, Any]:
    cost = one.browser_ms // BROWSER_MS_PER_MICRO
    return _browser(
        browser_id(one), one.created_ms, one.created_ms + _BROWSER_LIMIT_MS, one.ended_ms, one.proxy_kb, cost,
        one.id, live_url(world, one, visit), visit,
    ) | {"recordingUrl": next(iter(recordings(world, one, visit)), None) if not one.live else None}  # fmt: skip


def standalone_browser(world: World, one: Browser, visit: Visit) -> dict[str, Any]:
    alive_ms = int(((one.finished_ms or visit.now_ms) - one.started_ms) * world.speed)
    traffic = one.proxy_kb_per_minute * alive_ms // 60_000
    url = f"{visit.base}/live/{one.id}?token={signing.live_token(world.secret, one.id)}"
    cost = alive_ms // BROWSER_MS_PER_MICRO
    return _browser(one.id, one.started_ms, one.timeout_ms, one.finished_ms, traffic, cost, None, url, visit)


def _browser(
    browser: str, started: int, timeout: int, finished: int | None, traffic: int, cost: int,
    agent: str | None, url: str, visit: Visit,
) -> dict[str, Any]:  # fmt: skip
    alive = finished is None
    return {
        "id": browser,
        "status": "active" if alive else "stopped",
        "liveUrl": url if alive else None,
        "cdpUrl": f"wss://{browser}.cdp.browser-use.example" if alive else None,
        "timeoutAt": instant(timeout),
        "startedAt": instant(started),
        "finishedAt": instant(finished) if finished else None,
        "proxyUsedMb": megabytes(traffic),
        "proxyCost": usd(traffic * PROXY_MICROS_PER_KB),
        "browserCost": usd(cost),
        "agentSessionId": agent,
        "recordingUrl": None,
    }


def profile(raw: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": raw["id"], "userId": raw["userId"], "name": raw["name"], "lastUsedAt": instant(raw["used_ms"]),
        "createdAt": instant(raw["created_ms"]), "updatedAt": instant(raw["used_ms"]), "cookieDomains": [],
    }  # fmt: skip


def workspace(raw: dict[str, Any]) -> dict[str, Any]:
    made = instant(raw["created_ms"])
    return {"id": raw["id"], "name": raw["name"], "createdAt": made, "updatedAt": made}


def account(world: World) -> dict[str, Any]:
    """The balance in dollars as JSON numbers, as upstream gives it: monthly credits are used first."""
    balance = world.balance_micros()
    monthly = max(0, MONTHLY_MICROS - world.spent_micros)
    return {
        "name": "Simulated project",
        "totalCreditsBalanceUsd": balance / 1e6,
        "monthlyCreditsBalanceUsd": monthly / 1e6,
        "additionalCreditsBalanceUsd": (balance - monthly) / 1e6,
        "rateLimit": 250,
        "concurrentSessionLimit": 250,
        "activeSessionCount": len(world.live),
        "planInfo": {
            "planName": "simulator", "subscriptionStatus": None, "subscriptionId": None,
            "subscriptionCurrentPeriodEnd": None, "subscriptionCanceledAt": None,
        },
        "isFreeTier": False,
        "projectId": Dice(world.seed, 11).uuid(),
    }  # fmt: skip
