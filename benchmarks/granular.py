"""Laying grains against Csound playing the same grains.

    python benchmarks/granular.py [--frames 917]

The ancestor's cloud, some 44 000 grains of half a minute: one list of grains, a mono sound at
22 050 Hz, on one core. Csound reads the sound from a table, at whole samples, under the same
triangle, and says how long it took; its wall time holds the start of the program and the reading
of the score as well. Both in turns; the best of five runs counts. A grain begins on Csound's next
control period, here of 15 samples, so the list is made of such beginnings. Csound is told to print
no notes: printing them, as it does by default, takes it as long again. Then clouds that only this
program lays: at rate 1, in two channels, detuned.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import tempfile
import time
from fractions import Fraction
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import soundfile

from frame2sound.clock import Clock
from frame2sound.rendering.granular.cloud import Cloud
from frame2sound.rendering.granular.grain_schedule import (
    GrainSchedule,
    HindleSchedule,
    OnTimeSchedule,
)
from frame2sound.sound.grains import Grains, add_grains

RUNS = 5
RATE = 22050
PERIOD = 15

ORCHESTRA = """<CsoundSynthesizer>
<CsInstruments>
sr = {rate}
ksmps = {period}
nchnls = 1
0dbfs = 1
instr 1
  aenvelope linseg 0, p3 / 2, p5, p3 / 2, 0
  aplace line p4 + 0.5, p3, p4 + 0.5 + p3 * sr
  asound table aplace, 1
  out asound * aenvelope
endin
</CsInstruments>
<CsScore>
f 1 0 0 1 "source.wav" 0 0 0
{score}
e
</CsScore>
</CsoundSynthesizer>
"""


def sow(schedule: GrainSchedule, frames: int) -> Grains:
    """Return all grains of so many frames at 30 a second."""
    bounds = Clock(Fraction(30), RATE).sample_bounds(frames).tolist()
    due, clouds = 0.0, []
    for i in range(frames):
        random = np.random.default_rng([0, i])
        grains, due = schedule.grains(*bounds[i : i + 2], RATE, random, due=due)
        clouds.append(grains)
    return Grains.concatenate(clouds)


def on_periods(grains: Grains) -> Grains:
    """Return the grains that begin in the sound, each at the start of a control period."""
    grains = grains.select(grains.onset >= 0)
    onset = grains.onset // PERIOD * PERIOD
    return Grains(onset, grains.length, grains.source_position, grains.playback_rate, grains.gain)


def write_score(grains: Grains, folder: Path) -> None:
    """Write what Csound reads."""
    rows = zip(grains.onset, grains.length, grains.source_position, grains.gain, strict=True)
    score = "\n".join(
        f"i 1 {onset / RATE:.9f} {length / RATE:.9f} {int(source)} {gain:.7f}"
        for onset, length, source, gain in rows
    )
    text = ORCHESTRA.format(rate=RATE, period=PERIOD, score=score)
    (folder / "cloud.csd").write_text(text)


def csound(folder: Path) -> tuple[float, float]:
    """Return the seconds that Csound took by its own clock, and by the wall's."""
    command = ["csound", "-m128", "-f", "-o", "played.wav", "cloud.csd"]
    begun = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    wall = time.perf_counter() - begun
    told = re.search(r"end of performance: real: ([\d.]+)s", done.stderr)
    return float(told[1]) if told else wall, wall


def laid(grains: Grains, source: np.ndarray, shape: str, channels: int = 1) -> np.ndarray:
    """Return the sound of the grains."""
    samples = int((grains.onset + grains.length).max())
    out = np.zeros(samples if channels == 1 else (channels, samples), np.float32)
    add_grains(grains, source, shape, out)
    return out


def ours(grains: Grains, source: np.ndarray, shape: str, channels: int = 1) -> float:
    """Return the seconds that laying them takes."""
    begun = time.perf_counter()
    laid(grains, source, shape, channels)
    return time.perf_counter() - begun


def compare(frames: int, source: np.ndarray, folder: Path) -> None:
    """Print what both cost, the ratio, and how alike they sound."""
    grains = on_periods(sow(HindleSchedule(), frames))
    soundfile.write(folder / "source.wav", source, RATE, "FLOAT")
    write_score(grains, folder)
    runs = [(*csound(folder), ours(grains, source, "triangle")) for _ in range(RUNS)]
    own, wall, here = (min(column) for column in zip(*runs, strict=True))
    played, _ = soundfile.read(folder / "played.wav", dtype="float32")
    here_sound = laid(grains, source, "triangle")
    both = min(len(played), len(here_sound))
    alike = np.corrcoef(played[:both], here_sound[:both])[0, 1]
    print(
        f"{len(grains)} grains, {grains.length.sum() / 1e6:.1f} M samples: Csound {own:.3f} s "
        f"({wall:.3f} s with its start), here {here:.3f} s, ratio {own / here:.1f} "
        f"({wall / here:.1f}), correlation {alike:.5f}"
    )


def alone(name: str, cloud: Cloud, frames: int, source: np.ndarray) -> None:
    """Print what another cloud costs."""
    grains = sow(OnTimeSchedule(cloud), frames)
    spent = min(ours(grains, source, cloud.envelope, cloud.channels) for _ in range(RUNS))
    samples = grains.length.sum()
    print(
        f"{name:28} {len(grains):6} grains, {samples / 1e6:5.1f} M samples: {spent:.3f} s, "
        f"{1e9 * spent / samples:.1f} ns a sample"
    )


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=917)
    frames = parser.parse_args().frames
    random = np.random.default_rng(0)
    source = random.uniform(-0.05, 0.05, Clock(Fraction(30), RATE).start_sample(frames + 1))
    source = source.astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        compare(frames, source, Path(folder))
    dense = 44_000 * 30 / frames
    alone("on time", Cloud(density=dense), frames, source)
    alone("on time, two channels", Cloud(density=dense, spread=1), frames, source)
    alone("on time, detuned", Cloud(density=dense, pitch_jitter=5), frames, source)


if __name__ == "__main__":
    main()
