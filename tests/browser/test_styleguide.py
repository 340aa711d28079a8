"""The styleguide has no barrier, whatever the viewer's own theme, and fits a phone."""

import pytest

from tests.support.fixtures import sign_in
from tests.support.looks import complaints, overflows

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_that_axe_knows(page, floor, shots, scheme):
    sign_in(page, floor.url)
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{floor.url}/styleguide/")
    backgrounds = page.locator(".guide").evaluate_all(
        "all => all.map((one) => getComputedStyle(one).backgroundColor)"
    )
    assert len(set(backgrounds)) == 2
    for name, viewport in {
        "desk": {"width": 1440, "height": 900},
        "phone": {"width": 390, "height": 844},
    }.items():
        page.set_viewport_size(viewport)
        shots.take(page, f"{name}-{scheme}")
        assert not overflows(page)
        assert complaints(page) == []
