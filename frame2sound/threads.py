"""Keep numeric libraries from starting threads that would wait more than they compute."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock

ONE_THREAD_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""What keeps the numeric libraries of a subprocess to one thread each."""

_lock = Lock()
_users = 0
_restore = ExitStack()


@contextmanager
def one_thread_per_operation() -> Iterator[None]:
    """Make BLAS, PyTorch and OpenCV compute on the thread that calls them, within this block.

    Their worker threads wait in a loop: while the other processors decode, or where operations are
    small, a batch costs several times as much with two threads as with one. Results do not depend
    on the number of processors. The limit is that of the whole process; the last block that ends
    restores what was.
    """
    global _users
    with _lock:
        if not _users:
            _limit()
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                _restore.close()


def _limit() -> None:
    import cv2
    from threadpoolctl import threadpool_limits

    _restore.enter_context(threadpool_limits(1, user_api="blas"))
    _restore.callback(cv2.setNumThreads, cv2.getNumThreads())
    cv2.setNumThreads(1)
    if (torch := sys.modules.get("torch")) is not None:
        _restore.callback(torch.set_num_threads, torch.get_num_threads())
        torch.set_num_threads(1)
