"""Items made ahead in another thread: all of them, in order, and errors where they belong."""

import threading

import pytest

from frame2sound.prefetch import AHEAD, prefetch


@pytest.mark.parametrize("count", [0, 1, AHEAD, 50])
def test_all_come_in_order(count):
    assert list(prefetch(range(count))) == list(range(count))


def test_they_are_made_elsewhere_and_only_a_few_ahead():
    made = []

    def items():
        for number in range(50):
            made.append(threading.current_thread())
            yield number

    for number in prefetch(items()):
        assert len(made) <= number + 1 + AHEAD
    assert threading.main_thread() not in made


def test_an_error_comes_after_what_was_made_before_it():
    def items():
        yield 1
        yield 2
        raise ValueError("out of film")

    taken = []
    with pytest.raises(ValueError, match="out of film"):
        taken.extend(each for each in prefetch(items()) if taken.append(each))
    assert taken == [1, 2]


def test_it_may_be_left_at_any_time():
    before = threading.active_count()
    items = prefetch(iter(range(100)))
    assert next(items) == 0
    items.close()
    assert threading.active_count() == before


def test_no_item_is_begun_after_it_is_left():
    begun, second, go_on = [], threading.Event(), threading.Event()

    def items():
        for number in range(100):
            begun.append(number)
            if number:
                second.set()
                go_on.wait(10)
            yield number

    items = prefetch(items())
    assert next(items) == 0
    assert second.wait(60)
    closing = threading.Thread(target=items.close)
    closing.start()
    closing.join(0.3)  # what waits is cancelled, and the second goes on
    go_on.set()
    closing.join()
    assert begun == [0, 1]
