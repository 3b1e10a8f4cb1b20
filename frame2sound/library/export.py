"""Export a pickled film as plain arrays for other tools."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.clock import Clock, frame_indices_at_ticks
from frame2sound.errors import LibraryError
from frame2sound.film.small_frames import luma
from frame2sound.library.npy_writer import write_npy_header
from frame2sound.library.store import PickledFilm

ExportKind = Literal["pcm", "stft"]

BATCH_FRAMES, MAX_BATCH_SAMPLES = 1024, 1 << 20
"""Frames in memory at once, and most samples of their windows, unless one frame has more."""


def export_npz(
    film: PickledFilm, clock: Clock, path: Path, kind: ExportKind = "pcm"
) -> tuple[int, int]:
    """Write a film as one ``.npz``, resampled to the frames of a clock.

    It holds ``frames`` (N, 4096) float32 in [0, 1], converted to grey if the film is in colour;
    ``sound``; ``times`` (N,) float64 in seconds; ``fps`` as text; and ``sample_rate``. For ``pcm``,
    ``sound`` is (N, samples per frame) float32 in [-1, 1], 735 at 30 fps and 22 050 Hz; frames that
    are one sample shorter end with a zero. For ``stft``, it is (N, bins) complex64: the Fourier
    transform of two frames of sound, centred on the frame, under a Hann window.

    Returns
    -------
    (int, int)
        The shape of ``sound``.

    Raises
    ------
    LibraryError
        The clock's sample rate is not the film's; the file cannot be written.
    """
    if clock.sample_rate != film.card.sample_rate:
        raise LibraryError(
            f"{film.name} is at {film.card.sample_rate} Hz, got {clock.sample_rate} Hz"
        )
    rows = frame_indices_at_ticks(film.times, clock)
    width = clock.max_samples_per_frame if kind == "pcm" else clock.max_samples_per_frame + 1
    dtype = np.dtype(np.float32 if kind == "pcm" else np.complex64)
    encode = _slices if kind == "pcm" else _spectra
    with (
        atomic_write(path, LibraryError) as partial,
        zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        _write(archive, "frames", (len(rows), 4096), np.dtype(np.float32), _pixels(film, rows))
        _write(archive, "sound", (len(rows), width), dtype, encode(film, clock, len(rows)))
        for name, value in (
            ("times", clock.frame_times(len(rows))),
            ("fps", np.array(str(clock.fps))),
            ("sample_rate", np.array(clock.sample_rate)),
        ):
            _write(archive, name, value.shape, value.dtype, iter([value]))
    return len(rows), width


def _write(
    archive: zipfile.ZipFile,
    name: str,
    shape: tuple[int, ...],
    dtype: np.dtype[np.generic],
    parts: Iterator[NDArray[np.generic]],
) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        write_npy_header(file, dtype, shape)
        for part in parts:
            file.write(np.ascontiguousarray(part, dtype).tobytes())


def _pixels(film: PickledFilm, rows: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
    for begin in range(0, len(rows), BATCH_FRAMES):
        frames = film.frames[rows[begin : begin + BATCH_FRAMES]]
        frames = luma(frames) if film.colour else frames
        yield (frames.reshape(len(frames), -1) / np.float32(255)).astype(np.float32)


def _slices(film: PickledFilm, clock: Clock, frames: int) -> Iterator[NDArray[np.float32]]:
    for bounds in _batch_bounds(clock, frames, clock.max_samples_per_frame):
        slices = _windows(film.sound, bounds[:-1], clock.max_samples_per_frame)
        slices[np.arange(clock.max_samples_per_frame) >= np.diff(bounds)[:, None]] = 0
        yield slices


def _spectra(film: PickledFilm, clock: Clock, frames: int) -> Iterator[NDArray[np.complex64]]:
    length = 2 * clock.max_samples_per_frame
    window = np.hanning(length + 1)[:-1].astype(np.float32)
    for bounds in _batch_bounds(clock, frames, length):
        starts = bounds[:-1] - clock.max_samples_per_frame // 2
        yield np.fft.rfft(_windows(film.sound, starts, length) * window).astype(np.complex64)


def _batch_bounds(clock: Clock, frames: int, length: int) -> Iterator[NDArray[np.int64]]:
    """Yield the sample bounds of batches of frames with windows of a length."""
    batch = max(1, min(BATCH_FRAMES, MAX_BATCH_SAMPLES // length))
    for begin in range(0, frames, batch):
        yield clock.sample_bounds(min(batch, frames - begin), begin)


def _windows(
    sound: NDArray[np.float32], starts: NDArray[np.int64], length: int
) -> NDArray[np.float32]:
    """Return windows of sound ``(n, length)`` from each start, padded with zeros at both ends."""
    index = starts[:, None] + np.arange(length)
    inside = (index >= 0) & (index < len(sound))
    return np.where(inside, sound[np.clip(index, 0, len(sound) - 1)], np.float32(0))
