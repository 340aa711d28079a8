"""Where mail goes: from one address in the environment to Django's MAILERS."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environ import Env

TIMEOUT_S = 10
SCHEMES = ("smtp", "smtps", "smtp+tls", "smtp+ssl", "consolemail")
_OPTIONS = {
    "EMAIL_HOST": "host", "EMAIL_PORT": "port", "EMAIL_HOST_USER": "username", "EMAIL_HOST_PASSWORD": "password",
    "EMAIL_USE_TLS": "use_tls", "EMAIL_USE_SSL": "use_ssl",
}  # fmt: skip


def mailers(url: str) -> dict[str, Any]:
    """`smtp+tls://user:password@host:587` as MAILERS.  Raises ImproperlyConfigured.

    Without an address there is one that sends nothing: who sends looks at MAIL_IS_SET_UP first.
    """
    if not url:
        return {"default": {"BACKEND": "django.core.mail.backends.dummy.EmailBackend"}}
    if url.partition("://")[0] not in SCHEMES:
        raise ImproperlyConfigured(
            f"EMAIL_URL must begin with one of {', '.join(f'{one}://' for one in SCHEMES)}."
        )
    try:
        read = Env.email_url_config(url)
    except ValueError as error:
        raise ImproperlyConfigured(f"EMAIL_URL cannot be read ({error}).") from None
    if url.startswith("consolemail"):
        return {"default": {"BACKEND": read["EMAIL_BACKEND"]}}
    if not read["EMAIL_HOST"]:
        raise ImproperlyConfigured(
            "EMAIL_URL names no host, for example smtp+tls://user:password@mail.example:587."
        )
    options = {name: read[key] for key, name in _OPTIONS.items() if read.get(key)}
    return {"default": {"BACKEND": read["EMAIL_BACKEND"], "OPTIONS": options | {"timeout": TIMEOUT_S}}}
