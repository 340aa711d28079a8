"""Saving a page's filters under a name, and looking after what one has saved."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from sessions_app.models import SavedView
from sessions_app.queries import saved_views
from sessions_app.queries.search import clean

LONGEST = SavedView._meta.get_field("name").max_length or 60
NAMELESS = "Give the view a name, so that you find it again."
TOO_LONG = "These filters are too long to be saved."
TOO_MANY = f"You have {saved_views.MOST} views. Delete one that you no longer need."
NOT_SHARING = "Sharing views is for people who may change settings. You can keep your own."


@require_http_methods(["GET", "HEAD", "POST"])
def views(request: HttpRequest) -> HttpResponse:
    """All that this person can open, to be renamed, shared and deleted; POST saves one: name, page, query."""
    if request.method == "POST":
        return _save(request)
    context = {
        "views": saved_views.of(request.user),
        "may_share": _may_share(request),
        "pages": saved_views.PAGES,
    }
    return render(request, "sessions/views.html", context)


@require_POST
def view(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: `act` is rename, share, unshare or delete."""
    saved = _changeable(request, pk)
    acts = {"rename": _rename, "share": _share, "unshare": _unshare, "delete": _delete}
    act = acts.get(request.POST.get("act", ""))
    if act is None:
        raise Http404
    act(request, saved)
    return redirect("saved_views")


def _save(request: HttpRequest) -> HttpResponse:
    """A name that one has already for this page is given what is asked for now."""
    page, name = request.POST.get("page", ""), _name(request)
    if page not in saved_views.PAGES:
        raise Http404
    query = saved_views.tidy(request.POST.get("query", ""))
    is_shared = request.POST.get("share") == "1"
    if is_shared and not _may_share(request):
        raise PermissionDenied(NOT_SHARING)
    if wrong := _what_is_wrong(request, name, query):
        messages.warning(request, wrong)
        return _back(page, query)
    owner: Any = request.user
    given = {"query": query, "is_shared": is_shared}
    _saved, is_new = SavedView.objects.update_or_create(owner=owner, page=page, name=name, defaults=given)
    messages.success(request, f"The view “{name}” is {'saved' if is_new else 'changed'}.")
    return _back(page, query)


def _what_is_wrong(request: HttpRequest, name: str, query: str) -> str:
    if not name:
        return NAMELESS
    if len(query) > 2_000:
        return TOO_LONG
    mine = SavedView.objects.filter(owner_id=request.user.pk).exclude(name=name)
    return TOO_MANY if mine.count() >= saved_views.MOST else ""


def _back(page: str, query: str) -> HttpResponse:
    to = redirect(page)
    if query and len(query) <= 2_000:
        to["Location"] += f"?{query}"
    return to


def _name(request: HttpRequest) -> str:
    return clean(" ".join(request.POST.get("name", "").split()))[:LONGEST].strip()


def _may_share(request: HttpRequest) -> bool:
    return request.user.has_perm("sessions_app.manage")


def _changeable(request: HttpRequest, pk: int) -> SavedView:
    """One's own; and for people who may manage, what is shared.  Of others nobody learns that they exist."""
    saved = get_object_or_404(SavedView, pk=pk)
    if saved.owner_id != request.user.pk and not (saved.is_shared and _may_share(request)):
        raise Http404
    return saved


def _rename(request: HttpRequest, saved: SavedView) -> None:
    name = _name(request)
    if not name:
        return messages.warning(request, NAMELESS)
    try:
        with transaction.atomic():
            SavedView.objects.filter(pk=saved.pk).update(name=name)
    except IntegrityError:
        return messages.warning(request, f"There is another view “{name}” of this page. Choose another name.")
    return messages.success(request, f"The view “{saved.name}” is called “{name}” now.")


def _share(request: HttpRequest, saved: SavedView) -> None:
    if not _may_share(request):
        raise PermissionDenied(NOT_SHARING)
    SavedView.objects.filter(pk=saved.pk).update(is_shared=True)
    messages.success(request, f"Everybody sees the view “{saved.name}” now.")


def _unshare(request: HttpRequest, saved: SavedView) -> None:
    SavedView.objects.filter(pk=saved.pk).update(is_shared=False)
    messages.success(request, f"Only its owner sees the view “{saved.name}” now.")


def _delete(request: HttpRequest, saved: SavedView) -> None:
    saved.delete()
    messages.success(request, f"The view “{saved.name}” is gone.")
