"""Waveforms of films and takes, computed once and kept."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from threading import Lock

from frame2sound.atomic import atomic_write
from frame2sound.errors import FilmError, StudioError
from frame2sound.evaluation.media_loader import without_padding
from frame2sound.film.decoding.audio_chunks import GapFiller
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.sound.waveform import PIECE_SAMPLES, Waveform, find_peaks
from frame2sound.untrusted import open_regular, read_bytes

BLOCK_SAMPLES = 1 << 16
MAX_BYTES = 512 << 20

_LOCKS: dict[Path, Lock] = {}
"""Of the cached files that were asked for."""


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
    cached = _cached(path, cache)
    with _LOCKS.setdefault(cached, Lock()):  # who comes second need not compute it again
        try:
            return Waveform.from_bytes(read_bytes(cached, MAX_BYTES))
        except (OSError, ValueError):
            waveform = compute_waveform(path)
        with atomic_write(cached, StudioError) as partial:
            partial.write_bytes(waveform.to_bytes())
    return waveform


def keep_waveform(written: Path, path: Path, cache: Path) -> None:
    """Move the waveform that was written with a file to where `load_waveform` finds it.

    Where that fails it is computed when it is asked for.
    """
    with suppress(OSError):
        written.replace(_cached(path, cache))


def _cached(path: Path, cache: Path) -> Path:
    """Return where the waveform of a file is kept until the file changes."""
    state = path.stat()
    key = f"{path}\0{state.st_size}\0{state.st_mtime_ns}"
    return cache / f"{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()}.dat"


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
    peaks = find_peaks(blocks)
    length = without_padding(filler.sample_count, rate, streams.declared_audio_end_seconds)
    return Waveform(rate, peaks[: -(-length // PIECE_SAMPLES)])


def _waveform_of_wav(path: Path) -> Waveform:
    import soundfile

    try:
        with open_regular(path) as file, soundfile.SoundFile(file) as sound:
            return Waveform(
                sound.samplerate, find_peaks(sound.blocks(BLOCK_SAMPLES, dtype="float32"))
            )
    except (OSError, soundfile.LibsndfileError) as error:
        raise FilmError(f"{path.name} cannot be read as a WAV; render it again") from error
