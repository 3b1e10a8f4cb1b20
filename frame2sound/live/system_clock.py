"""Time as the computer counts it, from the first wait on."""

from __future__ import annotations

import time
from fractions import Fraction


class SystemClock:
    """The system's time; it starts with the first wait."""

    def __init__(self) -> None:
        self._start: float | None = None

    def wait_until(self, seconds: Fraction) -> float:
        """Sleep until a time; return by how many seconds it is over."""
        if self._start is None:
            self._start = time.perf_counter()
        due = self._start + float(seconds)
        while (left := due - time.perf_counter()) > 0:
            time.sleep(left)
        return time.perf_counter() - due
