"""The share that is done only grows, and follows the pace of the parts."""

from __future__ import annotations

import pytest

from components.analysis.pace import LONGEST, UNKNOWN, Pace


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_the_share_is_time_spent_of_all_the_time_it_will_take(clock):
    shares = []
    pace = Pace(shares.append, clock)
    pace.learn("did", 0.5)
    clock.now += 10.0
    pace.tell({"did": 60})
    assert shares[-1] == pytest.approx(10.0 / 40.0)
    clock.now += 20.0
    pace.tell({"did": 20}, besides=20.0)
    assert shares[-1] == pytest.approx(30.0 / 60.0)


def test_it_never_falls_and_never_says_that_all_is_done(clock):
    shares = []
    pace = Pace(shares.append, clock)
    for ahead in (100, 1, 50, 0):
        clock.now += 5.0
        pace.learn("sc", 1.0)
        pace.tell({"sc": ahead})
    assert shares == sorted(shares)
    assert shares[-1] == 0.99


def test_what_is_not_known_counts_as_some_seconds(clock):
    shares = []
    pace = Pace(shares.append, clock)
    clock.now += UNKNOWN
    pace.tell({"trop": 500})
    assert shares == [0.5]
    pace.tell({"trop": 0})
    assert shares[-1] == 0.99


def test_a_stranger_is_taken_to_be_slower_than_all_others(clock):
    shares = []
    pace = Pace(shares.append, clock)
    pace.learn("did", 0.5)
    clock.now += 20.0
    pace.tell({"did": 0, "trop": 60})
    assert shares[-1] == pytest.approx(20.0 / 80.0)


def test_no_round_begins_late_and_none_is_awaited(clock):
    shares = []
    pace = Pace(shares.append, clock)
    pace.learn("mc", 10.0)
    clock.now += LONGEST / 2
    assert not pace.late
    pace.tell({"mc": 10_000})
    assert shares[-1] == pytest.approx(0.5)
    clock.now += LONGEST / 2 + 1.0
    assert pace.late
