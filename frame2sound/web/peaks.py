"""Waveforms to draw: the lowest and the highest sample of each short piece, at several zooms."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from threading import Lock, Thread

import msgspec
import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.clock import sample_at
from frame2sound.errors import FilmError, Frame2SoundError, StudioError
from frame2sound.evaluation.media_loader import MAX_PADDING_SECONDS
from frame2sound.film.decoding.audio_chunks import GapFiller
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.untrusted import open_regular, read_bytes

PIECE_SAMPLES = 128
"""Samples of a piece at the finest zoom."""

BLOCK_SAMPLES = 1 << 16
ZOOM_FACTOR = 4
ZOOMS = 6
MAX_BYTES = 512 << 20

Peaks = NDArray[np.int16]

_LOCKS: dict[Path, Lock] = {}
"""Of the cached files that were asked for."""


@dataclass(frozen=True)
class Waveform:
    """The peaks of a sound.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    samples : int
        Length of the sound.
    zooms : tuple of int16 array (pieces, 2)
        Lowest and highest sample of each piece, all channels together; each zoom has pieces four
        times as long as the one before, the first of 128 samples.
    """

    sample_rate: int
    samples: int
    zooms: tuple[Peaks, ...]


class _Header(msgspec.Struct):
    sample_rate: int
    samples: int
    pieces: list[int]


def load_waveform(path: Path, cache: Path) -> Waveform:
    """Return the peaks of a film's sound, from the cache if the file has not changed since.

    Parameters
    ----------
    path : Path
    cache : Path
        Folder for what was computed.

    Raises
    ------
    FilmError
        The file cannot be read, or has no sound.
    StudioError
        The cache cannot be written.
    """
    state = path.stat()
    key = f"{path}\0{state.st_size}\0{state.st_mtime_ns}"
    cached = cache / f"{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()}.peaks"
    with _LOCKS.setdefault(cached, Lock()):  # who comes second need not compute it again
        try:
            return _unpack(read_bytes(cached, MAX_BYTES))
        except (OSError, ValueError):
            waveform = compute_waveform(path)
        with atomic_write(cached, StudioError) as partial:
            partial.write_bytes(_pack(waveform))
    return waveform


def prepare_waveform(path: Path, cache: Path, wait_seconds: float) -> Thread:
    """Begin to compute the peaks of a film for `load_waveform`, and wait for them for a while.

    Whatever goes wrong is said when the waveform is asked for.
    """

    def prepare() -> None:
        with suppress(Frame2SoundError, OSError):
            load_waveform(path, cache)

    thread = Thread(target=prepare, daemon=True)
    thread.start()
    thread.join(wait_seconds)
    return thread


def compute_waveform(path: Path) -> Waveform:
    """Read a film or a WAV piece by piece and return its peaks; see `load_waveform`."""
    if path.suffix.lower() == ".wav":
        return _waveform_of_wav(path)
    streams = SubprocessFilmReader(path).streams
    if streams.audio_index is None:
        raise FilmError(f"{path.name} has no sound, so there is no waveform to show")
    rate = streams.audio_sample_rate
    channels = min(streams.audio_channels, 2)
    reader, filler = SubprocessFilmReader(path, rate, channels=channels), GapFiller()
    blocks = (block for chunk in reader.audio_chunks() for block in filler.process(chunk))
    finest = np.concatenate([np.zeros((0, 2), np.int16), *_peaks_of_blocks(blocks)])
    length = _without_padding(filler.sample_count, rate, streams.declared_audio_end_seconds)
    return Waveform(rate, length, _zooms(finest[: -(-length // PIECE_SAMPLES)]))


def _waveform_of_wav(path: Path) -> Waveform:
    import soundfile

    try:
        with open_regular(path) as file, soundfile.SoundFile(file) as sound:
            blocks = sound.blocks(BLOCK_SAMPLES, dtype="float32")
            finest = np.concatenate([np.zeros((0, 2), np.int16), *_peaks_of_blocks(blocks)])
            return Waveform(sound.samplerate, sound.frames, _zooms(finest))
    except (OSError, soundfile.LibsndfileError) as error:
        raise FilmError(f"{path.name} cannot be read as a WAV; render it again") from error


def _zooms(finest: Peaks) -> tuple[Peaks, ...]:
    zooms = [finest]
    while len(zooms) < ZOOMS:
        zooms.append(_coarser(zooms[-1]))
    return tuple(zooms)


def _without_padding(samples: int, sample_rate: int, declared_end: Fraction | None) -> int:
    """Return the length of a sound without the padding of its codec."""
    if declared_end is None:
        return samples
    declared = sample_at(declared_end, sample_rate)
    return declared if 0 < samples - declared <= MAX_PADDING_SECONDS * sample_rate else samples


def choose_zoom(waveform: Waveform, pieces: int) -> int:
    """Return the coarsest zoom with at least so many pieces, or the finest."""
    fitting = [zoom for zoom, peaks in enumerate(waveform.zooms) if len(peaks) >= pieces]
    return max(fitting, default=0)


def _peaks_of_blocks(blocks: Iterable[NDArray[np.float32]]) -> Iterator[Peaks]:
    """Yield the peaks at the finest zoom, of many short blocks at a time."""
    pending, count = [], 0
    for block in blocks:
        pending.append(block)
        count += len(block)
        if count >= BLOCK_SAMPLES:
            samples = np.concatenate(pending)
            whole = count // PIECE_SAMPLES * PIECE_SAMPLES
            yield _to_int16(_extremes(samples[:whole]))
            pending, count = [samples[whole:]], count - whole
    if count:
        samples = np.concatenate(pending)
        missing = [(0, -count % PIECE_SAMPLES), *[(0, 0)] * (samples.ndim - 1)]
        yield _to_int16(_extremes(np.pad(samples, missing, mode="edge")))


def _extremes(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the lowest and the highest sample of each piece of whole pieces, (pieces, 2)."""
    pieces = samples.reshape(len(samples) // PIECE_SAMPLES, -1)
    return np.stack([pieces.min(axis=1), pieces.max(axis=1)], axis=1)


def _coarser(peaks: Peaks) -> Peaks:
    missing = -len(peaks) % ZOOM_FACTOR
    padded = np.pad(peaks, ((0, missing), (0, 0)), mode="edge").reshape(-1, ZOOM_FACTOR, 2)
    return np.stack([padded[..., 0].min(axis=1), padded[..., 1].max(axis=1)], axis=1)


def _to_int16(peaks: NDArray[np.float32]) -> Peaks:
    return np.rint(np.clip(peaks, -1, 1) * 32767).astype(np.int16)


def _pack(waveform: Waveform) -> bytes:
    header = _Header(waveform.sample_rate, waveform.samples, [len(each) for each in waveform.zooms])
    arrays = (each.astype("<i2").tobytes() for each in waveform.zooms)
    return b"\n".join([msgspec.json.encode(header), b"".join(arrays)])


def _unpack(content: bytes) -> Waveform:
    """Return the waveform of a cached file; raise `ValueError` if it is not whole."""
    line, _, body = content.partition(b"\n")
    header = msgspec.json.decode(line, type=_Header)
    values = np.frombuffer(body, "<i2").reshape(-1, 2)
    if sum(header.pieces) != len(values) or len(header.pieces) != ZOOMS:
        raise ValueError("not whole")
    zooms = np.split(values, np.cumsum(header.pieces)[:-1])
    return Waveform(header.sample_rate, header.samples, tuple(zooms))
