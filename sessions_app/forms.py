"""Forms that are not a model's."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from allauth.account.forms import LoginForm
from django import forms
from django.conf import settings

from sessions_app.models import Account, Budget
from sessions_app.rules.budgets import percentages
from sessions_app.upstream.urls import Address, parse

KEY = re.compile(r"[\x21-\x7e]{8,500}", re.ASCII)
"""What fits into a header: no blanks, nothing that is not ASCII."""

type Prove = Callable[[str], str]
"""Takes a password; returns "" when it is right, else what is wrong."""


class SignInForm(LoginForm):
    """allauth's, which also takes Django's field name `username`: scripts and password managers know that one."""

    def __init__(self, *args, **kwargs):
        data = kwargs.get("data")
        if data is not None and "login" not in data and "username" in data:
            kwargs["data"] = data.copy()
            kwargs["data"]["login"] = data["username"]
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""  # allauth's offers a mail, which this product does not send
        for name in ("login", "password"):
            self.fields[name].widget.attrs.pop("placeholder", None)  # it would repeat the label


def secret_field(label: str, **more: Any) -> forms.CharField:
    """Typed once and never shown again, neither stored nor after a mistake."""
    attributes = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
    return forms.CharField(
        label=label, max_length=500, strip=True, widget=forms.PasswordInput(attrs=attributes), **more
    )


class NameForm(forms.Form):
    """What people call an account.  `account` None: a new one."""

    name = forms.CharField(
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Give it a name that people will know it by."},
    )

    def __init__(self, *args: Any, account: Account | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if (
            Account.objects.filter(name__iexact=name)
            .exclude(pk=self.account.pk if self.account else 0)
            .exists()
        ):
            raise forms.ValidationError("Another account is called so. Nobody could tell them apart.")
        return name


class ProvenForm(forms.Form):
    """Asks for the person's password, unless `prove` is None: then they proved it a moment ago."""

    def __init__(self, *args: Any, prove: Prove | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prove = prove
        if prove is not None:
            self.fields["password"] = forms.CharField(
                label="Your password",
                help_text="The one that you sign in with here: it is more than 15 minutes ago.",
                strip=False,
                widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
                error_messages={"required": "Say your password, so that nobody else does this in your name."},
            )

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if self._prove is not None and (wrong := self._prove(password)):
            raise forms.ValidationError(wrong)
        return password


class KeyForm(ProvenForm):
    api_key = secret_field(
        "API key",
        help_text="From your project’s settings at Browser Use Cloud. It is tried before it is stored.",
        error_messages={"required": "Paste the project’s API key."},
    )

    def clean_api_key(self) -> str:
        key: str = self.cleaned_data["api_key"]
        if not KEY.fullmatch(key):
            raise forms.ValidationError("That is no API key: it has blanks, odd characters, or is cut short.")
        return key


class NewAccountForm(KeyForm, NameForm):
    base_url = forms.CharField(
        label="Address of the API",
        max_length=500,
        initial=settings.VENDOR_BASE_URL,
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "The vendor’s is https://api.browser-use.com/api/v3."},
    )
    field_order = ("name", "api_key", "base_url", "password")

    def clean_base_url(self) -> str:
        """https, or this machine's own where the environment's account is on this machine, too."""
        address = parse(self.cleaned_data["base_url"].strip())
        if address is None or any(mark in address.rest for mark in "?#;"):
            raise forms.ValidationError(
                "That is no address as it must be. The vendor’s: " + settings.VENDOR_BASE_URL
            )
        _check_place(address)
        return address.url.rstrip("/")


class WebhookForm(ProvenForm):
    secret = secret_field(
        "Webhook secret",
        help_text="Browser Use shows it when you add the webhook there.",
        error_messages={"required": "Paste the secret that Browser Use shows for this webhook."},
    )

    def clean_secret(self) -> str:
        secret: str = self.cleaned_data["secret"]
        if len(secret) < 8:
            raise forms.ValidationError("That is too short for a secret: copy it again, in full.")
        return secret


def _check_place(address: Address) -> None:
    """Raises ValidationError."""
    if address.is_loopback and not settings.UPSTREAM_IS_LOOPBACK:
        raise forms.ValidationError(
            "This machine’s own address is allowed only where a simulator is watched."
        )
    if address.scheme != "https" and not address.is_loopback:
        raise forms.ValidationError(
            "The address must begin with https://: else the key could be read on its way."
        )


class CostReportForm(forms.Form):
    """What a report is called, and to whom it goes."""

    name = forms.CharField(
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Give it a name, for example: Agents, last week."},
    )
    to = forms.EmailField(
        label="To",
        max_length=254,
        help_text="One address.",
        error_messages={"required": "Say which address it goes to."},
    )


class BudgetForm(forms.Form):
    """An amount for a stretch of time, and when to warn.  `kinds`: (value, words) of what it can be for."""

    name = forms.CharField(
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Give it a name, for example: Marketing in a month."},
    )
    what = forms.ChoiceField(label="For", required=False)
    period = forms.ChoiceField(label="In a", choices=Budget.PERIODS, initial="month")
    amount = forms.DecimalField(
        label="Amount in dollars",
        min_value=Decimal("0.01"),
        max_value=Decimal(10) ** 9,
        max_digits=16,
        decimal_places=6,
        error_messages={"required": "Say how many dollars."},
    )
    warn_at = forms.CharField(
        label="Warn at, in percent",
        initial="50, 80, 100",
        max_length=80,
        help_text="Each is said once in a period.",
    )

    def __init__(self, *args: Any, kinds: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["what"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = kinds

    def clean_warn_at(self) -> list[int]:
        try:
            return percentages(self.cleaned_data["warn_at"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
