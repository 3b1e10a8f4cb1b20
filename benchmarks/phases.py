"""Repeat Hindle's table of phase experiments, with measures and with today's strategies.

    python benchmarks/phases.py [FILM] [--seconds 10] [-o TABLE.md]

A held tone, and the sound of a film: the one named, or a drawn one. There are three settings:
Hindle's (30 720 Hz, a Hamming window of 2048, one spectrum per frame at 30 fps), today's with one
spectrum per frame, interpolated in log magnitude to the hops (22 050 Hz, Hann 1024, hop 256), and
today's with the true magnitudes.

Combs are in dB above their surroundings: lines and tremolo at the frame rate, and lines at the rate
of the hops; those of the original sound are in the first row. Spectral convergence compares the
magnitudes of the result with the true ones at the same hops, in dB. Speed is seconds of sound per
second on one core, of the phases alone.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy reads it

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.evaluation.frame_rate_hum import line_comb_db, tremolo_comb_db
from frame2sound.film.decoding.audio_chunks import collect_samples, pad_or_trim
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.sound.phase.from_audio import PhaseFromAudio
from frame2sound.sound.phase.griffin_lim import GriffinLim
from frame2sound.sound.phase.hindle import HINDLE_STFT, HINDLE_STRATEGIES
from frame2sound.sound.phase.pghi import Pghi
from frame2sound.sound.phase.phase_vocoder import PhaseVocoder
from frame2sound.sound.phase.random_phase import RandomPhase, ZeroPhase
from frame2sound.sound.phase.reconstructor import PhaseReconstructor
from frame2sound.sound.stft import InverseStft, Stft

FPS = Fraction(30)
CHUNK_HOPS = 128
FLOOR = np.float32(1e-7)
MIN_FLUX = 0.5
"""An event begins where log magnitudes rise by this in one hop, in the mean over bins."""

Sound = NDArray[np.float32]


HEAD = """# Phases

`python benchmarks/phases.py FILM -o benchmarks/phases.md` repeats Hindle's table of experiments
with numbers, on a held tone and on ten seconds of a film's sound.
`python benchmarks/phases.py --help` explains the columns. Lower convergence is better; the combs of
the original sound are in the first row; speed is that of the phases alone, on one core.

