"""Arrays written row by row equal those that NumPy saves."""

import numpy as np
import pytest

from frame2sound.library.npy_writer import NpyWriter


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (3,), (4, 5)])
def test_rows_are_appended(tmp_path, dtype, shape):
    expected = np.arange(1000 * max(1, np.prod(shape))).reshape(-1, *shape).astype(dtype)
    with NpyWriter(tmp_path / "rows.npy", dtype, shape) as rows:
        for begin, end in [(0, 1), (1, 1), (1, 10), (10, 1000)]:
            rows.append(expected[begin:end])
            assert rows.row_count == end
    for mode in (None, "r"):
        again = np.load(tmp_path / "rows.npy", mmap_mode=mode, allow_pickle=False)
        assert again.dtype == dtype
        np.testing.assert_array_equal(again, expected[:1000])
    assert isinstance(again, np.memmap)


def test_an_empty_array_has_no_rows(tmp_path):
    with NpyWriter(tmp_path / "rows.npy", np.uint8, (64, 64)):
        pass
    assert np.load(tmp_path / "rows.npy").shape == (0, 64, 64)


@pytest.mark.parametrize(("length", "rows_left"), [(0, 0), (4, 4), (10, 10), (99, 10)])
def test_rows_are_appended_after_truncation(tmp_path, length, rows_left):
    expected = np.random.default_rng(0).normal(size=(10, 3))
    with NpyWriter(tmp_path / "rows.npy", np.float64, (3,)) as rows:
        rows.append(expected)
        rows.truncate(length)
        assert rows.row_count == rows_left
        rows.append(expected[:2])
    again = np.load(tmp_path / "rows.npy", mmap_mode="r")
    np.testing.assert_array_equal(again, np.concatenate([expected[:rows_left], expected[:2]]))
    assert (tmp_path / "rows.npy").stat().st_size == again.offset + again.nbytes


def test_rows_of_any_type_and_layout_are_converted(tmp_path):
    rows = np.arange(24).reshape(4, 6).T[::-1]
    with NpyWriter(tmp_path / "rows.npy", np.float32, (4,)) as array:
        array.append(rows)
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), rows.astype(np.float32))


@pytest.mark.parametrize("shape", [(2, 64, 63), (64, 64), (2, 64, 64, 3), (5,)])
def test_rows_of_another_shape_are_refused(tmp_path, shape):
    with NpyWriter(tmp_path / "rows.npy", np.uint8, (64, 64)) as rows:
        with pytest.raises(ValueError, match=r"got rows of shape .*, expected \(64, 64\)"):
            rows.append(np.zeros(shape, np.uint8))
        assert rows.row_count == 0


def test_a_length_of_many_digits_fits_the_header(tmp_path):
    with NpyWriter(tmp_path / "rows.npy", np.uint8) as rows:
        for _ in range(11):
            rows.append(np.ones(1_000_000, np.uint8))
    assert np.load(tmp_path / "rows.npy", mmap_mode="r").shape == (11_000_000,)
