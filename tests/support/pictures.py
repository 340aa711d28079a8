"""python -m tests.support.pictures: takes the pictures of README and docs/screens.md anew, from a floor of its own."""

import io
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.support import chromium
from tests.support.environment import ROOT
from tests.support.fixtures import sign_in
from tests.support.floor import Floor

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = ROOT / "docs" / "img"
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
FILLS_S = 100.0
"""Until most running sessions have had a picture, and a few a history."""
PAGES = (
    # name, address, colours
    ("live", "/", "light"),
    ("wall", "/?view=wall", "dark"),
    ("attention", "/attention/", "light"),
    ("sessions", "/sessions/", "light"),
    ("session", "SESSION", "light"),
    ("costs", "/costs/?range=30d", "light"),
    ("stops", "/stops/", "light"),
    ("settings", "/settings/", "light"),
)
ON_PHONE = (
    ("phone-live", "/", "light"),
    ("phone-session", "SESSION", "dark"),
    ("phone-costs", "/costs/", "light"),
)


def main() -> None:
    executable = chromium.find() or chromium.fetch()
    with Floor() as floor, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        time.sleep(FILLS_S)
        _stop_one(browser, floor.url)
        for size, pages in ((DESK, PAGES), (PHONE, ON_PHONE)):
            for name, address, colours in pages:
                _take(_page(browser, floor.url, size, colours), floor.url, address, FOLDER / f"{name}.webp")
        browser.close()


def _page(browser: "Browser", url: str, size: dict[str, int], colours: str) -> "Page":
    context = browser.new_context(viewport=size, color_scheme=colours, device_scale_factor=1)  # type: ignore[arg-type]
    page = context.new_page()
    sign_in(page, url)
    return page


def _take(page: "Page", url: str, address: str, file: Path) -> None:
    if address == "SESSION":
        page.goto(url)
        uuid = page.locator('.row[data-status="running"]:has(img)').first.get_attribute("data-session-id")
        address = f"/sessions/{uuid}/"
    page.goto(url + address)
    page.wait_for_timeout(4_000)  # pictures, and the live view
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(file, quality=82, method=6)
    page.context.close()
    print(file.relative_to(ROOT), f"{file.stat().st_size // 1000} KB")


def _stop_one(browser: "Browser", url: str) -> None:
    """So that the page of stops has something to show."""
    page = _page(browser, url, DESK, "light")
    page.goto(url)
    uuid = page.locator('.row[data-status="running"]').last.get_attribute("data-session-id")
    page.goto(f"{url}/sessions/{uuid}/stop/?strategy=session")
    page.locator(".ask-page").get_by_role("button", name="End session").click()
    page.wait_for_timeout(6_000)
    page.context.close()


if __name__ == "__main__":
    main()
