"""Run without being kept waiting by other programs, as far as the system permits."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SWITCH_SECONDS = 0.0005
"""How long one thread may keep another waiting: pyo's must not miss its block."""

PRIORITY = 5
"""Real-time priority of the thread that sees frames; that of JACK's threads is higher."""


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


def _raise_priority() -> int | None:
    """Return the scheduling policy that was, or None if it stays."""
    if not hasattr(os, "sched_setscheduler"):
        return None
    before = os.sched_getscheduler(0)
    with suppress(OSError):
        if before == os.SCHED_OTHER:
            policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
            os.sched_setscheduler(0, policy, os.sched_param(PRIORITY))
            return before
    return None
