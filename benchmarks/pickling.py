"""Pickling against the FFmpeg command line doing the same work, and its memory for a long film.

    python benchmarks/pickling.py [FILM ...]          frames a second beside FFmpeg's
    python benchmarks/pickling.py --hours 2           peak memory over a film so long

Without a film, one is drawn. Both read the same file from the page cache in turns, and the best of
five runs counts. FFmpeg scales to 64x64 grey by area and resamples to mono 22 050 Hz; it writes
what it made to files, as the pickler does.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

from frame2sound.film.demo import scene_named
from frame2sound.film.writer import write_scene
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library

RUNS = 5


def draw(path: Path, seconds: float, size: tuple[int, int]) -> Path:
    """Draw a film to pickle."""
    scene = scene_named("bounce", seconds=seconds, seed=0, fps=Fraction(30), size=size)
    write_scene(scene, path, overwrite=True)
    return path


def ffmpeg(film: Path, folder: Path) -> float:
    """Return the seconds that FFmpeg takes."""
    command = ["ffmpeg", "-y", "-v", "error", "-nostdin", "-i", str(film)]
    command += ["-map", "0:v:0", "-vf", "scale=64:64:flags=area,format=gray", "-fps_mode"]
    command += ["passthrough", "-f", "rawvideo", str(folder / "frames.raw")]
    command += ["-map", "0:a:0", "-ac", "1", "-ar", "22050", "-f", "f32le", str(folder / "s.raw")]
    begun = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begun


def ours(film: Path, folder: Path) -> tuple[float, int]:
    """Return the seconds that the pickler takes, digest and all, and the frames it wrote."""
    with tempfile.TemporaryDirectory(dir=folder) as library:
        begun = time.perf_counter()
        pickled, _ = pickle_film(film, Library.create(Path(library)))
        return time.perf_counter() - begun, pickled.card.frames


def compare(film: Path, folder: Path) -> None:
    """Print frames a second of both, and the ratio."""
    pairs = [(ffmpeg(film, folder), *ours(film, folder)) for _ in range(RUNS)]
    theirs, mine = min(p[0] for p in pairs), min(p[1] for p in pairs)
    frames = pairs[0][2]
    print(
        f"{film.name:34} {frames:6} frames  FFmpeg {frames / theirs:7.0f}/s  "
        f"pickler {frames / mine:7.0f}/s  ratio {theirs / mine:.2f}"
    )


def measure_memory(hours: float, folder: Path) -> None:
    """Print the peak resident memory of `frame2sound pickle` on a film of so many hours."""
    minute = draw(folder / "minute.mp4", 60, (854, 480))
    film = folder / "long.mp4"
    loops = str(round(hours * 60) - 1)
    command = ["ffmpeg", "-y", "-v", "error", "-nostdin", "-stream_loop", loops, "-i", str(minute)]
    subprocess.run([*command, "-c", "copy", str(film)], check=True)
    begun = time.perf_counter()
    program = [sys.executable, "-m", "frame2sound", "pickle", str(film), "--no-calibration"]
    subprocess.run([*program, "--library", str(folder / "library")], check=True)
    spent = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{hours:g} hours of 854x480 film in {spent:.0f} s, peak resident memory {peak:.0f} MB")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("films", nargs="*", type=Path)
    parser.add_argument("--hours", type=float)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if asked.hours:
            measure_memory(asked.hours, folder)
            return
        films = asked.films or [draw(folder / "drawn-480p.mp4", 60, (854, 480))]
        for film in films:
            compare(film, folder)


if __name__ == "__main__":
    main()