"""


@dataclass(frozen=True)
class Setting:
    """How magnitudes are taken: at every hop, or once a frame and interpolated."""

    name: str
    sample_rate: int
    stft: Stft
    per_frame: bool

    def magnitudes(self, sound: Sound) -> Sound:
        """Return the magnitudes that a strategy gets."""
        hops = self.stft.centres(len(sound))
        if not self.per_frame:
            return self.stft.magnitude(sound, hops).astype(np.float32)
        frame = self.sample_rate / float(FPS)
        centres = np.arange(int(len(sound) / frame) + 2) * frame
        log = np.log(self.stft.magnitude(sound, np.rint(centres).astype(np.int64)) + FLOOR)
        after = np.searchsorted(centres, hops, side="right").clip(1, len(centres) - 1)
        part = ((hops - centres[after - 1]) / frame).clip(0, 1)[:, None]
        return np.exp(log[after - 1] * (1 - part) + log[after] * part).astype(np.float32)


HINDLE = Setting("Hindle's: Hamming 2048, hop = frame, 30 720 Hz", 30720, HINDLE_STFT, False)
TODAY = Stft(1024, 256)
FRAMES = Setting("today, one spectrum a frame, interpolated", 22050, TODAY, True)
TRUE = Setting("today, true magnitudes", 22050, TODAY, False)


def strategies(setting: Setting, other: Sound) -> dict[str, Callable[[], PhaseReconstructor]]:
    """Return a constructor of every strategy, by name."""
    stft, rate = setting.stft, setting.sample_rate
    return {
        "zero": partial(ZeroPhase, stft),
        "random": partial(RandomPhase, stft),
        **{name: partial(make, stft, 1) for name, make in HINDLE_STRATEGIES.items()},
        "hindle-12, from audio": partial(PhaseFromAudio, stft, other, rate, rate),
        "phase vocoder": partial(PhaseVocoder, stft),
        "griffin-lim, 32": partial(GriffinLim, stft),
        "pghi": partial(Pghi, stft),
    }


def events(magnitude: Sound) -> NDArray[np.bool_]:
    """Return the hops at which events begin."""
    rise = np.diff(np.log(magnitude + 1e-4), axis=0, prepend=np.log(magnitude[:1] + 1e-4))
    flux = np.maximum(rise, 0).mean(axis=1)
    following = np.append(flux[1:], 0)
    return (flux > MIN_FLUX) & (flux >= following)


def synthesise(strategy: PhaseReconstructor, magnitude: Sound, stft: Stft) -> tuple[Sound, float]:
    """Return the sound, and the seconds that the phases took."""
    onset, inverse, spent, pieces = events(magnitude), InverseStft(stft), 0.0, []
    for first in range(0, len(magnitude), CHUNK_HOPS):
        chunk = slice(first, first + CHUNK_HOPS)
        began = time.perf_counter()
        spectra = strategy.reconstruct(magnitude[chunk], onset[chunk])
        spent += time.perf_counter() - began
        pieces.append(inverse.process(spectra))
    return np.concatenate([*pieces, inverse.flush()]), spent


def rows(setting: Setting, sound: Sound, other: Sound) -> Iterator[str]:
    """Yield the lines of a table."""
    stft, rate, magnitudes = setting.stft, setting.sample_rate, setting.magnitudes(sound)
    true = stft.magnitude(sound, stft.centres(len(sound)))
    yield "| phase | line comb | tremolo comb | lines of hops | convergence | level | x real time |"
    yield "|---|---|---|---|---|---|---|"
    yield f"| the original sound | {decibels(sound, setting)} | | 0.0 | |"
    for name, make in strategies(setting, other).items():
        result, spent = synthesise(make(), magnitudes, stft)
        result = result[: len(sound)]
        error = stft.magnitude(result, stft.centres(len(sound))) - true
        convergence = 20 * np.log10(np.linalg.norm(error) / np.linalg.norm(true))
        level = 10 * np.log10(
            np.mean(result.astype(float) ** 2) / np.mean(sound.astype(float) ** 2)
        )
        speed = len(sound) / rate / spent
        combs = decibels(result, setting)
        yield f"| {name} | {combs} | {convergence:.1f} | {level:+.1f} | {speed:.0f} |"


def decibels(sound: Sound, setting: Setting) -> str:
    """Return the combs as three cells."""
    rate = setting.sample_rate
    found = (
        line_comb_db(sound, rate, FPS),
        tremolo_comb_db(sound, rate, FPS),
        line_comb_db(sound, rate, Fraction(rate, setting.stft.hop)),
    )
    return " | ".join("-" if comb is None else f"{comb:.1f}" for comb in found)


def held_tone(rate: int, seconds: float) -> Sound:
    """Return 440 Hz and seven overtones."""
    at = np.arange(round(rate * seconds)) / rate
    parts = [0.3 / k * np.sin(2 * np.pi * 440 * k * at + k) for k in range(1, 9)]
    return np.sum(parts, axis=0).astype(np.float32)


def clip(film: Path | None, rate: int, seconds: float) -> Sound:
    """Return the beginning of a film's sound."""
    length = round(rate * seconds)
    if film is None:
        scene = load_scene("lines", seconds=seconds, seed=2, fps=FPS, sample_rate=rate)
        return scene.synthesise(0, length)
    chunks = FilmReader(film, sample_rate=rate).audio_chunks()
    return pad_or_trim(collect_samples(chunks, length), length)


def table(film: Path | None, seconds: float) -> Iterator[str]:
    """Yield the whole page."""
    for setting in (HINDLE, FRAMES, TRUE):
        rate = setting.sample_rate
        other = np.random.default_rng(9).normal(0, 0.1, round(rate * seconds)).astype(np.float32)
        tone, real = held_tone(rate, seconds), clip(film, rate, seconds)
        for name, sound, phase_source in (
            ("a held tone, 440 Hz", tone, other),
            (film.stem if film else "lines, drawn", real, tone),
        ):
            yield f"\n**{name}; {setting.name}**\n"
            yield from rows(setting, sound, phase_source)


def main() -> None:
    """Print the tables and write them to a file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("film", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("-o", "--out", type=Path)
    args = parser.parse_args()
    lines = []
    for line in table(args.film, args.seconds):
        print(line, flush=True)
        lines.append(line)
    if args.out:
        args.out.write_text(HEAD + "\n".join(lines).strip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
