"""Who is woken, and who is watched: words in Redis that lapse by themselves."""

from datetime import timedelta
from uuid import uuid4

import time_machine

from sessions_app.live import wake, watching


def test_a_session_is_woken_once_however_often_it_is_said():
    uuid = uuid4()
    for _ in range(5):
        wake.session(7, uuid)
    [woken] = wake.waiting()
    assert (woken.account_pk, woken.uuid) == (7, uuid)


def test_the_longest_waiting_first_and_what_was_read_is_gone():
    first, second = uuid4(), uuid4()
    wake.session(1, first)
    wake.session(2, second)
    waiting = wake.waiting()
    assert [one.uuid for one in waiting] == [first, second]
    wake.read(waiting[:1])
    assert [one.uuid for one in wake.waiting()] == [second]


def test_a_word_that_came_while_it_was_read_is_not_lost():
    uuid = uuid4()
    wake.session(1, uuid)
    before = wake.waiting()
    wake.session(1, uuid)
    wake.read(before)
    [woken] = wake.waiting()
    assert woken.at > before[0].at
    wake.read([woken])
    assert wake.waiting() == []


def test_a_word_that_nobody_heard_in_time_is_left_to_the_sweep():
    with time_machine.travel("2026-11-24T12:00:00Z", tick=False) as clock:
        wake.session(1, uuid4())
        clock.shift(timedelta(seconds=wake.KEPT_S + 1))
        assert wake.waiting() == []


def test_what_is_open_lapses_unless_it_is_said_again():
    with time_machine.travel("2026-11-24T12:00:00Z", tick=False) as clock:
        watching.note([3, 4])
        clock.shift(timedelta(seconds=4))
        watching.note([4])
        assert watching.opened() == [4, 3]
        clock.shift(timedelta(seconds=2))
        assert watching.opened() == [4]
        watching.note([])
        clock.shift(timedelta(seconds=9))
        assert watching.opened() == []
