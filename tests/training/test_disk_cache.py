"""Rows on disk are read as they were written, and a full disk is an error."""

import errno
import os
import resource
import shutil
import signal
from collections import namedtuple

import numpy as np
import pytest

from frame2sound.errors import TrainingError
from frame2sound.training.example_cache import DiskCache


@pytest.fixture
def rows():
    return np.random.default_rng(0).integers(0, 256, (40, 7), np.uint8)


@pytest.mark.parametrize(
    "indices", [[], [3], [39, 0, 1, 2, 2, 7, 8], range(40), range(39, -1, -1)], ids=str
)
def test_rows_are_read_in_any_order(tmp_path, rows, indices):
    cache = DiskCache(tmp_path / "new" / "folder", 40, 7)
    cache.write(25, rows[25:])
    cache.write(0, rows[:25])
    indices = np.array(indices, np.int64)
    assert (cache.read(indices) == rows[indices]).all()


def test_the_file_has_no_name(tmp_path, rows):
    cache = DiskCache(tmp_path, 40, 7)
    cache.write(0, rows)
    assert list(tmp_path.iterdir()) == []


def test_missing_rows_are_an_error(tmp_path, rows):
    cache = DiskCache(tmp_path, 40, 7)
    cache.write(0, rows[:39])
    with pytest.raises(TrainingError, match="is incomplete; train again with `resume=True`"):
        cache.read(np.array([39]))


def test_a_disk_with_too_little_space_is_refused_at_once(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(9, 0, 3_000_000_000))
    with pytest.raises(
        TrainingError, match=r"4\.00 GB of training data .* \(3\.00 GB are free\); free s"
    ):
        DiskCache(tmp_path, 1000, 4_000_000)


def test_a_disk_that_fills_up_is_an_error(tmp_path, rows):
    cache = DiskCache(tmp_path, 40, 7)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        with pytest.raises(TrainingError, match=r"cannot be cached in .* \(.*\); free space"):
            cache.write(0, rows)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_an_unwritable_folder_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match=os.strerror(errno.EEXIST).lower()):
        DiskCache(tmp_path / "file", 1, 1)
