"""What pictures take is bounded: the oldest go, the last of a session stays, and no race loses one just stored."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from dashboard.celery import app
from dashboard.processes.programs import WORKERS
from sessions_app import tasks
from sessions_app.models import AgentSession, Screenshot, UpkeepPass
from sessions_app.screenshots import retention, rounds, storage
from sessions_app.screenshots.image import hash_of
from tests.support.factories import make_session, make_sessions
from tests.support.picture_host import png

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

NOW = timezone.now()
AT_ONCE = timedelta(0)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path) -> Path:
    """Where pictures lie; no bounds but those that a test sets."""
    pictures = settings.STORAGES["pictures"] | {
        "OPTIONS": {"location": str(tmp_path), "allow_overwrite": True}
    }
    settings.STORAGES = settings.STORAGES | {"pictures": pictures}
    settings.PICTURES_DAYS = settings.PICTURES_MAX_MB = settings.PICTURES_LEAVE_FREE_MB = 0
    return tmp_path


def colour(number: int) -> bytes:
    return png(16, 16, (number % 256, number // 256, 7))


def keep(session: AgentSession, data: bytes, days_ago: float = 0.0) -> str:
    session.refresh_from_db()
    storage.keep(session, data, step_count=1, taken_at=NOW - timedelta(days=days_ago))
    return hash_of(data)


def run_to_end(now: datetime = NOW) -> UpkeepPass:
    done = retention.work(now, every=AT_ONCE)
    while done and not done.finished_at:
        done = retention.work(now, every=AT_ONCE)
    assert done
    return done


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def both(*hashes: str) -> set[str]:
    return {name for one in hashes for name in (f"{one}.webp", f"{one}.thumb.webp")}


def make_old(path: Path, hours: float = 2.0) -> None:
    then = NOW.timestamp() - hours * 3600
    os.utime(path, (then, then))


# ---- by age ----------------------------------------------------------------------------------------


def test_what_is_too_old_goes_and_the_last_of_a_session_stays(settings, folder):
    settings.PICTURES_DAYS = 14
    session, ended = make_session(), make_session(status="stopped")
    gone = [keep(session, colour(n), 20 - n) for n in range(3)]
    left = [keep(session, colour(9), 3), keep(ended, colour(10), 300)]
    freed = sum(path.stat().st_size for path in folder.rglob("*") if path.name[:64] in gone)
    done = run_to_end()
    assert files(folder) == both(*left)
    assert set(Screenshot.objects.values_list("content_hash", flat=True)) == set(left)
    assert (done.looked_at, done.deleted, done.freed_bytes, done.note) == (5, 3, freed, "")
    assert done.stored_bytes == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_file_that_another_session_shows_stays(settings, folder):
    settings.PICTURES_DAYS = 14
    one, other = make_sessions(2)
    shared = keep(one, colour(1), 20)
    last = keep(one, colour(2), 19)
    keep(other, colour(1), 1)
    run_to_end()
    assert files(folder) == both(shared, last)
    assert Screenshot.objects.filter(session=one).get().content_hash == last


def test_nought_is_without_bound(folder):
    session = make_session()
    for number in range(3):
        keep(session, colour(number), 4_000 - number)
    assert run_to_end().deleted == 0 and len(files(folder)) == 6


# ---- by size ---------------------------------------------------------------------------------------


def weigh(**columns: int) -> None:
    """As if each picture took as much as that."""
    Screenshot.objects.update(**columns)


def test_beyond_the_room_the_oldest_go_and_no_more_than_needed(settings, folder):
    settings.PICTURES_MAX_MB = 5
    one, other = make_sessions(2)
    hashes = [keep((one, other)[n % 2], colour(n), 10 - n) for n in range(8)]
    weigh(stored_bytes=storage.MB)
    done = run_to_end()
    assert files(folder) == both(*hashes[3:])
    assert (done.deleted, done.freed_bytes, done.stored_bytes) == (3, 3 * storage.MB, 5 * storage.MB)


def test_a_shared_picture_counts_once(settings, folder):
    settings.PICTURES_MAX_MB = 2
    for session in make_sessions(5):
        keep(session, colour(1), 2)
        keep(session, colour(2), 1)
    weigh(stored_bytes=storage.MB)
    assert run_to_end().deleted == 0


def test_last_pictures_stay_whatever_they_take_and_it_is_said(settings, folder):
    settings.PICTURES_MAX_MB = 3
    for number, session in enumerate(make_sessions(5)):
        keep(session, colour(number), 9)
        keep(session, colour(100 + number), 8)
    weigh(stored_bytes=storage.MB)
    done = run_to_end()
    assert files(folder) == both(*(hash_of(colour(100 + number)) for number in range(5)))
    assert done.note == "The last pictures of the sessions alone take 2 MB too much: they stay."


pictures = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 5), st.sampled_from([0.0, 1.0, 13.0, 15.0, 400.0])),
    max_size=14,
)


@examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pictures, st.sampled_from([0, 14]), st.integers(0, 6))
def test_whatever_lies_there_files_and_rows_agree_and_every_session_keeps_its_last(
    settings, folder, taken, days, mb
):
    AgentSession.objects.all().delete()
    UpkeepPass.objects.all().delete()
    for path in folder.rglob("*.webp"):
        path.unlink()
    settings.PICTURES_DAYS, settings.PICTURES_MAX_MB = days, mb
    sessions = make_sessions(4)
    for which, number, days_ago in sorted(taken, key=lambda one: -one[2]):
        keep(sessions[which], colour(number), days_ago)
    weigh(stored_bytes=storage.MB)
    lasts = {row["picture"] for row in AgentSession.objects.exclude(picture="").values("picture")}
    run_to_end()
    rows = set(Screenshot.objects.values_list("content_hash", flat=True))
    assert lasts <= rows and files(folder) == both(*rows)
    assert not mb or retention.total_bytes() <= mb * storage.MB or rows == lasts
    assert not retention.too_old(NOW).exists()
    assert run_to_end().deleted == 0


# ---- the disk --------------------------------------------------------------------------------------


def test_on_a_disk_that_is_almost_full_nothing_new_is_asked_for_and_the_oldest_go(settings, folder):
    session = make_session(has_screenshot=True)
    keep(session, colour(1), 2)
    last = keep(session, colour(2), 1)
    AgentSession.objects.update(picture_at=None, picture_tried_at=None)
    settings.PICTURES_LEAVE_FREE_MB = 10**9  # more than there is
    assert not storage.has_room()
    assert rounds.take_round() == (0, 0)
    assert AgentSession.objects.get().picture_tried_at is None
    done = run_to_end()
    assert files(folder) == both(last)
    assert done.note == "Their disk is almost full: no new picture is kept until there is room."


class BreaksOff(ContentFile):
    """As on a disk that gets full in the middle of the file."""

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        yield b"half a picture"
        raise OSError(errno.ENOSPC, "No space left on device")


def test_what_breaks_off_in_the_middle_leaves_what_was_there_and_nothing_else(folder):
    storage.store().save("ab/one.webp", ContentFile(b"whole"))
    for name in ("ab/one.webp", "ab/other.webp"):
        with pytest.raises(OSError, match="No space left"):
            storage.store().save(name, BreaksOff(b""))
    assert files(folder) == {"one.webp"}
    assert (folder / "ab" / "one.webp").read_bytes() == b"whole"


# ---- strays ----------------------------------------------------------------------------------------


def test_files_without_a_row_go_once_they_are_old_and_others_stay(folder):
    known = keep(make_session(), colour(1), 1)
    home = folder / known[:2]
    lost, young = known[:2] + "0" * 62, known[:2] + "1" * 62
    for name in (*both(lost, young), f".{lost}.webp.12345678", f".{young}.webp.12345678", "notes.txt"):
        (home / name).write_bytes(b"x" * 10)
    for path in home.iterdir():
        if young not in path.name:
            make_old(path)
    assert retention.sweep_folder(known[:2], NOW) == 30
    assert files(folder) == both(known, young) | {f".{young}.webp.12345678", "notes.txt"}


def test_every_folder_is_looked_through_in_turn(folder):
    hashes = [f"{number:02x}{'0' * 62}" for number in range(256)]
    for content_hash in hashes:
        (folder / content_hash[:2]).mkdir()
        for name in both(content_hash):
            (folder / content_hash[:2] / name).write_bytes(b"x")
            make_old(folder / content_hash[:2] / name)
    freed = sum(run_to_end().freed_bytes for _ in range(256 // retention.FOLDERS_PER_PASS))
    assert files(folder) == set() and freed == 512


def test_rows_without_files_after_a_worker_was_killed_in_between(settings, folder):
    """Rows are gone and files are not: they are swept, and a picture that comes meanwhile is not lost."""
    session = make_session()
    content_hash = keep(session, colour(1), 1)
    Screenshot.objects.all().delete()
    for path in folder.rglob("*.webp"):
        make_old(path)
    keep(make_session(), colour(1))
    retention.sweep_folder(content_hash[:2], NOW)
    assert files(folder) == both(content_hash)


# ---- races -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_picture_that_comes_while_its_last_row_goes_is_not_lost(folder):
    """Two threads, over and over: one deletes the only row of a picture, the other gives it to another session."""
    one, other = make_sessions(2)
    failures: list[BaseException] = []

    def in_thread(act: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            try:
                start.wait(10)
                act()
            except BaseException as error:
                failures.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    for number in range(15):
        content_hash = keep(one, colour(number), 1)
        other.refresh_from_db()
        start = threading.Barrier(2)

        def delete(content_hash: str = content_hash) -> None:
            Screenshot.objects.filter(session=one, content_hash=content_hash).delete()
            storage.delete_unused([content_hash])

        def give(number: int = number) -> None:
            storage.keep(other, colour(number), step_count=1, taken_at=NOW)

        for thread in [in_thread(delete), in_thread(give)]:
            thread.join(30)
        assert not failures
        assert both(content_hash) <= files(folder), "the other session's picture"


@pytest.mark.django_db(transaction=True)
def test_files_that_went_after_they_were_seen_are_stored_again(folder, monkeypatch):
    """The worst moment: they lie here, so they are not made again, and are gone before the row is there."""
    one, other = make_sessions(2)
    content_hash = keep(one, colour(1), 1)
    seen_here = storage._known

    def then_gone(found: str) -> tuple[int, int, int] | None:
        known = seen_here(found)
        Screenshot.objects.filter(session=one).delete()
        assert storage.delete_unused([found]) == {found}
        return known

    monkeypatch.setattr(storage, "_known", then_gone)
    keep(other, colour(1))
    assert files(folder) == both(content_hash)


# ---- how it is done --------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_no_transaction_deletes_more_than_a_hundred_rows(settings, folder):
    settings.PICTURES_DAYS = 14
    session = make_session()
    content_hash = keep(session, colour(1), 30)
    shot = {"session": session, "step_count": 1, "width": 1, "height": 1, "stored_bytes": 1}
    Screenshot.objects.bulk_create(
        Screenshot(**shot, content_hash=content_hash, taken_at=NOW - timedelta(days=20, seconds=-n))
        for n in range(350)
    )
    with CaptureQueriesContext(connection) as queries:
        done = run_to_end()
    deletes = [
        sql
        for sql in (q["sql"] for q in queries.captured_queries)
        if 'DELETE FROM "sessions_app_screenshot"' in sql
    ]
    assert done.deleted == 350 and len(deletes) == 4
    assert files(folder) == both(content_hash)


def test_a_pass_stops_when_its_time_is_up_and_goes_on(settings, folder):
    settings.PICTURES_MAX_MB = 1
    session = make_session()
    for number in range(8):
        keep(session, colour(number), 10 - number)
    weigh(stored_bytes=storage.MB)
    settings.PICTURES_DAYS = 9
    first = retention.work(NOW, at_a_time_s=0)
    assert first and not first.finished_at and first.deleted == 1 and first.lease_until is None
    second = retention.work(NOW, at_a_time_s=0)
    assert second and second.pk == first.pk and second.deleted == 7
    done = run_to_end()
    assert done.pk == first.pk and done.finished_at
    assert retention.work(NOW) is None  # nothing is due for five minutes


def test_the_task_is_on_the_timetable_and_not_on_a_queue_of_polling():
    entry = app.conf.beat_schedule["old_pictures"]
    assert entry["task"] == tasks.clear_pictures.name
    assert WORKERS[entry["options"]["queue"]] != WORKERS["poll"]
    tasks.clear_pictures()
    assert UpkeepPass.objects.get().finished_at
