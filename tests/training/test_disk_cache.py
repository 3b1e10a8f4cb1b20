"""Rows on disk come back as they went, leave nothing behind, and a full disk is said."""

import errno
import os
import resource
import shutil
import signal
from collections import namedtuple

import numpy as np
import pytest

from frame2sound.errors import TrainingError
from frame2sound.training.disk_cache import DiskCache


@pytest.fixture
def rows():
    return np.random.default_rng(0).integers(0, 256, (40, 7), np.uint8)


@pytest.mark.parametrize(
    "which", [[], [3], [39, 0, 1, 2, 2, 7, 8], range(40), range(39, -1, -1)], ids=str
)
def test_rows_come_back_in_any_order(tmp_path, rows, which):
    storage = DiskCache(tmp_path / "new" / "folder", 40, 7)
    storage.write(25, rows[25:])
    storage.write(0, rows[:25])
    which = np.array(which, np.int64)
    assert (storage.read(which) == rows[which]).all()


def test_nothing_bears_a_name(tmp_path, rows):
    storage = DiskCache(tmp_path, 40, 7)
    storage.write(0, rows)
    assert list(tmp_path.iterdir()) == []


def test_rows_that_are_gone_are_missed(tmp_path, rows):
    storage = DiskCache(tmp_path, 40, 7)
    storage.write(0, rows[:39])
    with pytest.raises(TrainingError, match="are cut short; train again with --resume"):
        storage.read(np.array([39]))


def test_a_disk_with_too_little_room_is_refused_at_once(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(9, 0, 3_000_000_000))
    with pytest.raises(
        TrainingError, match=r"4\.00 GB of lessons .* \(3\.00 GB are free\); make r"
    ):
        DiskCache(tmp_path, 1000, 4_000_000)


def test_a_disk_that_fills_up_is_said(tmp_path, rows):
    storage = DiskCache(tmp_path, 40, 7)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handled = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        with pytest.raises(TrainingError, match=r"cannot be laid down in .* \(.*\); make room"):
            storage.write(0, rows)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handled)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match=os.strerror(errno.EEXIST).lower()):
        DiskCache(tmp_path / "file", 1, 1)
