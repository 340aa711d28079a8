"""Three in the morning: support on a phone, an operator at a desk, a second one who comes late.  From alert to proof."""

import csv
import io
import re

import pytest
from playwright.sync_api import expect

from tests.support.fixtures import Shots

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PROVEN = 90_000
expect.set_options(timeout=30_000)


def test_from_the_alert_to_the_proof(visit, floor, shots: Shots):
    phone = visit(floor.url, viewport=PHONE, color_scheme="dark", has_touch=True)
    desk, late = visit(floor.url, viewport=DESK), visit(floor.url, viewport=DESK)

    # the phone: what is wrong, which one, why
    phone.goto(f"{floor.url}/attention/")
    row = phone.locator('.row[data-rank][data-status="running"]:not([data-stopping])').first
    row.wait_for(timeout=90_000)
    uuid = row.get_attribute("data-session-id") or ""
    expect(row.locator(".why").first).to_be_visible()
    shots.take(phone, "alert")
    desk.goto(f"{floor.url}/")
    expect(desk.locator(f"#s-{uuid}")).to_be_visible()
    late.goto(f"{floor.url}/sessions/{uuid}/stop/?strategy=session")

    # the click, with a reason
    row.locator(".row-title").click()
    phone.wait_for_url(f"**/sessions/{uuid}/**")
    shots.take(phone, "session")
    phone.goto(f"{floor.url}/sessions/{uuid}/stop/?strategy=session")
    phone.get_by_text("Too expensive").click()
    shots.take(phone, "question")
    phone.get_by_role("button", name="End session").click()

    # the desk sees it without asking, and who comes late joins
    expect(desk.locator(f"#s-{uuid}[data-stopping], #s-{uuid}[data-ended]")).to_be_visible()
    shots.take(desk, "desk")
    late.locator(".ask-page").get_by_role("button", name="End session").click()
    expect(late.locator("#dialog")).to_contain_text(re.compile("was first|It was so already|Confirmed"))

    # the proof, and the record of it
    expect(desk.locator(f"#s-{uuid}")).to_have_attribute("data-ended", "", timeout=PROVEN)
    desk.goto(f"{floor.url}/stops/?reason=too+expensive")
    receipt = desk.locator(f'[data-session-id="{uuid}"][data-strategy="session"]').first
    expect(receipt).to_have_attribute("data-stop-state", "confirmed", timeout=PROVEN)
    shots.take(desk, "record")
    sheet = desk.request.get(f"{floor.url}/stops/export.csv?reason=too+expensive").body().decode("utf-8-sig")
    mine = [line for line in csv.DictReader(io.StringIO(sheet)) if line["session_id"] == uuid]
    assert [(line["state"], line["reason"]) for line in mine] == [("confirmed", "Too expensive")]
