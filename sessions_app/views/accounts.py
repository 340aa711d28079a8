"""Accounts in the settings, as forms: added, renamed, and given new keys and webhook secrets."""

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from sessions_app.access import accounts, key_check, proof
from sessions_app.access.key_check import Opened
from sessions_app.forms import KeyForm, NameForm, NewAccountForm, Prove, WebhookForm
from sessions_app.models import Account
from sessions_app.queries import accounts as shown
from sessions_app.upstream.errors import PaymentRequired, Unauthorized, UpstreamError
from sessions_app.views import account_words as said
from sessions_app.views.account_acts import Request, account_or_404, by_button
from sessions_app.views.guards import needs

SECRETS = ("api_key", "secret", "password")
REFUSED = 422
IDS = {"name": "name_%s", "key": "key_%s", "webhook": "webhook_%s"}
"""Three forms stand on one page, and two of them ask for a password."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Forms(NamedTuple):
    """Those of an account's page; the one that was sent is bound, and says what is wrong with it."""

    name: NameForm
    key: KeyForm
    webhook: WebhookForm


@needs("manage")
@never_cache
@sensitive_post_parameters(*SECRETS)
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: Request) -> HttpResponse:
    """A form; sent with `only=test` it says what the key opens, and stores nothing."""
    if request.method != "POST":
        return _new(request, NewAccountForm(prove=_prove(request)))
    form = NewAccountForm(request.POST, prove=_prove(request))
    if not form.is_valid():
        return _new(request, form)
    given = {name: form.cleaned_data[name] for name in ("name", "base_url", "api_key")}
    opened = _look(form, given["base_url"], given["api_key"])
    if opened is None or request.POST.get("only") == "test":
        return _new(request, form, opened)
    try:
        account = accounts.add(request.user, opened=opened, now=timezone.now(), **given)
    except accounts.Clash as clash:
        form.add_error("api_key", clash.words)
        return _new(request, form)
    messages.success(request, f"Added. {said.opened(opened)} Reading begins now.")
    return redirect("settings_account", account.slug)


@needs("manage")
@never_cache
@require_http_methods(["GET", "HEAD"])
def account(request: Request, slug: str) -> HttpResponse:
    """One account: how it goes, and everything that can be done about it."""
    found = account_or_404(slug)
    return _page(request, found, _forms(request, found))


@by_button
def rename(request: Request, slug: str) -> HttpResponse:
    found = account_or_404(slug)
    form = NameForm(request.POST, account=found, auto_id=IDS["name"])
    if not form.is_valid():
        return _page(request, found, _forms(request, found)._replace(name=form))
    accounts.rename(request.user, found, form.cleaned_data["name"])
    messages.success(request, "Renamed.")
    return redirect("settings_account", slug)


@by_button
@sensitive_post_parameters(*SECRETS)
def key(request: Request, slug: str) -> HttpResponse:
    """A new key: tried first, stored only when it opens the same project."""
    found = account_or_404(slug)
    if found.comes_from_environment:
        messages.error(request, "The key of this account comes from the environment, and is changed there.")
        return redirect("settings_account", slug)
    form = KeyForm(request.POST, prove=_prove(request), auto_id=IDS["key"])
    if form.is_valid() and _change_key(request, found, form):
        return redirect("settings_account", slug)
    return _page(request, found, _forms(request, found)._replace(key=form))


@by_button
@sensitive_post_parameters(*SECRETS)
def webhook(request: Request, slug: str) -> HttpResponse:
    """A new secret; with `remove` none, and no webhook is believed any more."""
    found = account_or_404(slug)
    if "remove" in request.POST:
        accounts.set_webhook_secret(request.user, found, "")
        messages.success(
            request, "Webhooks of this account are no longer believed. Polling goes on as before."
        )
        return redirect("settings_account", slug)
    form = WebhookForm(request.POST, prove=_prove(request), auto_id=IDS["webhook"])
    if not form.is_valid():
        return _page(request, found, _forms(request, found)._replace(webhook=form))
    accounts.set_webhook_secret(request.user, found, form.cleaned_data["secret"])
    messages.success(
        request, "Stored. Send a test from Browser Use Cloud: this page says when it has arrived."
    )
    return redirect("settings_account", slug)


def _prove(request: Request) -> Prove | None:
    if proof.is_fresh(request):
        return None
    return lambda password: proof.prove(request, request.user, password)


def _forms(request: Request, account: Account) -> Forms:
    prove = _prove(request)
    return Forms(
        NameForm(initial={"name": account.name}, account=account, auto_id=IDS["name"]),
        KeyForm(prove=prove, auto_id=IDS["key"]),
        WebhookForm(prove=prove, auto_id=IDS["webhook"]),
    )


def _change_key(request: Request, account: Account, form: KeyForm) -> bool:
    """False, and the form says why."""
    api_key = form.cleaned_data["api_key"]
    opened = _look(form, account.base_url, api_key)
    if opened is None:
        return False
    try:
        accounts.change_key(request.user, account, api_key=api_key, opened=opened, now=timezone.now())
    except accounts.Clash as clash:
        form.add_error("api_key", clash.words)
        return False
    messages.success(request, f"The new key is in use. {said.opened(opened)} Revoke the old one now.")
    return True


def _look(form: Form, base_url: str, api_key: str) -> Opened | None:
    """What the key opens; None, and the form says why, when it opens nothing."""
    try:
        return key_check.look(base_url, api_key)
    except UpstreamError as error:
        at_address = "base_url" in form.fields and not isinstance(error, Unauthorized | PaymentRequired)
        form.add_error("base_url" if at_address else "api_key", said.failed(error))
        return None


def _new(request: Request, form: NewAccountForm, opened: Opened | None = None) -> HttpResponse:
    context = {"form": form, "opened": said.opened(opened) if opened else ""}
    template = "settings/_tried.html" if request.htmx else "settings/account_add.html"
    return render(request, template, context, status=_status(request, form))


def _page(request: Request, account: Account, forms: Forms) -> HttpResponse:
    context: dict[str, Any] = {
        "one": shown.account(account.slug, timezone.now()),
        "forms": forms,
        "changes": shown.changes(account),
        "webhook_url": request.build_absolute_uri(reverse("webhook", args=[account.slug])),
        "is_local": urlsplit(f"//{request.get_host()}").hostname in LOOPBACK,
    }
    bad = next((form for form in forms if form.errors), None)
    return render(request, "settings/account.html", context, status=_status(request, bad))


def _status(request: Request, form: Form | None) -> int:
    """Whoever types goes on where something is wrong.  htmx swaps nothing in that is not a success."""
    if form is None or not form.errors:
        return 200
    first = next((name for name in form.fields if name in form.errors), None)
    if first:
        form.fields[first].widget.attrs["autofocus"] = True
    return 200 if request.htmx else REFUSED
