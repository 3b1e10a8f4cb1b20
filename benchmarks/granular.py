"""Compare granular synthesis with Csound on the same grains.

    python benchmarks/granular.py [--frames 917]

Hindle's cloud, about 44 000 grains in half a minute: one list of grains, a mono sound at 22 050 Hz,
on one core. Csound reads the sound from a table at whole samples, with the same triangular
envelope, and reports how long it took; its wall time includes the start of the program and the
reading of the score. Both run in turns, five times; the minimum counts. In Csound a grain starts
with a control period, here of 15 samples, so the list has only such starts. Csound is report to
print no notes: printing them, which is its default, takes as long again. Then clouds that only this
program renders: at rate 1, in two channels, detuned.
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


def schedule_grains(schedule: GrainSchedule, frames: int) -> Grains:
    """Return all grains of ``frames`` frames at 30 fps."""
    bounds = Clock(Fraction(30), RATE).sample_bounds(frames).tolist()
    due, clouds = 0.0, []
    for i in range(frames):
        random = np.random.default_rng([0, i])
        start, end = bounds[i : i + 2]
        grains, due = schedule.grains(start, end, RATE, random, due=due)
        clouds.append(grains)
    return Grains.concatenate(clouds)


def align_to_periods(grains: Grains) -> Grains:
    """Return the grains that start in the sound, each moved to the start of a control period."""
    grains = grains.select(grains.onset >= 0)
    onset = grains.onset // PERIOD * PERIOD
    return Grains(onset, grains.length, grains.source_position, grains.playback_rate, grains.gain)


def write_score(grains: Grains, folder: Path) -> None:
    """Write the orchestra and score that Csound reads."""
    rows = zip(grains.onset, grains.length, grains.source_position, grains.gain, strict=True)
    score = "\n".join(
        f"i 1 {onset / RATE:.9f} {length / RATE:.9f} {int(source)} {gain:.7f}"
        for onset, length, source, gain in rows
    )
    text = ORCHESTRA.format(rate=RATE, period=PERIOD, score=score)
    (folder / "cloud.csd").write_text(text)


def csound(folder: Path) -> tuple[float, float]:
    """Return the seconds that Csound took by its own report, and by wall time."""
    command = ["csound", "-m128", "-f", "-o", "cloud.wav", "cloud.csd"]
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    wall = time.perf_counter() - began
    report = re.search(r"end of performance: real: ([\d.]+)s", done.stderr)
    return float(report[1]) if report else wall, wall


def render_grains(grains: Grains, source: np.ndarray, shape: str, channels: int = 1) -> np.ndarray:
    """Return the sound of the grains."""
    samples = int((grains.onset + grains.length).max())
    out = np.zeros(samples if channels == 1 else (channels, samples), np.float32)
    add_grains(grains, source, shape, out)
    return out


def time_grains(grains: Grains, source: np.ndarray, shape: str, channels: int = 1) -> float:
    """Return the seconds that rendering the grains takes."""
    began = time.perf_counter()
    render_grains(grains, source, shape, channels)
    return time.perf_counter() - began


def compare(frames: int, source: np.ndarray, folder: Path) -> None:
    """Print the times of both, their ratio, and the correlation of their sounds."""
    grains = align_to_periods(schedule_grains(HindleSchedule(), frames))
    soundfile.write(folder / "source.wav", source, RATE, "FLOAT")
    write_score(grains, folder)
    runs = [(*csound(folder), time_grains(grains, source, "triangle")) for _ in range(RUNS)]
    csound_time, wall, our_time = (min(column) for column in zip(*runs, strict=True))
    csound_sound, _ = soundfile.read(folder / "cloud.wav", dtype="float32")
    our_sound = render_grains(grains, source, "triangle")
    both = min(len(csound_sound), len(our_sound))
    correlation = np.corrcoef(csound_sound[:both], our_sound[:both])[0, 1]
    print(
        f"{len(grains)} grains, {grains.length.sum() / 1e6:.1f} M samples: Csound "
        f"{csound_time:.3f} s ({wall:.3f} s with its start), this program {our_time:.3f} s, "
        f"ratio {csound_time / our_time:.1f} "
        f"({wall / our_time:.1f}), correlation {correlation:.5f}"
    )


def time_cloud(name: str, cloud: Cloud, frames: int, source: np.ndarray) -> None:
    """Print the time of a cloud."""
    grains = schedule_grains(OnTimeSchedule(cloud), frames)
    spent = min(time_grains(grains, source, cloud.envelope, cloud.channels) for _ in range(RUNS))
    samples = grains.length.sum()
    print(
        f"{name:28} {len(grains):6} grains, {samples / 1e6:5.1f} M samples: {spent:.3f} s, "
        f"{1e9 * spent / samples:.1f} ns a sample"
    )


def main() -> None:
    """Run the comparison and time the other clouds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=917)
    frames = parser.parse_args().frames
    random = np.random.default_rng(0)
    source = random.uniform(-0.05, 0.05, Clock(Fraction(30), RATE).start_sample(frames + 1))
    source = source.astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        compare(frames, source, Path(folder))
    dense = 44_000 * 30 / frames
    time_cloud("on time", Cloud(density=dense), frames, source)
    time_cloud("on time, two channels", Cloud(density=dense, spread=1), frames, source)
    time_cloud("on time, detuned", Cloud(density=dense, pitch_jitter=5), frames, source)


if __name__ == "__main__":
    main()
