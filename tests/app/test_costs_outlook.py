"""Costs: the stretch before, the forecast of the month, and any two facets against each other."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from sessions_app.costs import selection
from sessions_app.costs.outlook import before, forecast
from sessions_app.costs.pivot import MOST_COLUMNS, MOST_ROWS, SIDES, USUAL, pivot, sides_of
from sessions_app.costs.question import question
from sessions_app.templatetags.costs import change
from tests.app.test_costs import person
from tests.support.spending import NOW, spend

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

DAY = timedelta(days=1)


def asked(now=NOW, zone="UTC", **query):
    return question({name: str(value) for name, value in query.items()}, zone, now)


# ---- the stretch before --------------------------------------------------------------------------------


def test_seven_days_are_compared_with_the_seven_before_up_to_the_same_moment():
    midnight = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    spend([(midnight - 6 * DAY, 5)])  # of the stretch itself
    spend([(midnight - 13 * DAY, 100)])  # the first hour of the one before
    spend([(NOW - 7 * DAY - timedelta(hours=1), 20)])  # its last day, before this time of day
    spend([(NOW - 7 * DAY + timedelta(hours=1), 1_000)])  # the same day, later: not reached yet
    spend([(midnight - 13 * DAY - timedelta(hours=1), 7_000)])  # before both
    found = before(asked(range="7d"), NOW)
    assert found.microusd == 120
    assert (found.first_day, found.last_day) == (NOW.date() - 13 * DAY, NOW.date() - 7 * DAY)


def test_days_that_are_over_are_compared_with_whole_ones():
    day = NOW.date() - 10 * DAY
    spend([(datetime(day.year, day.month, day.day, 23, tzinfo=UTC) - DAY, 42)])
    assert before(asked(**{"from": day, "to": day}), NOW).microusd == 42


def test_nothing_lies_before_all_time():
    assert before(asked(range="all"), NOW) is None


def test_filters_count_for_the_stretch_before_too():
    spend([(NOW - 8 * DAY, 10)], model="dear")
    spend([(NOW - 8 * DAY, 5)], model="cheap")
    assert before(asked(range="7d", model="cheap"), NOW).microusd == 5


@pytest.mark.parametrize(
    ("now", "then", "words"),
    [
        (112, 100, "+12 %"),
        (92, 100, "−8 %"),
        (100, 100, "the same"),
        (340, 100, "3.4×"),
        (5, 0, "new"),
        (0, 0, "–"),
    ],
)
def test_changes_in_words(now, then, words):
    assert change(now, then) == words


# ---- the forecast --------------------------------------------------------------------------------------

HALF_TIME = datetime(2026, 6, 16, 0, 0, tzinfo=UTC)


def test_equal_days_go_on_like_that():
    for back in range(1, 16):
        spend([(HALF_TIME - back * DAY + timedelta(hours=3), 1_000_000)])
    found = forecast(asked(HALF_TIME), HALF_TIME)
    assert found.so_far == 15_000_000 and found.days_known == 14
    assert found.expected == found.low == found.high == 30_000_000


def test_uneven_days_widen_the_band():
    for back in range(1, 16):
        spend([(HALF_TIME - back * DAY, 2_000_000 * (back % 2))])
    found = forecast(asked(HALF_TIME), HALF_TIME)
    assert found.so_far < found.low < found.expected < found.high


def test_two_days_say_nothing():
    for back in (1, 2):
        spend([(HALF_TIME - back * DAY, 1)])
    assert forecast(asked(HALF_TIME), HALF_TIME) is None


def test_a_month_that_began_today_is_forecast_from_the_one_before():
    first = datetime(2026, 6, 1, 12, tzinfo=UTC)
    for back in range(1, 8):
        spend([(first - back * DAY, 2_000_000)])
    found = forecast(asked(first), first)
    assert found.so_far == 0 and found.expected == 59_000_000


# ---- the pivot -----------------------------------------------------------------------------------------


def table(rows: str, columns: str) -> dict[tuple[str, str], int]:
    found = pivot(asked(range="all"), (rows, columns))
    names = [head.words for head in found.columns]
    return {
        (head.words, name): cell
        for head, cells in found.rows
        for name, cell in zip(names, cells, strict=True)
        if cell
    }


def test_cells_by_model_and_outcome():
    spend([(NOW, 10)], model="a", status="stopped", is_task_successful=True)
    spend([(NOW, 5)], model="a", status="error")
    spend([(NOW, 7)], model="b", status="running")
    spend([(NOW, 1)], model="", status="running")
    assert table("model", "outcome") == {
        ("a", "Succeeded"): 10, ("a", "Ended with an error"): 5, ("b", "Under way"): 7, ("No model said", "Under way"): 1,
    }  # fmt: skip


@pytest.mark.parametrize("rows", SIDES)
@pytest.mark.parametrize("columns", SIDES)
def test_the_cells_add_up_to_the_total(rows, columns):
    if rows == columns:
        assert sides_of({"rows": rows, "columns": columns}) == USUAL
        return
    for number in range(1, 40):
        spend([(NOW, number)], model=f"m{number}", proxy_country="de" if number % 2 else "")
    found = pivot(asked(range="all"), sides_of({"rows": rows, "columns": columns}))
    total = 39 * 40 // 2
    assert sum(cell for _, cells in found.rows for cell in cells) == total
    assert (
        sum(head.microusd for head, _ in found.rows) == total == sum(head.microusd for head in found.columns)
    )
    assert all(sum(cells) == head.microusd for head, cells in found.rows)


def test_a_stretch_without_spend_has_an_empty_table():
    spend([(NOW - 300 * DAY, 10)])
    found = pivot(asked(range="today"), USUAL)
    assert (found.rows, found.columns) == ((), ())


def test_many_columns_end_in_one_for_all_others():
    for number in range(1, 20):
        spend([(NOW, number)], model=f"m{number}")
    found = pivot(asked(range="all"), ("account", "model"))
    assert [head.words for head in found.columns][-1] == f"{19 - MOST_COLUMNS} others"
    assert found.columns[0].words == "m19"


def test_days_by_kind_of_cost():
    spend([(NOW, 100)])  # half of it LLM, a quarter the browser's, and of the rest nobody says what it was
    spend([(NOW - DAY, 40)])
    assert table("day", "kind") == {
        ("Tue 24 Nov 2026", "LLM"): 50, ("Tue 24 Nov 2026", "Browser"): 25, ("Tue 24 Nov 2026", "Not itemised"): 25,
        ("Mon 23 Nov 2026", "LLM"): 20, ("Mon 23 Nov 2026", "Browser"): 10, ("Mon 23 Nov 2026", "Not itemised"): 10,
    }  # fmt: skip


def test_many_days_end_in_one_line_for_all_before():
    for back in range(30):
        spend([(NOW - back * DAY, 1)])
    heads = [head for head, _ in pivot(asked(range="all"), ("day", "model")).rows]
    assert [head.value for head in heads[:2]] == ["2026-11-24", "2026-11-23"]
    assert (heads[-1].words, heads[-1].microusd, len(heads)) == (
        f"{30 - MOST_ROWS} earlier days",
        10,
        MOST_ROWS + 1,
    )


def test_days_are_the_readers():
    spend([(datetime(2026, 11, 20, 23, 30, tzinfo=UTC), 5)])
    (head, _), *_ = pivot(asked(range="all", zone="Asia/Tokyo"), ("day", "model")).rows
    assert head.value == "2026-11-21"


def test_a_cell_of_a_day_leads_to_that_day(client, time_machine):
    time_machine.move_to(NOW, tick=False)
    client.force_login(person("lena", "lead"))
    spend([(NOW, 7)], model="a")
    html = client.get("/costs/?range=all&rows=day&columns=status").content.decode()
    assert "?rows=day&amp;columns=status&amp;from=2026-11-24&amp;to=2026-11-24&amp;status=running" in html


def test_facets_are_counted_alike_together_and_each_by_itself(monkeypatch):
    for number in range(24):
        spend([(NOW, 10**number % 997)], model=f"m{number % 5}", status=("stopped", "error")[number % 2])
    pairs = [(one, other) for one in SIDES for other in SIDES if one != other]
    together = [pivot(asked(range="all"), pair) for pair in pairs]
    monkeypatch.setattr(selection, "MOST_CELLS", 1)
    assert [pivot(asked(range="all"), pair) for pair in pairs] == together


@pytest.mark.parametrize("query", [{}, {"rows": "model"}, {"rows": "x", "columns": "y"}])
def test_an_address_that_makes_no_sense_shows_the_usual(query):
    assert sides_of(query) == USUAL


# ---- the page ------------------------------------------------------------------------------------------


def test_the_page_shows_all_of_it_and_stays_escaped(client, time_machine):
    time_machine.move_to(NOW, tick=False)
    client.force_login(person("lena", "lead"))
    spend([(NOW, 3_000_000)], model="<b>dear</b>")
    html = client.get("/costs/?range=all&rows=model&columns=country").content.decode()
    assert "<b>dear</b>" not in html and "&lt;b&gt;dear" in html
    assert sum(map(int, re.findall(r'data-cell-microusd="(\d+)"', html))) == 3_000_000
    assert "Needs three whole days" in html and "<option selected>country" in html
