"""Scripts go out short, and say the same."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.test import override_settings

from dashboard.static_files import LeanFiles

SCRIPTS = sorted(Path(settings.BASE_DIR, "static", "js").glob("*.js"))


@pytest.fixture(scope="module")
def collected(tmp_path_factory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("static")
    lean = {"staticfiles": {"BACKEND": "dashboard.static_files.LeanFiles"}}
    with override_settings(STATIC_ROOT=root, STORAGES=settings.STORAGES | lean):
        call_command("collectstatic", interactive=False, verbosity=0)
        yield root


def test_our_scripts_are_served_without_comments_and_a_fifth_smaller(collected):
    written, served = [], []
    for source in SCRIPTS:
        lean = collected / "js" / source.name
        assert not lean.read_text().startswith(("//", "/*")), source
        written.append(len(gzip.compress(source.read_bytes())))
        served.append(len(gzip.compress(lean.read_bytes())))
    assert len(served) > 25
    assert sum(served) < 0.8 * sum(written)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_template_stands_in_another(script):
    """The minifier would take what is between them for code, and its blanks and slashes with it."""
    assert re.search(r"`[^`]*\$\{[^}`]*`", script.read_text()) is None


def test_what_pages_name_is_the_same_file(collected):
    storage = LeanFiles(location=collected, base_url="/static/")
    assert (
        storage.url("js/app.js") == storage.url("js/app.js") == f"/static/{storage.stored_name('js/app.js')}"
    )
    named = collected / storage.stored_name("js/app.js")
    assert named.name != "app.js"
    assert named.read_bytes() == (collected / "js/app.js").read_bytes()
    assert named.with_name(f"{named.name}.gz").exists()


def test_what_is_not_ours_stays_as_it_is(tmp_path):
    text = b"/* licence */\nlet  one  =  1;\n"
    name = LeanFiles(location=tmp_path / "other").save("library/x.js", ContentFile(text))
    assert (tmp_path / "other" / name).read_bytes() == text
