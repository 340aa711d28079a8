"""Ten thousand sessions as the vendor would write them (1.2 KB each), a tenth of them changed per generation."""

from functools import cache
from typing import Any

import msgspec

SESSIONS = 10_000
PAGE = 100
NONCE = "0123456789"
"""Stands in every presigned address, to be replaced by another at each fetch, as the vendor's change at each."""


def session(number: int, generation: int, family: str = "a") -> dict[str, Any]:
    """Session `number` after so many generations: it changes in every tenth."""
    changes = (generation + number % 10) // 10
    identity = f"{family * 8}-0000-4000-8000-{number:012x}"
    micro = 123_456 + changes * 4_321
    return {
        "id": identity,
        "status": "running",
        "model": "bu-max",
        "title": f"Compare the offers of three suppliers, part {number}",
        "output": None,
        "outputSchema": None,
        "stepCount": 7 + changes,
        "lastStepSummary": f"Reading offer {changes} of the second supplier and noting its price per unit",
        "isTaskSuccessful": None,
        "liveUrl": f"https://live.browser-use.com/s/{identity}?wss=wss%3A%2F%2Fcdp.example&token={'t' * 64}",
        "recordingUrls": [],
        "profileId": "11111111-1111-4111-8111-111111111111",
        "workspaceId": "22222222-2222-4222-8222-222222222222",
        "proxyCountryCode": "us",
        "maxCostUsd": "5.00",
        "totalInputTokens": 120_000 + changes * 977,
        "totalOutputTokens": 4_000 + changes * 31,
        "proxyUsedMb": f"{1.5 + changes / 8:.3f}",
        "llmCostUsd": f"{micro / 1e6:.6f}",
        "proxyCostUsd": f"{(6_000 + changes * 500) / 1e6:.6f}",
        "browserCostUsd": f"{(9_000 + changes * 70) / 1e6:.6f}",
        "totalCostUsd": f"{(micro + 15_000 + changes * 570) / 1e6:.6f}",
        "screenshotUrl": f"https://shots.example.com/{identity}.png?X-Amz-Expires=300&X-Amz-Date={NONCE}"
        f"&X-Amz-Signature={'5a' * 16}{NONCE}",
        "agentmailEmail": None,
        "integrationsUsed": [],
        "createdAt": "2026-06-09T10:00:00.123000Z",
        "updatedAt": f"2026-06-09T11:{changes % 60:02d}:00.000000Z",
    }


@cache
def page_body(page: int, generation: int, family: str = "a") -> bytes:
    """The page-th hundred, from 1."""
    numbers = range((page - 1) * PAGE, page * PAGE)
    sessions = [session(number, generation, family) for number in numbers]
    reply = {"sessions": sessions, "total": SESSIONS, "page": page, "pageSize": PAGE}
    return msgspec.json.encode(reply)


def fetched(body: bytes, fetch: int) -> bytes:
    """The body as the fetch-th reader gets it: with other presigned addresses."""
    return body.replace(NONCE.encode(), b"%010d" % fetch)
