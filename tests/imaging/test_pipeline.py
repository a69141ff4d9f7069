import threading

import pytest

from braindino.imaging.pipeline import read_ahead


def test_results_come_in_order_though_later_items_end_first():
    first_may_end = threading.Event()

    def work(item):
        if item == 0:
            assert first_may_end.wait(5)
        if item == 2:
            first_may_end.set()
        return item * 10

    assert list(read_ahead(range(6), work, workers=3)) == [0, 10, 20, 30, 40, 50]


def test_no_more_items_are_drawn_than_workers_ahead():
    drawn = []
    ahead = read_ahead((drawn.append(n) or n for n in range(100)), str, workers=2)
    for n in range(5):
        assert next(ahead) == str(n)
        assert len(drawn) == n + 3


def test_an_error_comes_at_its_items_turn():
    ahead = read_ahead([4, 2, 0, 1], lambda n: 8 // n)
    assert next(ahead) == 2
    assert next(ahead) == 4
    with pytest.raises(ZeroDivisionError):
        next(ahead)


def test_a_caller_that_stops_early_leaves_no_thread():
    before = threading.active_count()
    ahead = read_ahead(range(100), str, workers=2)
    next(ahead)
    ahead.close()
    assert threading.active_count() == before
