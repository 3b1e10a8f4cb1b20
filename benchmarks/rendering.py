"""Rendering against decoding the animation alone.

    python benchmarks/rendering.py [ANIMATION ...] [--recipe deep]
    python benchmarks/rendering.py --hours 2          peak memory over an animation so long

Decoding is PyAV's with the same threads, its frames thrown away. Rendering is all of it: picture
to 64x64, brain, overlap-add, limiter, AAC, muxing; programs are loaded before the clock starts.
Both in turns, best of five.
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

import av
import torch

from frame2sound.brain.brain import Brain
from frame2sound.brain.file import save_brain
from frame2sound.brain.recipe import load_recipe
from frame2sound.film.demo import scene_named
from frame2sound.film.reader import FilmReader
from frame2sound.film.writer import write_scene
from frame2sound.rendering.render import Delivery, Style, render

RUNS = 5


def draw(path: Path, seconds: float, size: tuple[int, int]) -> Path:
    """Draw an animation."""
    scene = scene_named("bounce", seconds=seconds, seed=0, fps=Fraction(30), size=size)
    write_scene(scene, path, sounding=False, overwrite=True)
    return path


def decode(film: Path) -> tuple[float, int]:
    """Return the seconds that decoding alone takes, and the frames."""
    begun = time.perf_counter()
    with av.open(str(film)) as container:
        video = container.streams.video[0]
        video.thread_type = "SLICE" if video.codec_context.name == "vp8" else "AUTO"
        frames = sum(1 for _ in container.decode(video))
    return time.perf_counter() - begun, frames


def sound(film: Path, brain: Brain, style: Style, folder: Path) -> float:
    """Return the seconds that rendering takes."""
    begun = time.perf_counter()
    render(
        FilmReader(film), brain, folder / "out.mkv", style, Delivery(codec="aac", overwrite=True)
    )
    return time.perf_counter() - begun


def loud_brain(recipe: str) -> Brain:
    """Return an untrained brain of log magnitudes that is heard: 40 dB above its floor."""
    brain = Brain.untrained(load_recipe(recipe), scale=0.1)
    torch.nn.init.constant_(brain.network.top.bias, 2.0)
    return brain


def compare(film: Path, brain: Brain, folder: Path) -> None:
    """Print the cost of both, and the ratios."""
    for style in (Style(), Style(mode="granular")):
        runs = [(*decode(film), sound(film, brain, style, folder)) for _ in range(RUNS)]
        alone, rendered, frames = min(r[0] for r in runs), min(r[2] for r in runs), runs[0][1]
        print(
            f"{film.name:30} {style.mode:12} {frames:5} frames  decoding {1e3 * alone / frames:.3f}"
            f" ms a frame  rendering {1e3 * rendered / frames:.3f}  ratio {rendered / alone:.2f}"
        )


def measure_memory(hours: float, brain: Brain, folder: Path) -> None:
    """Print the peak resident memory of `frame2sound render` on so many hours."""
    minute, film = draw(folder / "minute.mp4", 60, (854, 480)), folder / "long.mp4"
    save_brain(brain, folder / "brain.safetensors")
    loops = str(round(hours * 60) - 1)
    command = ["ffmpeg", "-y", "-v", "error", "-nostdin", "-stream_loop", loops, "-i", str(minute)]
    subprocess.run([*command, "-c", "copy", str(film)], check=True)
    begun = time.perf_counter()
    program = [sys.executable, "-m", "frame2sound", "render", str(film), "-o", str(folder)]
    subprocess.run([*program, "--brain", str(folder / "brain.safetensors")], check=True)
    spent = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{hours:g} hours of 854x480 film in {spent:.0f} s, peak resident memory {peak:.0f} MB")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("animations", nargs="*", type=Path)
    parser.add_argument("--recipe", default="deep")
    parser.add_argument("--hours", type=float)
    asked = parser.parse_args()
    brain = loud_brain(asked.recipe)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if asked.hours:
            measure_memory(asked.hours, brain, folder)
            return
        drawn = asked.animations or [
            draw(folder / "drawn-480p.mp4", 30, (854, 480)),
            draw(folder / "drawn-720p.mp4", 30, (1280, 720)),
        ]
        for film in drawn:
            compare(film, brain, folder)


if __name__ == "__main__":
    main()
