"""Presigned pictures, recordings and live views."""

from io import BytesIO

import httpx
import pytest
from PIL import Image

from sessions_app.simulator import pictures, video
from sessions_app.simulator.model import Task
from sessions_app.simulator.scripts import SCENES
from sessions_app.simulator.testing import RunningSimulator


def task(scene: str) -> Task:
    return Task(key=4711, scene=scene, started_ms=0, first_step=0, planned=40, steps=40)


def picture(quiet: RunningSimulator, session: str) -> str:
    return httpx.get(f"{quiet.base_url}/sessions/{session}", headers=quiet.headers).json()["screenshotUrl"]


def test_each_fetch_gives_a_new_address_that_dies_after_five_minutes(quiet: RunningSimulator) -> None:
    session = quiet.running_session().id
    quiet.advance(30)
    first, second = picture(quiet, session), picture(quiet, session)
    assert first != second
    assert first.startswith(quiet.origin)
    quiet.advance(299)
    assert httpx.get(first).status_code == 200
    quiet.advance(2)
    gone = httpx.get(first)
    assert gone.status_code == 403
    assert "expired" in gone.text
    assert httpx.get(second.replace("signature=", "signature=0")).status_code == 403
    assert httpx.get(second.split("?")[0]).status_code == 403


def test_both_formats_occur_and_steps_differ(quiet: RunningSimulator) -> None:
    kinds = set()
    for _ in range(8):
        session = quiet.running_session().id
        quiet.advance(60)
        before = httpx.get(picture(quiet, session))
        quiet.advance(60)
        after = httpx.get(picture(quiet, session))
        assert before.content != after.content
        kinds.add(after.headers["content-type"])
        assert Image.open(BytesIO(after.content)).size == (1280, 800)
    assert kinds == {"image/png", "image/jpeg"}


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_can_be_drawn_at_every_step(scene: str) -> None:
    drawn = {
        pictures.encoded(pictures.view(task(scene), step, cursor=True), "jpg") for step in range(1, 41, 3)
    }
    assert len(drawn) > 8


def test_the_address_goes_back_to_where_the_caller_came(quiet: RunningSimulator) -> None:
    session = quiet.running_session().id
    reply = httpx.get(
        f"{quiet.base_url}/sessions/{session}", headers=quiet.headers | {"Host": "sim.test:99"}
    ).json()
    assert reply["liveUrl"].startswith("http://sim.test:99/live/")


def test_a_live_view_needs_its_token(quiet: RunningSimulator) -> None:
    session = quiet.running_session().id
    quiet.advance(30)
    url = httpx.get(f"{quiet.base_url}/sessions/{session}", headers=quiet.headers).json()["liveUrl"]
    page = httpx.get(url)
    assert page.headers["content-type"].startswith("text/html")
    assert "http://127.0.0.1:*" in page.headers["content-security-policy"]
    assert httpx.get(url.replace("token=", "token=0")).status_code == 403
    assert httpx.get(url.split("?")[0]).status_code == 403
    state = httpx.get(url.replace("?", "/state?")).json()
    assert state["status"] == "running"
    assert 0 <= state["cursor"]["x"] <= 1
    assert httpx.get(url.replace("?", f"/frame/{state['step']}?")).headers["content-type"] == "image/jpeg"


def test_a_recording_is_webm(quiet: RunningSimulator) -> None:
    session = quiet.running_session(recording=True, keep_alive=True).id
    quiet.advance(60 * 25)
    reply = httpx.get(f"{quiet.base_url}/sessions/{session}", headers=quiet.headers).json()
    film = httpx.get(reply["recordingUrls"][0])
    assert film.headers["content-type"] == "video/webm"
    assert film.content.startswith(b"\x1a\x45\xdf\xa3")
    assert film.content.count(b"\x9d\x01\x2a") == video.FRAMES  # the start code of a VP8 key frame
    listed = httpx.get(f"{quiet.base_url}/sessions", headers=quiet.headers).json()["sessions"]
    assert listed[0]["recordingUrls"] == []
