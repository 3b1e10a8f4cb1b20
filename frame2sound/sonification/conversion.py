"""The whole way from a picture to a file of its sound."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write, check_writable, write_error_message
from frame2sound.errors import SonificationError
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.rendering.audio_spool import AudioSpool
from frame2sound.sonification.frequencies import FrequencyAxis, spaced_axis, tuned_axis
from frame2sound.sonification.levels import amplitudes
from frame2sound.sonification.panning import ScanPanner
from frame2sound.sonification.pictures import Brightness, Ink, Paper, PictureSource
from frame2sound.sonification.scanning import Scan, brightness_at_hops
from frame2sound.sonification.the_voice import (
    SCAN_SECONDS,
    SIZE,
    to_64_columns,
    voice_amplitudes,
    voice_axis,
)
from frame2sound.sonification.timbres import Sines, create_timbre
from frame2sound.sonification.wavetables import (
    MIN_COLUMNS,
    WavetableOscillator,
    make_tables,
    write_tables,
)
from frame2sound.sound.scale import Scale
from frame2sound.sound.wav_file import open_wav

Samples = NDArray[np.float32]

DEFAULT_SECONDS = Fraction(10)
"""Of the scan of a picture that stands still."""

PEAK = 10 ** (-1 / 20)
"""The largest sample: 1 dB below full scale."""

MIN_SECONDS, MAX_SECONDS = Fraction(1, 100), 4 * 3600
"""Of a scan, and of all together."""


@dataclass(frozen=True)
class SonificationChoice:
    """How a picture is to sound; see `frame2sound.api.sonifying.sonify`."""

    mapping: str
    seconds: Fraction | None
    rows: int | None
    low_hz: float
    high_hz: float
    spacing: str
    scale: Scale | None
    timbre: str
    range_db: float
    pitch_hz: float
    ink: Ink
    paper: Paper
    stereo: bool
    sample_rate: int
    seed: int

    @property
    def channels(self) -> int:
        """1, or 2 for stereo."""
        return 2 if self.stereo else 1


@dataclass(frozen=True)
class WrittenSound:
    """The sound of a picture that was written.

    Attributes
    ----------
    pictures, rows, channels, samples : int
    white_db : float
        Level of the brightest as a sine, in dB of full scale.
    notes : tuple of str
        What the user should know.
    """

    pictures: int
    rows: int
    channels: int
    samples: int
    white_db: float
    notes: tuple[str, ...]


@dataclass
class _Reading:
    """Scans of pictures, counted, and how their brightness becomes sound."""

    source: PictureSource
    choice: SonificationChoice
    pictures: int = 0
    seconds: Fraction = Fraction(0)

    def scans(self, prepare: Callable[[Brightness], Brightness], *, held: bool) -> Iterator[Scan]:
        """Yield a scan for each picture, one after another."""
        voiced = self.choice.mapping == "voice"
        still = SCAN_SECONDS if voiced else DEFAULT_SECONDS
        sweep = (self.choice.seconds or still) if voiced and self.source.is_animated else None
        for brightness, shown in self.source:
            length = shown if self.source.is_animated else still
            if self.choice.seconds and not sweep:
                length = self.choice.seconds
            begin, self.seconds = self.seconds, self.seconds + length
            if self.seconds > MAX_SECONDS:
                raise self._too_long()
            self.pictures += 1
            yield Scan(begin, self.seconds, prepare(brightness), sweep, held)

    def _too_long(self) -> SonificationError:
        return SonificationError(
            f"{self.source.path} sounds for more than {MAX_SECONDS} s, the longest; give fewer "
            "`seconds` a picture, or a shorter film"
        )


def write_sonification(
    path: Path,
    out: Path,
    choice: SonificationChoice,
    tables: Path | None = None,
    *,
    overwrite: bool = False,
    on_progress: ProgressCallback = ignore_progress,
) -> WrittenSound:
    """Write the sound of a picture as a WAV of 24 bits, and its wavetables if they are asked for.

    Raises
    ------
    SonificationError
        The picture cannot be read, or a file cannot be written.
    """
    for target in filter(None, (out, tables)):
        if target.suffix.lower() != ".wav":
            raise SonificationError(f"got {target}, expected the name of a .wav")
        check_writable(target, SonificationError, overwrite=overwrite)
    axis = _tuned(choice)
    rows = SIZE if choice.mapping == "voice" else len(axis) if axis else choice.rows
    source = PictureSource(path, rows, choice.ink, choice.paper)
    reading = _Reading(source, choice)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with AudioSpool(out.parent) as spool:
            peak = _spool(reading, axis, spool, on_progress)
            gain = PEAK / peak if peak else 1.0
            with atomic_write(out, SonificationError, overwrite=overwrite) as partial:
                _write(spool, partial, choice, gain)
    except OSError as failure:
        raise SonificationError(write_error_message(out, failure)) from failure
    if tables is not None:
        first = next(iter(PictureSource(path, choice.rows, choice.ink, choice.paper)))[0]
        with atomic_write(tables, SonificationError, overwrite=overwrite) as partial:
            write_tables(make_tables(first), partial)
    notes = source.appearance.notes
    if not peak:
        notes += ("nothing sounds: all of the picture is paper",)
    white_db = 20 * math.log10(gain)
    return WrittenSound(
        reading.pictures, source.rows, choice.channels, spool.sample_count, white_db, notes
    )


def _tuned(choice: SonificationChoice) -> FrequencyAxis | None:
    """Return the rows of a scale, whose number does not depend on the picture."""
    if choice.mapping != "spectrogram" or choice.scale is None:
        return None
    try:
        return tuned_axis(choice.scale, choice.low_hz, choice.high_hz)
    except ValueError as error:
        raise SonificationError(f"{error}; change `low_hz` or `high_hz`") from error


def _spool(
    reading: _Reading, axis: FrequencyAxis | None, spool: AudioSpool, progress: ProgressCallback
) -> float:
    """Write sound of any level to a spool; return its peak."""
    choice, peak = reading.choice, 0.0
    panner = ScanPanner(choice.sample_rate) if choice.stereo else None
    for chunk in _sounds(reading, axis, panner):
        left = math.ceil(reading.seconds * choice.sample_rate) - spool.sample_count
        mono = chunk[: max(left, 0)]
        block = panner.process(mono) if panner else mono
        peak = max(peak, float(np.abs(block).max(initial=0)))
        spool.write([block])
        done = spool.sample_count / choice.sample_rate
        progress(reading.source.path.name, done, float(reading.seconds), "")
    return peak


def _sounds(
    reading: _Reading, axis: FrequencyAxis | None, panner: ScanPanner | None
) -> Iterable[Samples]:
    choice, rate = reading.choice, reading.choice.sample_rate
    if choice.mapping == "wavetable":
        return _wavetable(reading)
    voiced = choice.mapping == "voice"
    scans = reading.scans(to_64_columns if voiced else np.asarray, held=voiced)
    watched = panner.watch(scans) if panner else scans
    if voiced:
        sines = Sines(voice_axis(), rate, choice.seed)
        return sines.render(map(voice_amplitudes, _hops(reading, watched, sines.hop)))
    if axis is None:
        axis = spaced_axis(reading.source.rows, choice.low_hz, choice.high_hz, choice.spacing)
    timbre = create_timbre(choice.timbre, axis, rate, choice.seed)
    hops = _hops(reading, watched, timbre.hop)
    return timbre.render(amplitudes(batch, choice.range_db) for batch in hops)


def _wavetable(reading: _Reading) -> Iterator[Samples]:
    """Yield waveforms; scans are turned, so that their columns are the picture's rows."""
    choice = reading.choice
    scans = reading.scans(lambda picture: np.ascontiguousarray(picture.T), held=False)
    first = next(scans)
    columns = len(first.brightness)
    if columns < MIN_COLUMNS:
        raise SonificationError(
            f"the picture is {columns} pixels wide, expected at least {MIN_COLUMNS} for a waveform"
        )
    oscillator = WavetableOscillator(columns, choice.pitch_hz, choice.sample_rate)
    yield from oscillator.render(_hops(reading, chain([first], scans), oscillator.hop))


def _hops(reading: _Reading, scans: Iterable[Scan], hop: int) -> Iterator[Brightness]:
    """Yield brightness once a hop; refuse scans that are over before the first one sounds."""
    rate = reading.choice.sample_rate
    yield from brightness_at_hops(scans, rate, hop)
    if reading.seconds * rate <= hop:
        raise SonificationError(
            f"{reading.source.path} sounds for {float(reading.seconds):g} s, expected more than "
            f"{hop / rate:.3g} s, the shortest that sounds like this; give more `seconds`"
        )


def _write(spool: AudioSpool, path: Path, choice: SonificationChoice, gain: float) -> None:
    with open_wav(path, choice.sample_rate, choice.channels, "PCM_24") as file:
        for block in spool.read():
            file.write(np.float32(gain) * block)
