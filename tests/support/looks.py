"""What is wrong with a page as it stands in the browser, whoever looks at it."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def complaints(page: Page, *, frames: bool = True) -> list[str]:
    """Barriers that axe knows: the rule, and the first element that breaks it.  `frames`: in frames as well."""
    found = Axe().run(page, options={"iframes": frames}).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


def overflows(page: Page) -> bool:
    """Whether it scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def hide(page: Page, *, hidden: bool) -> None:
    """Headless pages are always visible, so the page is told that it is not."""
    page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
