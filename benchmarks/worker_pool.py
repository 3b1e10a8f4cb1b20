"""Worker processes of benchmarks, which end with the process that started them."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import SpawnContext
from typing import Any

CONTEXT: SpawnContext = multiprocessing.get_context("spawn")


def worker_pool(
    count: int, start: Callable[..., None] | None = None, *given: Any
) -> ProcessPoolExecutor:
    """Return a pool of processes, each of which calls ``start(*given)`` first.

    A worker whose parent is killed ends at once, so that it cannot write beside the next run.
    """
    return ProcessPoolExecutor(count, CONTEXT, _begin, (start, given))


def _begin(start: Callable[..., None] | None, given: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if start is not None:
        start(*given)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
