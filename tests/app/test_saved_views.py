"""Saved views: kept under a name, opened by a link, renamed, shared by some, deleted, and nobody else's business."""

import re

import pytest
from django.contrib.auth.models import User

from sessions_app.models import SavedView
from sessions_app.queries import saved_views
from tests.app.test_sessions_page import page, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

VIEWS = "/sessions/views/"


@pytest.fixture
def lea(client) -> User:
    return sign_in(client, "lea", "lead")


def save(client, name: str = "Dear ones", query: str = "status=error&q=shop", **more):
    return client.post(VIEWS, {"page": "sessions", "name": name, "query": query, **more})


def act(client, saved: SavedView, word: str, **more):
    return client.post(f"{VIEWS}{saved.pk}/", {"act": word, **more}, follow=True)


def links(html: str) -> dict[str, str]:
    row = re.search(r'<ul class="views-list">(.*?)</ul>', html, re.DOTALL)
    found = re.findall(r'href="([^"]+)"[^>]*><span class="chip-words">([^<]+)<', row.group(1) if row else "")
    return {name: address.replace("&amp;", "&") for address, name in found}


def test_what_stands_in_the_address_is_saved_and_linked(client, lea):
    assert "Save view" not in page(client)
    html = page(client, "?status=error&q=shop&outcome=&after=x_1")
    here = re.search(r'name="query" value="([^"]*)"', html).group(1).replace("&amp;", "&")
    assert here == "q=shop&status=error"
    answer = save(client, query=here)
    assert answer["Location"] == "/sessions/?q=shop&status=error"
    assert links(page(client)) == {"Dear ones": "/sessions/?q=shop&status=error"}
    assert (
        'aria-current="page"'
        in page(client, "?status=error&q=shop").split('class="views"')[1].split("</ul>")[0]
    )


def test_the_same_name_is_changed_and_not_doubled(client, lea):
    save(client)
    save(client, query="status=idle")
    assert links(page(client)) == {"Dear ones": "/sessions/?status=idle"}


def test_renamed_and_deleted(client, lea):
    save(client)
    save(client, name="Other")
    saved = SavedView.objects.get(name="Dear ones")
    assert "another view “Other”" in act(client, saved, "rename", name="Other").content.decode()
    assert "Give the view a name" in act(client, saved, "rename", name="  ").content.decode()
    act(client, saved, "rename", name="  Very <b>dear ")
    assert SavedView.objects.get(pk=saved.pk).name == "Very <b>dear"
    assert "Very &lt;b&gt;dear" in page(client)
    act(client, saved, "delete")
    assert list(links(page(client))) == ["Other"]


def test_sharing_is_for_people_who_may_manage(client, lea):
    assert save(client, share="1").status_code == 403
    save(client)
    saved = SavedView.objects.get()
    assert act(client, saved, "share").status_code == 403
    sign_in(client, "ada", "admin")
    save(client, name="For all", query="status=error", share="1")
    assert saved_views.of(lea)[1].owner == "ada"
    client.force_login(lea)
    assert links(page(client)) == {
        "Dear ones": "/sessions/?q=shop&status=error",
        "For all": "/sessions/?status=error",
    }
    assert "Shared by ada" in page(client)


def test_what_is_not_shared_does_not_exist_for_others(client, lea):
    save(client)
    saved = SavedView.objects.get()
    ada = sign_in(client, "ada", "admin")
    assert saved_views.of(ada) == []
    for word in ("rename", "share", "unshare", "delete"):
        assert act(client, saved, word, name="x").status_code == 404
    assert SavedView.objects.get() == saved


def test_a_shared_one_is_changed_by_its_owner_and_by_managers_only(client):
    ada = sign_in(client, "ada", "admin")
    save(client, share="1")
    saved = SavedView.objects.get()
    sign_in(client, "vera", "viewer")
    assert act(client, saved, "delete").status_code == 404
    sign_in(client, "amir", "admin")
    act(client, saved, "unshare")
    assert not SavedView.objects.get().is_shared
    assert [view.name for view in saved_views.of(ada)] == ["Dear ones"]


def test_what_cannot_be_saved_is_said(client, lea, monkeypatch):
    assert (
        "Give the view a name"
        in client.post(VIEWS, {"page": "sessions", "name": " "}, follow=True).content.decode()
    )
    assert (
        "too long"
        in client.post(
            VIEWS, {"page": "sessions", "name": "x", "query": "q=" + "x" * 3_000}, follow=True
        ).content.decode()
    )
    assert client.post(VIEWS, {"page": "costs", "name": "x"}).status_code == 404
    monkeypatch.setattr(saved_views, "MOST", 0)
    save(client)
    assert not SavedView.objects.exists()


def test_views_of_each_page_are_its_own_and_all_in_one_query(client, lea, django_assert_num_queries):
    save(client)
    client.post(VIEWS, {"page": "live", "name": "Idle", "query": "status=idle&page=3&view=wall"})
    with django_assert_num_queries(1):
        assert [view.address for view in saved_views.of(lea, "live")] == ["/?status=idle&view=wall"]
    assert {view.name for view in saved_views.of(lea)} == {"Dear ones", "Idle"}
    listed = client.get(VIEWS).content.decode()
    assert 'data-view-name="Idle"' in listed and 'value="share"' not in listed


def test_nothing_saved_yet_says_how(client, lea):
    assert "No view is saved yet" in client.get(VIEWS).content.decode()


def test_nobody_saves_without_signing_in(client, db):
    assert save(client)["Location"].startswith("/accounts/login/")
