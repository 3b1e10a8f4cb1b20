"""Turn what networks hear in drawings into sound: by learned clips, or by phases that are found."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.clock import sample_at
from frame2sound.errors import SynaesthesiaError
from frame2sound.sound.limiter import Limiter
from frame2sound.sound.mel_scale import bands_to_bins, mel_filterbank
from frame2sound.sound.phase import DEFAULT_PHASE, create_reconstructor
from frame2sound.sound.stft import InverseStft, Stft
from frame2sound.synaesthesia.heard_drawings import HeardDrawings, HeardSpectra
from frame2sound.synaesthesia.sound_windows import (
    BANDS,
    CENTRES,
    FLOOR_DB,
    FRAMES,
    RATE,
    STFT,
    log_mel,
    window_levels_db,
)

if TYPE_CHECKING:
    from frame2sound.synaesthesia.pair import Pair

FloatArray = NDArray[np.float32]

COMPARED = 16
"""Leading components by which clips are chosen."""

MAX_GAIN_DB = 12.0
"""Clips are made louder or quieter by so much at most."""

FADE_SAMPLES = 220
"""Fade at both ends of a drawing that sounds by itself: 10 ms."""

STEP_SECONDS = Fraction(1, 2)
"""Time from one clip of a film to the next; each lasts a second."""

BLOCK = 256
"""Spectra that are in memory at a time."""

_FINE = Stft(STFT.n_fft, STFT.hop // 2)
"""Phases are found for spectra at half the hop."""


class Spectra(Protocol):
    """Log mel spectra, ``(n, 42, 48)``, of which some can be asked for: an array, or others."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, chosen: NDArray[np.int64] | slice, /) -> FloatArray:
        """Return some of them."""


@dataclass(frozen=True)
class Clips:
    """Clips of one second that were learned, to make mosaics of.

    Attributes
    ----------
    samples : float32 array (n, 22050)
    components : float32 array (n, components)
        Whitened; see `frame2sound.synaesthesia.sound_windows.SoundComponents`.
    levels_db : float32 array (n,)
        Level of each, as `window_levels_db` has it.
    """

    samples: FloatArray
    components: FloatArray
    levels_db: FloatArray

    @classmethod
    def of_pair(cls, pair: Pair) -> Clips:
        """Return the clips that a pair keeps."""
        spectra = log_mel(pair.clips)
        return cls(pair.clips, pair.components.transform(spectra), window_levels_db(spectra))

    def choose(self, components: FloatArray) -> NDArray[np.int64]:
        """Return the index of the clip nearest to each row of components."""
        wanted, known = components[:, :COMPARED], self.components[:, :COMPARED]
        distances = (known**2).sum(axis=1) - 2 * wanted @ known.T
        return np.asarray(distances.argmin(axis=1), np.int64)


def sing(pair: Pair, heard: HeardDrawings, phase: str | None = None, seed: int = 0) -> FloatArray:
    """Return the sound of drawings, by the pair's clips or, if ``phase`` is given, by phases.

    Parameters
    ----------
    heard : HeardDrawings
        What the pair hears in them.
    phase, seed
        See `sing_by_phase`.
    """
    spectra = HeardSpectra(pair, heard)
    if phase is None:
        return sing_by_mosaic(Clips.of_pair(pair), heard.components, spectra, heard.fps)
    return sing_by_phase(spectra, heard.fps, phase, seed)


def write_sung(path: Path, sound: FloatArray, *, overwrite: bool = False) -> None:
    """Write a sound as a ``.wav`` of 24 bits; samples beyond full scale are limited.

    Raises
    ------
    SynaesthesiaError
        The file exists or cannot be written.
    """
    from frame2sound.sound.wav_file import open_wav

    limiter = Limiter(RATE)
    limited = np.concatenate([limiter.process(sound), limiter.flush()])
    with (
        atomic_write(path, SynaesthesiaError, overwrite=overwrite) as partial,
        open_wav(partial, RATE, 1, "PCM_24") as file,
    ):
        file.write(limited)


def sing_by_mosaic(
    clips: Clips, components: FloatArray, spectra: Spectra, fps: Fraction | None
) -> FloatArray:
    """Return a sound of the learned clips that are nearest to what was heard.

    Parameters
    ----------
    clips : Clips
    components : float32 array (n, components)
    spectra : Spectra
        Log mel spectra of the same windows; they say how loud each clip is played.
    fps : Fraction or None
        Windows per second, each around its frame; None for drawings of a second each.

    Returns
    -------
    float32 array
        At 22050 Hz.
    """
    chosen = _frames_of_steps(len(components), fps) if fps else np.arange(len(components))
    index = clips.choose(components[chosen])
    gains = np.concatenate(
        [_gains(clips, index[part], spectra[chosen[part]]) for part in _blocks(len(chosen))]
    )
    sounds = (clips.samples[each] * gain for each, gain in zip(index, gains, strict=True))
    if not fps:
        return np.concatenate([sound * _fades() for sound in sounds])
    return _overlap(sounds, len(chosen), sample_at(len(components) / fps, RATE))


