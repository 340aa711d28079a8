"""Replies as Browser Use gives them, to be made strange by tests."""

import json
from typing import Any

UUID_TEXT = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
LIVE_URL = "https://live.browser-use.com/s/6ba7?wss=wss%3A%2F%2Fcdp&token=eyJhbGciOiJIUzI1NiJ9.secret"
SHOT_URL = "https://shots.example.com/1.png?X-Amz-Expires=300&X-Amz-Signature=0a1b2c"
RECORDING_URL = "https://video.example.com/1.webm?X-Amz-Signature=3d4e5f"


def session(**changes: Any) -> dict[str, Any]:
    """A SessionResponse with every documented field, in the vendor's order; `changes` replace or add fields."""
    return {
        "id": UUID_TEXT,
        "status": "running",
        "model": "claude-sonnet-4.6",
        "title": "Compare three offers",
        "output": None,
        "outputSchema": None,
        "stepCount": 7,
        "lastStepSummary": "Reading the second offer",
        "isTaskSuccessful": None,
        "liveUrl": LIVE_URL,
        "recordingUrls": [],
        "profileId": "11111111-1111-4111-8111-111111111111",
        "workspaceId": None,
        "proxyCountryCode": "us",
        "maxCostUsd": "5.00",
        "totalInputTokens": 1200,
        "totalOutputTokens": 340,
        "proxyUsedMb": "1.5",
        "llmCostUsd": "0.123456",
        "proxyCostUsd": "0",
        "browserCostUsd": "0.02",
        "totalCostUsd": "0.143456",
        "screenshotUrl": SHOT_URL,
        "agentmailEmail": None,
        "integrationsUsed": [],
        "createdAt": "2026-06-09T10:00:00.123000Z",
        "updatedAt": "2026-06-09T10:05:00.000000Z",
    } | changes


def wire(value: Any) -> bytes:
    """Compact JSON, as the vendor writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def raw_session(**changes: Any) -> bytes:
    return wire(session(**changes))


def with_field(name: str, json_text: bytes) -> bytes:
    """A session in which the value of `name` is this JSON text, however odd."""
    mark = "@@mark@@"
    return raw_session(**{name: mark}).replace(b'"@@mark@@"', json_text)


def page(*sessions: bytes, total: bytes = b"3") -> bytes:
    listed = b",".join(sessions)
    return b'{"sessions":[' + listed + b'],"total":' + total + b',"page":1,"pageSize":100}'
