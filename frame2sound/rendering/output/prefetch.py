"""Sound made while what was made before is written."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")

PREFETCH = 4
"""Chunks that wait to be written, or are being made."""


def prefetch(items: Iterable[Item]) -> Iterator[Item]:
    """Yield items in order, a few of which are made in another thread meanwhile.

    Examples
    --------
    >>> list(ahead(range(3)))
    [0, 1, 2]
    """
    source, end = iter(items), object()
    with ThreadPoolExecutor(1, "ahead") as thread:
        waiting = deque(thread.submit(next, source, end) for _ in range(PREFETCH))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(thread.submit(next, source, end))
            yield item  # type: ignore[misc]
