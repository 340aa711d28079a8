"""What every page asks alike is asked once a moment."""

from itertools import count

from sessions_app.queries import recent


def test_a_second_page_is_told_what_the_first_one_was(monkeypatch):
    monkeypatch.setattr(recent, "KEPT_S", 60)
    numbers = count()
    assert recent.recent("same", lambda: next(numbers)) == recent.recent("same", lambda: next(numbers))
    assert recent.recent("other", lambda: next(numbers)) == 1


def test_nothing_is_kept_for_longer_than_it_may(monkeypatch):
    monkeypatch.setattr(recent, "KEPT_S", 1)
    numbers = count()
    moments = iter([100.0, 100.9, 101.1])
    monkeypatch.setattr(recent.time, "monotonic", lambda: next(moments))
    assert [recent.recent("ages", lambda: next(numbers)) for _ in range(3)] == [0, 0, 1]


def test_it_never_grows(monkeypatch):
    monkeypatch.setattr(recent, "KEPT_S", 60)
    for key in range(3 * recent.MOST):
        recent.recent(("many", key), lambda: "said")
    assert len(recent._kept) <= recent.MOST
