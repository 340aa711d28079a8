"""Budgets, made and changed by people who may change settings."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from sessions_app.access import audit
from sessions_app.costs import budgets
from sessions_app.costs.question import zone_of
from sessions_app.forms import BudgetForm
from sessions_app.models import Budget
from sessions_app.rules.money import MICRO, format_all
from sessions_app.views.guards import needs


@needs("see_costs")
@needs("manage")
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """A new one, in the days of whoever makes it."""
    form = BudgetForm(request.POST or None, kinds=budgets.choices())
    if request.method != "POST" or not form.is_valid():
        return _form(request, form, None)
    zone = str(zone_of(request.COOKIES.get("tz", "")))
    made = Budget(zone=zone, made_by=_person(request), made_at=timezone.now())
    return _save(request, made, form, "budget.added")


@needs("see_costs")
@needs("manage")
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Warnings that were given in this period are not given again, whatever the new amount."""
    budget = get_object_or_404(Budget, pk=pk)
    kinds, here = budgets.choices(), f"{budget.facet}:{budget.value}" if budget.facet else ""
    if here not in dict(kinds):
        kinds.append((here, f"{budget.facet}: {budget.value}"))
    initial = {
        "name": budget.name,
        "what": here,
        "period": budget.period,
        "amount": format_all(budget.amount_microusd).rstrip("0").rstrip("."),
        "warn_at": ", ".join(map(str, budget.warn_at)),
    }
    form = BudgetForm(request.POST or None, initial=initial, kinds=kinds)
    if request.method != "POST" or not form.is_valid():
        return _form(request, form, budget)
    return _save(request, budget, form, "budget.changed")


@needs("see_costs")
@needs("manage")
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    budget = get_object_or_404(Budget, pk=pk)
    audit.record(_person(request), "budget.deleted", budget=budget.name)
    budget.delete()
    messages.success(request, f"The budget “{budget.name}” is gone.")
    return redirect("costs")


def _save(request: HttpRequest, budget: Budget, form: BudgetForm, act: str) -> HttpResponse:
    given = form.cleaned_data
    budget.name, budget.period, budget.warn_at = given["name"], given["period"], given["warn_at"]
    budget.facet, _, budget.value = given["what"].partition(":")
    budget.amount_microusd = int(given["amount"] * MICRO)
    budget.save()
    what, amount = given["what"] or "everything", budget.amount_microusd
    audit.record(
        _person(request), act, budget=budget.name, period=budget.period, amount_microusd=amount, what=what
    )
    budgets.check(timezone.now())
    messages.success(request, f"The budget “{budget.name}” counts from now on.")
    return redirect("costs")


def _form(request: HttpRequest, form: BudgetForm, budget: Budget | None) -> HttpResponse:
    context = {"form": form, "budget": budget}
    return render(request, "costs/budget.html", context, status=422 if form.is_bound else 200)


def _person(request: HttpRequest) -> Any:
    return request.user
