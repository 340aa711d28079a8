"""Whose certificates are believed."""

import ssl
from functools import lru_cache

import certifi


@lru_cache(maxsize=1)
def authorities() -> ssl.SSLContext:
    """certifi's authorities and the machine's own: with trust_env off, httpx would know the first only."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context
