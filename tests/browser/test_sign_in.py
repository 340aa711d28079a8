"""Nobody stands on the floor unknown; whoever has the password gets in through the form."""

import pytest

from tests.support.fixtures import sign_in
from tests.support.floor import ADMIN

pytestmark = pytest.mark.browser


def test_the_first_admin_signs_in_through_the_form(page, floor):
    sign_in(page, floor.url)
    cookies = {cookie["name"] for cookie in page.context.cookies()}
    assert "sessionid" in cookies
    page.locator("#main").wait_for()
    assert page.locator(".messages").count() == 0, "it would stand on the floor all day"


def test_a_wrong_password_is_told_and_stays_outside(page, floor):
    page.goto(f"{floor.url}/accounts/login/")
    page.fill("input[name=login], input[name=username]", ADMIN)
    page.fill("input[name=password]", "not-the-password")
    page.locator("form:has(input[name=password]) [type=submit]").first.click()
    page.get_by_text("not correct").wait_for()
    assert "sessionid" not in {cookie["name"] for cookie in page.context.cookies()}
