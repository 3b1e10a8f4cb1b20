"""Run without being kept waiting by other programs, as far as the system permits."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SWITCH_SECONDS = 0.0005
"""How long one thread may keep another waiting: pyo's must not miss its block."""

PRIORITY = 5
"""Real-time priority of Python's threads; that of JACK's is higher."""


@contextmanager
def without_hesitation() -> Iterator[None]:
    """Give the calling thread real-time priority where that is permitted, within this block.

    Threads and programs that it starts do not inherit it. Python's search for cycles, which stops
    all threads, is made before and left out meanwhile.
    """
    interval, collects = sys.getswitchinterval(), gc.isenabled()
    gc.collect()
    gc.disable()
    sys.setswitchinterval(SWITCH_SECONDS)
    before = _raise_priority()
    try:
        yield
    finally:
        if before is not None:
            os.sched_setscheduler(0, before, os.sched_param(0))
        sys.setswitchinterval(interval)
        if collects:
            gc.enable()


def raise_other_threads() -> None:
    """Give Python's other threads the same priority: one that waits would keep all waiting."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.native_id is not None:
            _raise_priority(thread.native_id)


def _raise_priority(thread: int = 0) -> int | None:
    """Return the scheduling policy that was, or None if it stays."""
    if not hasattr(os, "sched_setscheduler"):
        return None
    with suppress(OSError):
        before = os.sched_getscheduler(thread)
        if before == os.SCHED_OTHER:
            policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
            os.sched_setscheduler(thread, policy, os.sched_param(PRIORITY))
            return before
    return None
