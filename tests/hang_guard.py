"""A guard against tests that never end."""

import signal
from contextlib import contextmanager

TIMEOUT = 60
"""Seconds; far longer than anything takes that does not hang."""


@contextmanager
def fail_if_hung():
    """Fail if the body does not end."""

    def fail(number, frame):
        raise AssertionError(f"not done after {TIMEOUT} s")

    previous = signal.signal(signal.SIGALRM, fail)
    signal.alarm(TIMEOUT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
