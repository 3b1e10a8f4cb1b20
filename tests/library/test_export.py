"""The arrays of an exported film have the documented values."""

from __future__ import annotations

import itertools
import tracemalloc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from frame2sound.clock import Clock, frame_indices_at_ticks
from frame2sound.errors import LibraryError
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.export import export_npz
from frame2sound.library.store import Card, Library, PickledFilm

CLOCK = Clock(Fraction(24), 22050)


@pytest.fixture
def film(tmp_path: Path) -> PickledFilm:
    """A film of fifty frames of noise at 24 fps."""
    folder = tmp_path / "film"
    folder.mkdir()
    random = np.random.default_rng(0)
    samples = CLOCK.start_sample(50)
    np.save(folder / "frames.npy", random.integers(0, 256, (50, 64, 64), np.uint8))
    np.save(folder / "times.npy", CLOCK.frame_times(51))
    np.save(folder / "sound.npy", random.standard_normal(samples).astype(np.float32))
    return PickledFilm(folder, Card("n", "n", CLOCK.fps, 50, samples, 22050, (0, samples)))


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(30), Fraction(30000, 1001)])
def test_pcm_has_the_samples_of_each_frame(
    film: PickledFilm, fps: Fraction, tmp_path: Path
) -> None:
    clock = Clock(fps, 22050)
    export_npz(film, clock, tmp_path / "film.npz")
    with np.load(tmp_path / "film.npz", allow_pickle=False) as arrays:
        rows = frame_indices_at_ticks(film.times, clock)
        assert arrays["frames"].shape == (len(rows), 4096)
        assert arrays["frames"].dtype == np.float32
        # 255 is not a power of two: float32 rounds.
        expected = film.frames[rows].reshape(len(rows), -1) / 255
        np.testing.assert_allclose(arrays["frames"], expected, atol=1e-7)
        bounds = clock.sample_bounds(len(rows))
        for row, (begin, end) in enumerate(itertools.pairwise(bounds)):
            frame_samples = film.sound[begin:end]
            np.testing.assert_array_equal(arrays["sound"][row, : len(frame_samples)], frame_samples)
            assert not arrays["sound"][row, len(frame_samples) :].any()
        assert Fraction(str(arrays["fps"])) == fps
        assert arrays["sample_rate"] == 22050


def test_stft_is_two_frames_under_a_hann_window(film: PickledFilm, tmp_path: Path) -> None:
    clock = Clock(Fraction(30), 22050)
    rows, bins = export_npz(film, clock, tmp_path / "film.npz", "stft")
    assert bins == 736
    with np.load(tmp_path / "film.npz", allow_pickle=False) as arrays:
        assert arrays["sound"].shape == (rows, bins)
        begin = 10 * 735 - 735 // 2
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1470) / 1470)
        expected = np.fft.rfft(film.sound[begin : begin + 1470] * window)
        # float32 sums of 1470 terms of size one.
        np.testing.assert_allclose(arrays["sound"][10], expected, atol=1e-3)


def test_another_rate_is_refused(film: PickledFilm, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="22050 Hz, got 44100 Hz"):
        export_npz(film, Clock(Fraction(30), 44100), tmp_path / "film.npz")
    assert list(tmp_path.glob("*.npz")) == []


def test_calibration_exports_in_silence(tmp_path: Path) -> None:
    library = Library.create(tmp_path / "library")
    export_npz(add_calibration_film(library), Clock(Fraction(30), 22050), tmp_path / "c.npz")
    with np.load(tmp_path / "c.npz", allow_pickle=False) as arrays:
        assert not arrays["sound"].any()
        assert set(np.unique(arrays["frames"])) == {0.0, 1.0}


@pytest.mark.parametrize("kind", ["pcm", "stft"])
def test_memory_does_not_grow_with_the_length_of_a_slow_film(tmp_path: Path, kind: str) -> None:
    """Of 300 s in frames of 10 s, all at once, the numbers of samples alone would take 53 MB."""
    folder, samples = tmp_path / "film", 300 * 22050
    folder.mkdir()
    np.save(folder / "frames.npy", np.zeros((30, 64, 64), np.uint8))
    np.save(folder / "times.npy", 10.0 * np.arange(31))
    np.save(folder / "sound.npy", np.zeros(samples, np.float32))
    film = PickledFilm(folder, Card("n", "n", Fraction(1), 30, samples, 22050, (0, samples)))
    tracemalloc.start()
    shape = export_npz(film, Clock(Fraction(1, 10), 22050), tmp_path / "film.npz", kind)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert shape == (30, 220500 + (kind == "stft"))
    assert peak_bytes < 50e6