def sing_by_phase(
    spectra: Spectra, fps: Fraction | None, phase: str = DEFAULT_PHASE, seed: int = 0
) -> FloatArray:
    """Return a sound with log mel spectra, whose phases are found; see `sing_by_mosaic`.

    Parameters
    ----------
    phase : str
        Method, as in `frame2sound.sound.phase.create_reconstructor`.
    """
    if fps is None:
        return np.concatenate(
            [
                _with_phase(each, CENTRES, RATE, phase, seed) * _fades()
                for part in _blocks(len(spectra))
                for each in spectra[part]
            ]
        )
    length = sample_at(len(spectra) / fps, RATE)
    levels_db = _in_sequence(spectra, fps)
    return _with_phase(levels_db, np.arange(len(levels_db)) * STFT.hop, length, phase, seed)


def _blocks(count: int) -> list[slice]:
    return [slice(first, min(first + BLOCK, count)) for first in range(0, count, BLOCK)]


def _gains(clips: Clips, index: NDArray[np.int64], spectra: FloatArray) -> FloatArray:
    """Return the factors that make clips as loud as spectra; silent ones have 0."""
    gain_db = window_levels_db(spectra) - clips.levels_db[index]
    gains = 10 ** (np.clip(gain_db, -MAX_GAIN_DB, MAX_GAIN_DB) / 20)
    gains[(spectra <= FLOOR_DB).all(axis=(1, 2))] = 0
    return np.asarray(gains, np.float32)


def _frames_of_steps(frames: int, fps: Fraction) -> NDArray[np.int64]:
    """Return the frames that are shown at the middles of the clips of a film."""
    steps = math.ceil(frames / fps / STEP_SECONDS) + 1
    at = [int(step * STEP_SECONDS * fps) for step in range(steps)]
    return np.minimum(np.array(at, np.int64), frames - 1)


def _overlap(sounds: Iterable[FloatArray], count: int, length: int) -> FloatArray:
    """Return clips half a second apart, crossfaded; the middle of the first is at sample 0."""
    step, half = sample_at(STEP_SECONDS, RATE), RATE // 2
    window = np.sin(np.pi * (np.arange(RATE) + 0.5) / RATE) ** 2
    mixed = np.zeros(step * (count - 1) + RATE, np.float32)
    for number, sound in enumerate(sounds):
        mixed[number * step : number * step + RATE] += (sound * window).astype(np.float32)
    return mixed[half : half + length]


def _in_sequence(spectra: Spectra, fps: Fraction) -> FloatArray:
    """Return the spectra at samples 0, 512, ... of a film, ``(times, bands)``.

    They are means of the windows that overlap there; what is near the middle of its window weighs
    more. Where there is no window it is silent.
    """
    count = max(1, round(len(spectra) / fps * RATE / STFT.hop))
    sums, weights = np.zeros((count + 2 * FRAMES, BANDS)), np.zeros(count + 2 * FRAMES)
    bell = np.sin(np.pi * (np.arange(FRAMES) + 0.5) / FRAMES) ** 2
    each = (spectrum for part in _blocks(len(spectra)) for spectrum in spectra[part])
    for frame, spectrum in enumerate(each):
        middle = sample_at((frame + Fraction(1, 2)) / fps, RATE)
        first = round((middle - RATE // 2 + int(CENTRES[0])) / STFT.hop) + FRAMES
        sums[first : first + FRAMES] += spectrum * bell[:, None]
        weights[first : first + FRAMES] += bell
    inside = slice(FRAMES, FRAMES + count)
    means = sums[inside] / np.maximum(weights[inside], 1e-9)[:, None]
    return np.where(weights[inside, None] > 0, means, FLOOR_DB).astype(np.float32)


def _with_phase(
    levels_db: FloatArray, samples: NDArray[np.int64], length: int, phase: str, seed: int
) -> FloatArray:
    """Return a sound of a length whose bands have levels ``(times, 48)`` at given samples."""
    centres = _FINE.centres(length)
    bands = np.stack([np.interp(centres, samples, band) for band in levels_db.T], axis=1)
    power = np.where(bands <= FLOOR_DB + 1, 0.0, 10 ** (bands / 10))
    spread = bands_to_bins(power, mel_filterbank(BANDS, _FINE.n_fft, RATE))
    magnitude = np.sqrt(spread).astype(np.float32)
    method = create_reconstructor(phase, _FINE, seed)
    spectra = method.reconstruct(magnitude, np.zeros(len(magnitude), bool))
    inverse = InverseStft(_FINE)
    sound = np.concatenate([inverse.process(spectra), inverse.flush(fade_out=False)])
    return np.pad(sound, (0, max(length - len(sound), 0)))[:length]


def _fades() -> FloatArray:
    ramp = np.minimum((np.arange(RATE) + 0.5) / FADE_SAMPLES, 1)
    return np.asarray(ramp * ramp[::-1], np.float32)
