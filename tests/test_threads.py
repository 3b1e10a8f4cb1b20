"""Numeric libraries compute on the calling thread within a block, and as before after it."""

import cv2
import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from frame2sound.threads import one_thread_per_operation


def thread_counts():
    blas = {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
    return torch.get_num_threads(), cv2.getNumThreads(), max(blas)


@pytest.fixture(autouse=True)
def three_threads():
    before = torch.get_num_threads(), cv2.getNumThreads()
    np.ones((2, 2)) @ np.ones((2, 2))
    torch.set_num_threads(3)
    cv2.setNumThreads(3)
    yield
    torch.set_num_threads(before[0])
    cv2.setNumThreads(before[1])


def test_one_thread_within_and_as_many_as_before_after():
    before = thread_counts()
    with one_thread_per_operation():
        assert thread_counts() == (1, 1, 1)
    assert thread_counts() == before
    assert before[:2] == (3, 3)


def test_blocks_that_overlap_restore_when_the_last_ends():
    before = thread_counts()
    first, second = one_thread_per_operation(), one_thread_per_operation()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert thread_counts() == (1, 1, 1)
    second.__exit__(None, None, None)
    assert thread_counts() == before


def test_an_error_restores_too():
    before = thread_counts()
    with pytest.raises(ZeroDivisionError), one_thread_per_operation():
        raise ZeroDivisionError
    assert thread_counts() == before
