"""Compute items ahead, in a thread of their own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")

AHEAD = 4
"""Items that are computed ahead."""


def prefetch(items: Iterable[Item]) -> Iterator[Item]:
    """Yield items in order, while another thread computes the next ones.

    Where the iterator is closed early, no further item is begun.

    Examples
    --------
    >>> list(prefetch(range(3)))
    [0, 1, 2]
    """
    source, end = iter(items), object()
    thread = ThreadPoolExecutor(1, "prefetch")
    try:
        waiting = deque(thread.submit(next, source, end) for _ in range(AHEAD))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(thread.submit(next, source, end))
            yield item  # type: ignore[misc]
    finally:
        thread.shutdown(cancel_futures=True)
