"""What a key opens: asked before it is stored, and whenever somebody wants to know."""

from typing import NamedTuple

from django.conf import settings

from sessions_app.types import AccountFacts
from sessions_app.upstream.client import Client
from sessions_app.upstream.errors import UpstreamError


class Opened(NamedTuple):
    """What a key sees.  Each is None, or empty, where the vendor does not say."""

    project_id: str
    project_name: str
    balance_microusd: int | None
    concurrent_browsers: int | None
    sessions: int | None


def look(base_url: str, api_key: str) -> Opened:
    """Reads the list of sessions, which must work, and the account's facts.  Raises UpstreamError."""
    client = Client(base_url, api_key, proxy=settings.UPSTREAM_PROXY)
    page = client.session_page(1)
    facts = _facts(client)
    return Opened(
        project_id=facts.project_id if facts else "",
        project_name=facts.name if facts else "",
        balance_microusd=facts.balance_microusd if facts else None,
        concurrent_browsers=facts.concurrent_browsers if facts else None,
        sessions=page.total,
    )


def _facts(client: Client) -> AccountFacts | None:
    """None when they cannot be had (a key may be barred from billing): sessions can be watched without."""
    try:
        return client.account()
    except UpstreamError:
        return None
