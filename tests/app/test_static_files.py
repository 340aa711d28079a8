"""Scripts and styles go out short, and say the same."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.test import override_settings

from dashboard.static_files import LeanFiles


@pytest.fixture(scope="module")
def collected(tmp_path_factory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("static")
    lean = {"staticfiles": {"BACKEND": "dashboard.static_files.LeanFiles"}}
    with override_settings(STATIC_ROOT=root, STORAGES=settings.STORAGES | lean):
        call_command("collectstatic", interactive=False, verbosity=0)
        yield root


def test_ours_are_served_without_comments_and_a_fifth_smaller(collected):
    written, served = [], []
    for source in (
        *Path(settings.BASE_DIR, "static").glob("*/*.js"),
        *Path(settings.BASE_DIR, "static").glob("*/*.css"),
    ):
        lean = collected / source.parent.name / source.name
        assert not lean.read_text().startswith(("//", "/*")), source
        written.append(len(gzip.compress(source.read_bytes())))
        served.append(len(gzip.compress(lean.read_bytes())))
    assert len(served) > 40
    assert sum(served) < 0.85 * sum(written)


def test_so_is_the_file_under_the_name_that_pages_use(collected):
    storage = LeanFiles(location=collected, base_url="/static/")
    named = collected / storage.stored_name("css/base.css")
    assert named.name != "base.css"
    assert named.read_bytes() == (collected / "css/base.css").read_bytes()
    assert named.with_name(f"{named.name}.gz").exists()


def test_what_is_not_ours_stays_as_it_is(collected, tmp_path):
    text = b"/* licence */\nbody  {  color : red }\n"
    name = LeanFiles(location=tmp_path / "other").save("library/x.css", ContentFile(text))
    assert (tmp_path / "other" / name).read_bytes() == text
